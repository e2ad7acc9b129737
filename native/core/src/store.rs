//! The series of one shard: which there are, and what the open window holds of them.
//!
//! Rules:
//!
//! * Values are applied in the order in which they came.
//! * Rules are asked once for a key. One that they leave alone leads to the series of its name, whose entry is marked with the
//!   rules' generation; any other has a route. A mark or a route of older rules counts for nothing.

mod count;
mod life;
mod limits;
mod timed;

pub use timed::{Timed, Timeline};

use crate::aggregates::{Kind, Tally};
use crate::chunks::Chunks;
use crate::gate::Gate;
use crate::key;
use crate::limit::{Allowance, Shared};
use crate::rule::{Dice, Route, Routes, Routing, Target, Verdict};
use crate::rules::Rules;
use crate::table::{Hash, Table};
use crate::value::Value;
use crate::window::{Mark, Window};
use limits::Limits;
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
    /// The place of its packet in the batch.
    pub(crate) packet: usize,
}

/// Names the peer of a packet by its place in the batch.
pub(crate) type Source<'a> = &'a dyn Fn(usize) -> String;

/// Values applied together, so that their waits for memory overlap.
pub(crate) const BATCH: usize = 32;
/// Below so many series all is in the cache anyway.
const CACHED: u32 = 4096;
const NONE: u32 = u32::MAX;

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
            self.add(sample, find(sample.key), find(sample.text), source);
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
        if !self.routes.is_empty() {
            self.load_routes(samples);
        }
    }

    fn load_routes(&self, samples: &[Sample]) {
        let sum = samples.iter().fold(0, |sum, sample| sum ^ self.routes.touch(sample.hash));
        black_box(sum);
        for sample in samples {
            let id = self.routes.guess(sample.hash).unwrap_or(NONE);
            black_box(self.window.cells.get(id).map_or(0, |cell| cell.stamp) ^ self.life(id));
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

    fn add_routed(&mut self, sample: &Sample, key: &[u8], text: &[u8]) -> bool {
        let Some((number, route)) = self.routes.find(sample.hash, sample.value.kind as u32, key) else {
            return false;
        };
        let Some(target) = route.target() else {
            self.window.tally.dropped_by_rules += 1;
            return true;
        };
        if self.life(target) != route.life {
            self.routes.remove(number, &self.shared.routes);
            return false;
        }
        if let Some(value) = self.change(sample.value, route.scale, route.sample) {
            self.count(target, value, text);
        }
        true
    }

    /// Apply a value of a key that is new to the rules, which is clean.
    fn add_new(&mut self, sample: &Sample, key: &[u8], text: &[u8], source: Source) {
        let routing = Arc::clone(&self.routing);
        match routing.decide(sample.value.kind, key) {
            Verdict::Drop => {
                self.window.tally.dropped_by_rules += 1;
                self.remember(sample, key, Route::default());
            }
            Verdict::Series(target) => {
                if let Some(value) = self.change(sample.value, target.scale, target.sample) {
                    self.add_to_target(&Sample { value, ..*sample }, key, text, &target, source);
                }
            }
        }
    }

    fn add_to_target(&mut self, sample: &Sample, key: &[u8], text: &[u8], target: &Target, source: Source) {
        let kind = sample.value.kind;
        let own = target.key.as_ref().map_or(key, String::as_bytes);
        let hash = if target.key.is_some() { self.series.hash(kind as u32, own) } else { sample.hash };
        let found = self.series.find(hash, kind as u32, own);
        self.profile = target.profile;
        let Some(id) = found.or_else(|| self.create(&Sample { hash, ..*sample }, own, source)) else {
            let id = self.overflow(kind);
            return self.count(id, sample.value, text);
        };
        self.count(id, sample.value, text);
        if found.is_some() {
            self.settle(id, kind as u32, own);
        }
        if target.is_direct() {
            self.series.set_mark(id, self.routing.generation);
        } else {
            self.remember(sample, key, Route::new(id, self.life(id), target.scale, target.sample));
        }
    }

    fn remember(&mut self, sample: &Sample, key: &[u8], route: Route) {
        let (budget, most) = (&self.shared.routes, self.limits.series);
        self.routes.add(sample.hash, sample.value.kind as u32, key, route, budget, most);
    }

    /// Give a series that older rules made the profile that it has now: that of the first key that leads to it.
    fn settle(&mut self, id: u32, kind: u32, key: &[u8]) {
        let generation = self.routing.generation;
        if self.marks.get(id).is_none_or(|mark| mark.generation != generation) {
            let mark = Mark { profile: self.profile, generation };
            *self.marks.at(id) = mark;
            self.window.bear(id, kind, mark, key);
        }
    }

    fn life(&self, id: u32) -> u32 {
        self.lives.get(id).copied().unwrap_or_default()
    }

    /// A value as a rule changes it; none when it is not among those that are kept.
    #[allow(clippy::float_cmp, reason = "1 is what no rule changes")]
    fn change(&mut self, value: Value, scale: f64, sample: f64) -> Option<Value> {
        if scale == 1.0 && sample == 1.0 {
            return Some(value);
        }
        if matches!(value.kind, Kind::Gauge | Kind::Set) || sample == 1.0 {
            return Some(Value { number: value.number * scale, ..value });
        }
        let keep = self.dice.keeps(sample);
        keep.then(|| Value { number: value.number * scale, weight: value.weight / sample, ..value })
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
