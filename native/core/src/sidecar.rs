//! What passes by the aggregation: events and service checks.
//!
//! Rules:
//!
//! * What is kept has bounds, in number and in bytes; what they refuse is counted.

use crate::dialect::notice::Fields;

const MAX_NOTICES: usize = 1000;
const MAX_NOTICE_BYTES: usize = 4 << 20;

/// An event or a service check, and who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub source: String,
    pub fields: Fields,
}

/// What one reader has aside.
#[derive(Debug, Default)]
pub(crate) struct Sidecar {
    notices: Vec<Notice>,
    notice_bytes: usize,
    lost: u64,
}

impl Sidecar {
    /// Keeps a notice whose line has `size` bytes, or counts it as lost.
    pub(crate) fn note(&mut self, size: usize, notice: impl FnOnce() -> Notice) {
        if self.notices.len() < MAX_NOTICES && self.notice_bytes + size <= MAX_NOTICE_BYTES {
            self.notice_bytes += size;
            self.notices.push(notice());
        } else {
            self.lost += 1;
        }
    }

    /// Takes the notices, and how many were lost.
    pub(crate) fn take_notices(&mut self) -> (Vec<Notice>, u64) {
        self.notice_bytes = 0;
        (std::mem::take(&mut self.notices), std::mem::take(&mut self.lost))
    }
}
