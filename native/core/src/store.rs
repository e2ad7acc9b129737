//! The series of one shard: which there are, and what the open window holds of them.
//!
//! Rules:
//!
//! * Values are applied in the order in which they came.
//! * A key that is known needs no cleaning and no rules; tags that are known as they came are not even looked at.

mod count;
mod life;
mod limits;
mod load;
mod routed;
mod spelled;
mod timed;

pub use timed::{Timed, Timeline};

use crate::aggregates::Tally;
use crate::chunks::Chunks;
use crate::gate::Gate;
use crate::key;
use crate::limit::{Allowance, Shared};
use crate::rule::{Dice, Routes, Routing};
use crate::rules::Rules;
use crate::table::{Hash, Table};
use crate::value::Value;
use crate::window::{Mark, Window};
use limits::Limits;
use spelled::Spellings;
use std::sync::Arc;

/// Where a text stands: in which of the texts at hand, from where, how long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) place: usize,
    pub(crate) start: usize,
    pub(crate) length: usize,
}

/// A value to be applied. `hash` is the key's, completed by the kind; `text` is a set's member. Where there are tags, the key is
/// a name alone, and the hash that of both as they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) hash: u64,
    pub(crate) value: Value,
    pub(crate) key: Span,
    pub(crate) tags: Option<Tags>,
    pub(crate) text: Span,
    /// The place of its packet in the batch.
    pub(crate) packet: usize,
}

/// Tags as they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags {
    pub(crate) text: Span,
    /// In statsd's own dialect: they join the key as they come.
    pub(crate) statsd: bool,
}

/// Names the peer of a packet by its place in the batch.
pub(crate) type Source<'a> = &'a dyn Fn(usize) -> String;

/// Values applied together, so that their waits for memory overlap.
pub(crate) const BATCH: usize = 32;
/// Below so many series all is in the cache anyway.
const CACHED: u32 = 4096;

/// The series of one shard.
#[derive(Debug)]
pub(crate) struct Store {
    hash: Hash,
    series: Table,
    pub(crate) window: Window,
    shared: Arc<Shared>,
    pub(crate) gate: Gate,
    limits: Limits,
    samples: Allowance,
    pages: Allowance,
    members: Allowance,
    estimates: Allowance,
    /// The batch at hand.
    stamp: u32,
    sanitize: bool,
    routing: Arc<Routing>,
    routes: Routes,
    /// By id the profile that the series was given.
    marks: Chunks<Mark>,
    /// By id how many series had it before.
    lives: Chunks<u32>,
    dice: Dice,
    /// What a series gets that is made now.
    profile: u32,
    timeline: Timeline,
    spellings: Spellings,
    /// A key at hand.
    joined: Vec<u8>,
}

impl Store {
    pub(crate) fn new(number: usize, rules: &Rules, hash: Hash, shared: Arc<Shared>) -> Self {
        Self {
            series: Table::new(hash.clone()),
            window: Window::new(number, hash.clone()),
            routes: Routes::new(hash.clone()),
            routing: shared.routing(),
            marks: Chunks::new(),
            lives: Chunks::new(),
            dice: Dice::default(),
            profile: 0,
            timeline: Timeline::new(hash.clone(), Arc::clone(&shared)),
            spellings: Spellings::new(),
            joined: Vec::new(),
            hash,
            shared,
            gate: Gate::new(rules),
            limits: Limits::from(rules),
            samples: Allowance::default(),
            pages: Allowance::default(),
            members: Allowance::default(),
            estimates: Allowance::default(),
            stamp: 0,
            sanitize: rules.sanitize,
        }
    }

    pub(crate) fn configure(&mut self, rules: &Rules) {
        self.gate.configure(rules);
        self.limits = Limits::from(rules);
        self.samples.settle(&self.shared.samples);
        self.pages.settle(&self.shared.pages);
        self.members.settle(&self.shared.members);
        self.estimates.settle(&self.shared.estimates);
        self.sanitize = rules.sanitize;
        let routing = self.shared.routing();
        if routing.generation != self.routing.generation {
            self.routing = routing;
            self.routes.clear(self.hash.clone(), &self.shared.routes);
            self.spellings.clear(&self.shared.spellings);
        }
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

    /// Apply values in order. `find` gives the text of a span, `source` names the peer of a packet.
    pub(crate) fn apply<'a>(&mut self, samples: &[Sample], find: impl Fn(Span) -> &'a [u8], source: Source) {
        if self.series.known() > CACHED {
            self.load(samples);
        }
        for sample in samples {
            let (key, text) = (find(sample.key), find(sample.text));
            match sample.tags {
                Some(tags) => self.add_spelled(sample, key, find(tags.text), text, source),
                None => self.add(sample, key, text, source),
            }
        }
    }

    /// Apply a value. A key that is known needs no cleaning and no rules, so that only others are looked at.
    fn add(&mut self, sample: &Sample, key: &[u8], text: &[u8], source: Source) {
        if self.add_known(sample, key, text) {
            return;
        }
        if key::is_kept(key, self.sanitize) {
            return self.add_new(sample, key, text, source);
        }
        let clean = key::clean(key, self.sanitize);
        let clean = clean.as_bytes();
        let sample = Sample { hash: self.series.hash(sample.value.kind as u32, clean), ..*sample };
        if !self.add_known(&sample, clean, text) {
            self.add_new(&sample, clean, text, source);
        }
    }

    /// Apply a value if it is known where its key leads.
    #[inline]
    fn add_known(&mut self, sample: &Sample, key: &[u8], text: &[u8]) -> bool {
        let found = self.series.find(sample.hash, sample.value.kind as u32, key);
        if let Some(id) = found.filter(|id| self.series.mark(*id) == self.routing.generation) {
            self.count(id, sample.value, text);
            return true;
        }
        !self.routes.is_empty() && self.add_routed(sample, key, text)
    }

    /// The kind and the key of a series.
    pub(crate) fn series(&self, id: u32) -> (u32, &[u8]) {
        self.series.get(id)
    }

    /// Hand over the window, and go on in an empty one.
    pub(crate) fn swap(&mut self, spare: Window) -> Window {
        self.samples.end(&self.shared.samples);
        self.pages.end(&self.shared.pages);
        self.members.end(&self.shared.members);
        self.estimates.end(&self.shared.estimates);
        self.series.release(&self.window.retired);
        std::mem::replace(&mut self.window, spare)
    }

    /// Hand over the values that came with their own time.
    pub(crate) fn timed(&mut self) -> Timeline {
        std::mem::replace(&mut self.timeline, Timeline::new(self.hash.clone(), Arc::clone(&self.shared)))
    }

    /// Ids given out so far, in use or free.
    #[cfg(test)]
    pub(crate) fn known(&self) -> u32 {
        self.series.known()
    }
}
