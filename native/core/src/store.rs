//! The series of one shard: which there are, and what the open window holds of them.
//!
//! Rules:
//!
//! * A series keeps its id until the master has deleted it and [`Store::forget`] is told.
//! * A value that a limit refuses leaves no trace but a count: no series is made for it.
//! * Values are applied in the order in which they came.

use crate::aggregates::{Kind, Tally};
use crate::key;
use crate::limit::{Allowance, Shared};
use crate::rules::Rules;
use crate::table::{Hash, Table, owned};
use crate::value::Value;
use crate::window::Window;
use std::hint::black_box;
use std::sync::Arc;

/// Where a text stands: in which of the texts at hand, from where, how long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) place: usize,
    pub(crate) start: usize,
    pub(crate) length: usize,
}

/// A value to be applied. `hash` is the key's, completed by the kind; `text` is a set's member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) hash: u64,
    pub(crate) value: Value,
    pub(crate) key: Span,
    pub(crate) text: Span,
}

/// Values applied together, so that their waits for memory overlap.
pub(crate) const BATCH: usize = 32;
/// Below so many series all is in the cache anyway.
const CACHED: u32 = 4096;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Limits {
    series: usize,
    samples: usize,
    members: usize,
}

impl From<&Rules> for Limits {
    fn from(rules: &Rules) -> Self {
        Self { series: rules.max_series, samples: rules.max_samples, members: rules.max_set_members }
    }
}

/// The series of one shard.
#[derive(Debug)]
pub(crate) struct Store {
    hash: Hash,
    series: Table,
    pub(crate) window: Window,
    shared: Arc<Shared>,
    limits: Limits,
    samples: Allowance,
    members: Allowance,
    /// The batch at hand.
    stamp: u32,
    sanitize: bool,
    /// Whether there may be keys from when they were not cleaned, while now they are.
    mixed: bool,
}

impl Store {
    pub(crate) fn new(number: usize, rules: &Rules, hash: Hash, shared: Arc<Shared>) -> Self {
        Self {
            series: Table::new(hash.clone()),
            window: Window::new(number, hash.clone()),
            hash,
            shared,
            limits: Limits::from(rules),
            samples: Allowance::default(),
            members: Allowance::default(),
            stamp: 0,
            sanitize: rules.sanitize,
            mixed: false,
        }
    }

    pub(crate) fn configure(&mut self, rules: &Rules) {
        self.limits = Limits::from(rules);
        self.mixed |= rules.sanitize && !self.sanitize;
        self.sanitize = rules.sanitize;
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.window.tally
    }

    /// Say that what follows came later than what any shard took in before.
    pub(crate) fn begin(&mut self) {
        self.stamp = self.shared.stamp();
    }

    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        self.hash.text(key)
    }

    /// Apply values in order. `find` gives the text of a span.
    pub(crate) fn apply<'a>(&mut self, samples: &[Sample], find: impl Fn(Span) -> &'a [u8]) {
        if self.series.known() > CACHED {
            self.load(samples);
        }
        for sample in samples {
            self.add(sample, find(sample.key), find(sample.text));
        }
    }

    /// Touch the memory that the values need, without waiting for any of it in turn.
    fn load(&self, samples: &[Sample]) {
        let mut sum = 0;
        for sample in samples {
            sum ^= self.series.touch(sample.hash);
        }
        black_box(sum);
        let mut sum = 0;
        for sample in samples {
            let id = self.series.guess(sample.hash).unwrap_or(NONE);
            sum ^= self.series.touch_text(id) ^ self.window.cells.get(id).map_or(0, |cell| cell.stamp);
        }
        black_box(sum);
    }

    /// Apply a value. A key that is known needs no cleaning, so that only others are looked at.
    fn add(&mut self, sample: &Sample, key: &[u8], text: &[u8]) {
        let kind = sample.value.kind as u32;
        let found = self.series.find(sample.hash, kind, key);
        if (found.is_some() && !self.mixed) || key::is_kept(key, self.sanitize) {
            self.add_to(found, sample, key, text);
            return;
        }
        let clean = key::clean(key, self.sanitize);
        let clean = clean.as_bytes();
        let hash = self.series.hash(kind, clean);
        let found = self.series.find(hash, kind, clean);
        self.add_to(found, &Sample { hash, ..*sample }, clean, text);
    }

    fn add_to(&mut self, found: Option<u32>, sample: &Sample, key: &[u8], text: &[u8]) {
        let Value { kind, number, weight, change } = sample.value;
        if found.is_none() && self.shared.series.full(self.limits.series) {
            self.window.tally.series_over_limit += 1;
            return;
        }
        let id = |store: &mut Self| found.unwrap_or_else(|| store.create(sample, key));
        match kind {
            Kind::Counter => {
                let id = id(self);
                self.window.count(id, number * weight);
            }
            Kind::Timer => {
                if self.samples.take(&self.shared.samples, self.limits.samples) {
                    let id = id(self);
                    self.window.time(id, number, weight);
                } else {
                    self.window.tally.samples_over_limit += 1;
                }
            }
            Kind::Gauge => {
                let id = id(self);
                if change {
                    self.window.change_gauge(id, number, self.stamp);
                } else {
                    self.window.set_gauge(id, number, self.stamp);
                }
            }
            Kind::Set => self.add_member(found, sample, key, if text.is_empty() { b"0" } else { text }),
        }
    }

    fn add_member(&mut self, found: Option<u32>, sample: &Sample, key: &[u8], text: &[u8]) {
        let hash = self.hash.text(text);
        if let Some(id) = found {
            if self.window.members.find(owned(hash, id), id, text).is_some() {
                return;
            }
        }
        if !self.members.take(&self.shared.members, self.limits.members) {
            self.window.tally.members_over_limit += 1;
            return;
        }
        let id = found.unwrap_or_else(|| self.create(sample, key));
        self.window.members.insert(owned(hash, id), id, text);
        self.window.update(id).value += 1.0;
    }

    fn create(&mut self, sample: &Sample, key: &[u8]) -> u32 {
        let kind = sample.value.kind as u32;
        let id = self.series.insert(sample.hash, kind, key);
        self.shared.series.take(1);
        self.window.bear(id, kind, key);
        id
    }

    /// Hand over the window, and go on in an empty one.
    pub(crate) fn swap(&mut self, spare: Window) -> Window {
        self.samples.end(&self.shared.samples);
        self.members.end(&self.shared.members);
        std::mem::replace(&mut self.window, spare)
    }

    /// Free series that the master has deleted. One that was updated since is a new series.
    pub(crate) fn forget(&mut self, ids: &[u32]) {
        for id in ids.iter().copied() {
            if self.window.cells.get(id).is_some_and(|cell| cell.updates() > 0) {
                let (kind, key) = self.series.get(id);
                self.window.bear(id, kind, key);
            } else {
                self.series.remove(id);
                self.shared.series.give(1);
            }
        }
    }

    /// Ids given out so far, in use or free.
    #[cfg(test)]
    pub(crate) fn known(&self) -> u32 {
        self.series.known()
    }
}
