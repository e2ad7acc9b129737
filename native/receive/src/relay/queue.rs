//! Packets on their way to the thread that sends them.

use crate::relay::lock;
use std::mem::swap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// What a packet takes of the bound besides its bytes.
const CHARGE: usize = 16;

/// Packets one behind the other, and where each ends.
#[derive(Debug, Default)]
pub struct Held {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    closed: bool,
}

impl Held {
    /// The packets, in order.
    pub fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * CHARGE
    }
}

/// A queue of at most `bound` bytes; what does not fit is counted.
#[derive(Debug)]
pub struct Queue {
    held: Mutex<Held>,
    filled: Condvar,
    bound: usize,
    dropped: AtomicU64,
}

impl Queue {
    pub fn new(bound: usize) -> Self {
        Self { held: Mutex::default(), filled: Condvar::new(), bound, dropped: AtomicU64::new(0) }
    }

    /// Adds packets that fit. Never waits for the other side.
    pub fn push<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) {
        let mut held = lock(&self.held);
        let (was_empty, mut dropped) = (held.ends.is_empty(), 0);
        for packet in packets {
            if held.closed || held.size() + packet.len() + CHARGE > self.bound {
                dropped += 1;
            } else {
                held.bytes.extend_from_slice(packet);
                let end = held.bytes.len();
                held.ends.push(end);
            }
        }
        drop(held);
        if dropped > 0 {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Waits for packets and puts them in place of what `into` held; false when the queue is closed and empty.
    pub fn take(&self, into: &mut Held) -> bool {
        into.bytes.clear();
        into.ends.clear();
        let waiting = |held: &mut Held| held.ends.is_empty() && !held.closed;
        let mut held = self.filled.wait_while(lock(&self.held), waiting).unwrap_or_else(PoisonError::into_inner);
        into.closed = held.closed;
        swap(&mut *held, into);
        !into.ends.is_empty()
    }

    /// Takes nothing more.
    pub fn close(&self) {
        lock(&self.held).closed = true;
        self.filled.notify_one();
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARGE, Held, Queue};

    #[test]
    fn packets_come_out_as_they_went_in_and_the_bound_holds() {
        let queue = Queue::new(2 * CHARGE + 5);
        queue.push([&b"ab"[..], b"", b"cdef"].into_iter());
        queue.push([&b"x"[..]].into_iter());
        let mut held = Held::default();
        assert!(queue.take(&mut held));
        assert_eq!(held.packets().collect::<Vec<_>>(), [&b"ab"[..], b""]);
        assert_eq!(queue.dropped(), 2);
        queue.push([&b"after"[..]].into_iter());
        queue.close();
        queue.push([&b"late"[..]].into_iter());
        assert!(queue.take(&mut held));
        assert_eq!(held.packets().collect::<Vec<_>>(), [b"after"]);
        assert!(!queue.take(&mut held));
        assert_eq!(queue.dropped(), 3);
    }
}
