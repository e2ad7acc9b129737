//! What passes by the aggregation: values that came with their own time, events and service checks.
//!
//! Rules:
//!
//! * What is kept has bounds, in number and in bytes; what they refuse is counted.

use crate::aggregates::Kind;
use crate::dialect::notice::Fields;

const MAX_TIMED: usize = 100_000;
const MAX_TIMED_BYTES: usize = 16 << 20;
const MAX_NOTICES: usize = 1000;
const MAX_NOTICE_BYTES: usize = 4 << 20;

/// A value that came with its own time, in seconds since the epoch: what to add to a counter, or a gauge's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    pub timestamp: u64,
    pub kind: Kind,
    pub key: String,
    pub value: f64,
}

/// An event or a service check, and who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub source: String,
    pub fields: Fields,
}

/// What one reader has aside.
#[derive(Debug, Default)]
pub(crate) struct Sidecar {
    timed: Vec<Timed>,
    timed_bytes: usize,
    notices: Vec<Notice>,
    notice_bytes: usize,
    lost: u64,
}

impl Sidecar {
    /// Keeps a value, unless there is no room.
    #[must_use]
    pub(crate) fn time(&mut self, timed: Timed) -> bool {
        let fits = self.timed.len() < MAX_TIMED && self.timed_bytes + timed.key.len() <= MAX_TIMED_BYTES;
        if fits {
            self.timed_bytes += timed.key.len();
            self.timed.push(timed);
        }
        fits
    }

    /// Keeps a notice whose line has `size` bytes, or counts it as lost.
    pub(crate) fn note(&mut self, size: usize, notice: impl FnOnce() -> Notice) {
        if self.notices.len() < MAX_NOTICES && self.notice_bytes + size <= MAX_NOTICE_BYTES {
            self.notice_bytes += size;
            self.notices.push(notice());
        } else {
            self.lost += 1;
        }
    }

    pub(crate) fn take_timed(&mut self) -> Vec<Timed> {
        self.timed_bytes = 0;
        std::mem::take(&mut self.timed)
    }

    /// Takes the notices, and how many were lost.
    pub(crate) fn take_notices(&mut self) -> (Vec<Notice>, u64) {
        self.notice_bytes = 0;
        (std::mem::take(&mut self.notices), std::mem::take(&mut self.lost))
    }
}
