//! Copies lines, as they came in and before anybody has read them, for somebody who looks on.
//!
//! Rules:
//!
//! * Who offers lines never waits: they wait in at most `bound` bytes until they are taken, and those that do not fit are
//!   counted.
//! * Empty lines are left out.

use crate::relay::{Counts, Outbox, Parcel};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Somebody who looks on.
#[derive(Debug)]
pub struct Tap {
    lines: Outbox,
    missed: AtomicU64,
}

impl Tap {
    /// Makes one that holds no more than `bound` bytes.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { lines: Outbox::new(bound), missed: AtomicU64::new(0) }
    }

    /// Takes the lines of packets; never waits.
    pub fn offer<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) {
        let mut counts = Counts::default();
        let lines = packets.flat_map(|packet| packet.split(|&byte| byte == b'\n')).filter(|line| !line.is_empty());
        self.lines.push(lines, &mut counts);
        self.missed.fetch_add(counts.dropped, Ordering::Relaxed);
    }

    /// Waits for at most `patience` for lines, each with a newline after it.
    ///
    /// An empty parcel: nothing has come. `None`: nothing will come any more.
    #[must_use]
    pub fn take(&self, patience: Duration) -> Option<Parcel> {
        self.lines.take(patience)
    }

    /// How many lines there was no room for.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Says that nothing will come any more; what waits can still be taken.
    pub fn close(&self) {
        self.lines.close();
    }
}

#[cfg(test)]
mod tests {
    use super::Tap;
    use std::time::Duration;

    #[test]
    fn lines_wait_and_what_does_not_fit_is_counted() {
        let tap = Tap::new(9);
        tap.offer([&b"a:1|c\n\nb"[..], b"", b"c:1|c\nd:1|c"].into_iter());
        tap.close();
        let parcel = tap.take(Duration::ZERO).expect("lines");
        assert_eq!((parcel.bytes.as_slice(), parcel.packets, tap.missed()), (&b"a:1|c\nb\n"[..], 2, 2));
        assert_eq!(tap.take(Duration::ZERO), None);
    }
}
