//! What one reader ingests.

use crate::{Rules, Window};

/// How many series one call of [`Shard::forget`] should be given at most: a fraction of a millisecond's work.
pub const FORGET_AT_ONCE: usize = 1024;

/// Whose reading of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Lines mean what they mean to statsd/statsd.
    Statsd,
    /// `h` and `d` are timers, an unknown type is bad, `\r\n` ends a line, infinite values are bad.
    Nilometer,
}

/// A value that was refused. Texts are cut at 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    pub source: String,
    pub line: String,
    /// The value's parts joined by commas.
    pub fields: String,
    pub reason: &'static str,
}

/// The ingest state of one reader.
#[derive(Debug)]
pub struct Shard {
    number: usize,
}

impl Shard {
    pub(crate) fn new(number: usize, _rules: &Rules) -> Self {
        Self { number }
    }

    /// The shard's number at its master, counted from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Use the limits and `sanitize` of other rules at once.
    pub fn configure(&mut self, _rules: &Rules) {}

    /// Count whole lines, separated by newlines; the last needs none. `source` names the peer, asked for bad lines that
    /// are kept. `packets` is how many packets this counts for.
    pub fn feed(&mut self, _data: &[u8], _source: &dyn Fn() -> String, _dialect: Dialect, _packets: u64) {}

    /// Count several packets of whole lines. `source` names a packet's peer by the packet's place in `packets`.
    pub fn feed_many(&mut self, _packets: &[&[u8]], _source: &dyn Fn(usize) -> String, _dialect: Dialect) {}

    /// Hand over the window and go on in `spare`, which came from `Master::spare`.
    #[must_use]
    pub fn swap(&mut self, spare: Window) -> Window {
        spare
    }

    /// Free series that the master has deleted. One that was updated since the swap becomes a new series.
    pub fn forget(&mut self, _ids: &[u32]) {}

    /// Take the refused lines kept since the last call, at most 32.
    pub fn bad_lines(&mut self) -> Vec<BadLine> {
        Vec::new()
    }
}
