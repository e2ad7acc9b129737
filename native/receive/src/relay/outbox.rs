//! Packets that wait until a stream takes them.

use crate::relay::{Counts, lock};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A parcel takes packets until it has this many bytes.
const ENOUGH: usize = 64 << 10;

/// Packets, each with a newline after it, and how many they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// What to write.
    pub bytes: Vec<u8>,
    /// How many packets that is.
    pub packets: u64,
}

#[derive(Debug, Default)]
struct Held {
    parcels: VecDeque<Parcel>,
    size: usize,
    closed: bool,
}

/// A queue of at most `bound` bytes.
#[derive(Debug)]
pub struct Outbox {
    held: Mutex<Held>,
    filled: Condvar,
    bound: usize,
}

impl Outbox {
    pub fn new(bound: usize) -> Self {
        Self { held: Mutex::default(), filled: Condvar::new(), bound }
    }

    pub fn push<'a>(&self, packets: impl Iterator<Item = &'a [u8]>, counts: &mut Counts) {
        let mut held = lock(&self.held);
        for packet in packets {
            if held.size + packet.len() + 1 > self.bound {
                counts.dropped += 1;
            } else {
                held.add(packet);
                counts.sent += 1;
                counts.bytes += packet.len() as u64 + 1;
            }
        }
        drop(held);
        self.filled.notify_one();
    }

    pub fn take(&self, patience: Duration) -> Option<Parcel> {
        let waiting = |held: &mut Held| held.parcels.is_empty() && !held.closed;
        let waited = self.filled.wait_timeout_while(lock(&self.held), patience, waiting);
        let (mut held, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(parcel) = held.parcels.pop_front() else {
            return (!held.closed).then(Parcel::default);
        };
        held.size -= parcel.bytes.len();
        Some(parcel)
    }

    pub fn close(&self) {
        lock(&self.held).closed = true;
        self.filled.notify_all();
    }
}

impl Held {
    fn add(&mut self, packet: &[u8]) {
        if self.parcels.back().is_none_or(|last| last.bytes.len() >= ENOUGH) {
            self.parcels.push_back(Parcel::default());
        }
        if let Some(last) = self.parcels.back_mut() {
            last.bytes.extend_from_slice(packet);
            last.bytes.push(b'\n');
            last.packets += 1;
            self.size += packet.len() + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outbox, Parcel};
    use crate::relay::Counts;
    use std::time::Duration;

    #[test]
    fn packets_wait_joined_and_the_bound_holds() {
        let (outbox, mut counts) = (Outbox::new(8), Counts::default());
        assert_eq!(outbox.take(Duration::ZERO), Some(Parcel::default()));
        outbox.push([&b"a"[..], b"b\nc", b"de", b""].into_iter(), &mut counts);
        assert_eq!(counts, Counts { sent: 3, bytes: 7, refused: 0, dropped: 1 });
        outbox.close();
        assert_eq!(outbox.take(Duration::ZERO), Some(Parcel { bytes: b"a\nb\nc\n\n".to_vec(), packets: 3 }));
        assert_eq!(outbox.take(Duration::ZERO), None);
    }
}
