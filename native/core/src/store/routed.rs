//! Where keys lead by the rules, and what becomes of values on the way.
//!
//! Rules:
//!
//! * Rules are asked once for a key. One that they leave alone leads to the series of its name, whose entry is marked with the
//!   rules' generation; any other has a route. A mark or a route of older rules counts for nothing.

use super::{Sample, Source, Store};
use crate::aggregates::Kind;
use crate::rule::{Route, Target, Verdict};
use crate::value::Value;
use crate::window::Mark;
use std::sync::Arc;

impl Store {
    pub(super) fn add_routed(&mut self, sample: &Sample, key: &[u8], text: &[u8]) -> bool {
        let Some((number, route)) = self.routes.find(sample.hash, sample.value.kind as u32, key) else {
            return false;
        };
        let there = self.follow(&route, sample.value, text);
        if !there {
            self.routes.remove(number, &self.shared.routes);
        }
        there
    }

    /// Apply a value where its route leads, unless that is gone.
    #[inline]
    pub(super) fn follow(&mut self, route: &Route, value: Value, text: &[u8]) -> bool {
        let Some(target) = route.target() else {
            self.window.tally.dropped_by_rules += 1;
            return true;
        };
        if self.life(target) != route.life {
            return false;
        }
        if let Some(value) = self.change(value, route.scale, route.sample) {
            self.count(target, value, text);
        }
        true
    }

    /// Apply a value of a key that is new to the rules, which is clean.
    pub(super) fn add_new(&mut self, sample: &Sample, key: &[u8], text: &[u8], source: Source) {
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

    pub(super) fn life(&self, id: u32) -> u32 {
        self.lives.get(id).copied().unwrap_or_default()
    }

    /// A value as a rule changes it; none when it is not among those that are kept.
    #[allow(clippy::float_cmp, reason = "1 is what no rule changes")]
    pub(super) fn change(&mut self, value: Value, scale: f64, sample: f64) -> Option<Value> {
        if scale == 1.0 && sample == 1.0 {
            return Some(value);
        }
        if matches!(value.kind, Kind::Gauge | Kind::Set) || sample == 1.0 {
            return Some(Value { number: value.number * scale, ..value });
        }
        let keep = self.dice.keeps(sample);
        keep.then(|| Value { number: value.number * scale, weight: value.weight / sample, ..value })
    }
}
