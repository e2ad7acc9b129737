//! Values that came with their own time: they pass by the series, but not by rules and limits.
//!
//! Rules:
//!
//! * Rules are asked for each value. What they lead to counts as a series until the window ends, unless it is one anyway; no
//!   series is made.
//! * A value whose series a limit refuses goes to the overflow series of its kind, with its time.
//! * What is kept has bounds, in number and in bytes; what they refuse is counted.

use super::Store;
use crate::aggregates::Kind;
use crate::gate::{Groups, Limit};
use crate::key;
use crate::limit::Shared;
use crate::rule::Verdict;
use crate::table::{Hash, Table};
use crate::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

const MOST: usize = 100_000;
const MOST_BYTES: usize = 16 << 20;

/// A value that came with its own time, in seconds since the epoch: what to add to a counter, or a gauge's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    pub timestamp: u64,
    pub kind: Kind,
    pub key: String,
    pub value: f64,
}

/// What one reader has of such values in a window. To drop it lets its series go, which takes no shard's lock.
#[derive(Debug)]
pub struct Timeline {
    values: Vec<Timed>,
    bytes: usize,
    /// What counts as a series though it is none, and by its number in which groups.
    series: Table,
    groups: Vec<Groups>,
    shared: Arc<Shared>,
}

impl Timeline {
    pub(super) fn new(hash: Hash, shared: Arc<Shared>) -> Self {
        Self { values: Vec::new(), bytes: 0, series: Table::new(hash), groups: Vec::new(), shared }
    }

    /// The values, in order of arrival.
    #[must_use]
    pub fn values(mut self) -> Vec<Timed> {
        std::mem::take(&mut self.values)
    }

    fn fits(&self, key: &[u8]) -> bool {
        self.values.len() < MOST && self.bytes + key.len() <= MOST_BYTES
    }

    fn enter(&mut self, hash: u64, kind: Kind, key: &[u8], groups: Groups) {
        groups.enter(key, &self.shared);
        self.series.insert(hash, kind as u32, key);
        self.groups.push(groups);
    }

    fn add(&mut self, timestamp: u64, key: &[u8], value: Value) {
        let factor = if value.kind == Kind::Counter { value.weight } else { 1.0 };
        let key = String::from_utf8_lossy(key).into_owned();
        self.bytes += key.len();
        self.values.push(Timed { timestamp, kind: value.kind, key, value: value.number * factor });
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        for ((_, key), groups) in self.series.iter().zip(&self.groups) {
            groups.leave(key, &self.shared);
        }
    }
}

impl Store {
    /// Keep a value of a key for the time that came with it. `source` names the peer.
    pub(crate) fn time(&mut self, timestamp: u64, value: Value, key: &[u8], source: &dyn Fn() -> String) {
        let clean = if key::is_kept(key, self.sanitize) {
            String::from_utf8_lossy(key)
        } else {
            Cow::Owned(key::clean(key, self.sanitize))
        };
        let routing = Arc::clone(&self.routing);
        let Verdict::Series(target) = routing.decide(value.kind, clean.as_bytes()) else {
            self.window.tally.dropped_by_rules += 1;
            return;
        };
        if let Some(value) = self.change(value, target.scale, target.sample) {
            let key = target.key.as_deref().unwrap_or(&clean);
            self.time_in(timestamp, value, key.as_bytes(), source);
        }
    }

    /// Keep a value in the series of a key, or in the overflow series.
    fn time_in(&mut self, timestamp: u64, value: Value, key: &[u8], source: &dyn Fn() -> String) {
        let (kind, hash) = (value.kind, self.series.hash(value.kind as u32, key));
        match self.admit_timed(hash, kind, key, source) {
            Ok(groups) if self.timeline.fits(key) => {
                if let Some(groups) = groups {
                    self.timeline.enter(hash, kind, key, groups);
                }
                self.timeline.add(timestamp, key, value);
            }
            Err(limit) => {
                self.refuse(key, kind, source, limit);
                if self.timeline.fits(&self.gate.overflow) {
                    self.timeline.add(timestamp, &self.gate.overflow, value);
                } else {
                    self.window.tally.timed_over_limit += 1;
                }
            }
            Ok(_) => self.window.tally.timed_over_limit += 1,
        }
    }

    /// The groups of what is to count as a series; none for what counts already.
    fn admit_timed(
        &self,
        hash: u64,
        kind: Kind,
        key: &[u8],
        source: &dyn Fn() -> String,
    ) -> Result<Option<Groups>, Limit> {
        let known = |table: &Table| table.find(hash, kind as u32, key).is_some();
        if known(&self.series) || known(&self.timeline.series) {
            return Ok(None);
        }
        self.gate.admit(key, source, &self.hash, &self.shared).map(Some)
    }
}
