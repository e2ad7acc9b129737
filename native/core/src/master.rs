//! Merges the windows of all shards and owns what lives longer than a window.
//!
//! Rules:
//!
//! * A key and a kind are one series, in whatever shards it is. Keys are looked up once for each series of a shard.
//! * A gauge that several shards set in a window has the value of the latest batch; what moved it later is added.
//! * Deletion is statsd's: with `delete_*` every series of a kind is forgotten at each flush (counters that `keep` names
//!   are not), a gauge when no window has updated it for `gauge_ttl` flushes. `expire` goes before that, a rule before both.
//! * A series that a rule flushes every so many windows is due when the number of flushes is a multiple of that; what it has
//!   is held until then, within the bounds of one window. Its rate is over the time since it was due.

use crate::aggregates::{Aggregates, Block, Column, Kind, Tally};
use crate::family::{Family, Fate, State};
use crate::hll::Estimate;
use crate::limit::{Shared, later};
use crate::profile::Profiles;
use crate::rule::Routing;
use crate::rules::{Histogram, Rules};
use crate::shard::Shard;
use crate::sketch::{Sketch, Sketches};
use crate::table::{Hash, Table};
use crate::timer::Sheet;
use crate::top::Finished;
use crate::window::Window;
use memchr::memmem;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Timers' sketches, by series.
type Sketched<'a> = HashMap<u32, Vec<(&'a Sketches, &'a Sketch)>>;

/// What is known of a shard.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By id the kind and the series, or nothing.
    series: Vec<Option<(Kind, u32)>>,
    spare: Option<Window>,
    dead: Vec<u32>,
}

impl Known {
    pub(crate) fn find(&self, id: u32) -> Option<(Kind, u32)> {
        self.series.get(id as usize).copied().flatten()
    }

    fn learn(&mut self, id: u32, kind: Kind, series: u32) {
        let least = id as usize + 1;
        if self.series.len() < least {
            self.series.resize(least, None);
        }
        self.series[id as usize] = Some((kind, series));
    }

    /// Forget an id of which the shard knows that it is gone.
    pub(crate) fn disown(&mut self, id: u32) {
        self.series[id as usize] = None;
    }

    fn bury(&mut self, id: u32) {
        self.series[id as usize] = None;
        self.dead.push(id);
    }
}

/// Merges the windows of all shards and owns what lives longer than a window.
#[derive(Debug)]
pub struct Master {
    rules: Rules,
    pub(crate) hash: Hash,
    shared: Arc<Shared>,
    pub(crate) shards: Vec<Known>,
    pub(crate) families: [Family; 4],
    profiles: Profiles,
    flushes: u32,
    /// Gauges that were restored, and that no shard has counted as one of its series yet.
    pub(crate) restored: usize,
    /// Who sent in the window that was merged last.
    pub(crate) finished: Finished,
    /// Gauges that could not be restored.
    refused: u64,
}

impl Master {
    /// `seed` should be random, so that hostile keys cannot be made to collide.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        let hash = Hash::new(seed);
        let families = Kind::ALL.map(|kind| Family::new(kind, &hash));
        let mut master = Self {
            rules: Rules::default(),
            hash,
            shared: Arc::default(),
            shards: Vec::new(),
            families,
            profiles: Profiles::default(),
            flushes: 0,
            restored: 0,
            finished: Finished::default(),
            refused: 0,
        };
        master.shared.set_routing(Routing::new(0, &[], &[], master.rules.sanitize, Vec::new()));
        master.configure(rules);
        master
    }

    /// Use other rules from the next merge on. Shards are told by `Shard::configure`.
    pub fn configure(&mut self, rules: Rules) {
        let routing = self.shared.routing();
        if !routing.is(&rules.rules, &rules.tags, rules.sanitize) {
            let profiles = rules.rules.iter().map(|rule| self.profiles.number(&rule.profile)).collect();
            let generation = routing.generation + 1;
            self.shared.set_routing(Routing::new(generation, &rules.rules, &rules.tags, rules.sanitize, profiles));
        }
        self.rules = rules;
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Make one more shard. Shards live as long as the master; a reader that ends leaves its shard to the next one.
    pub fn shard(&mut self) -> Shard {
        self.shards.push(Known::default());
        Shard::new(self.shards.len() - 1, &self.rules, self.hash.clone(), Arc::clone(&self.shared))
    }

    /// An empty window for `Shard::swap`, best one of that shard's own that was used before.
    pub fn spare(&mut self, shard: usize) -> Window {
        self.shards[shard].spare.take().unwrap_or_else(|| Window::new(shard, self.hash.clone()))
    }

    /// Merge the finished windows; rates are per second over `seconds`. With `last`, every series is due.
    pub fn merge(&mut self, mut finished: Vec<Window>, seconds: f64, last: bool) -> Aggregates {
        let mut tally = Tally { series_over_limit: std::mem::take(&mut self.refused), ..Tally::default() };
        self.profiles.begin(self.flushes, seconds, last);
        for window in &mut finished {
            tally.add(&window.tally);
            self.adopt(window);
            self.gather(window);
        }
        self.change_gauges(&finished);
        self.estimate_sets(&finished);
        self.unite_sets(&finished);
        self.hold_members(&finished);
        let blocks = self.blocks(&finished);
        self.finished = Finished::new(&self.families, &finished);
        tally.series = self.families.iter().map(|family| family.order.len() as u64).sum();
        self.end();
        self.budget_held();
        self.recycle(finished);
        Aggregates { blocks, tally }
    }

    /// Look the keys up that a shard has seen for the first time.
    fn adopt(&mut self, window: &Window) {
        let known = &mut self.shards[window.shard];
        let retired: HashSet<u32> = window.retired.iter().copied().collect();
        for (born, key) in window.born().filter(|(born, _)| !retired.contains(&born.id)) {
            let kind = Kind::ALL[born.kind as usize % Kind::ALL.len()];
            let family = &mut self.families[kind as usize];
            let series = family.series(key);
            family.join(series, window.shard, born.id);
            known.learn(born.id, kind, series);
            let state = family.state(series);
            if !state.listed || later(born.mark.generation, state.mark.generation) {
                state.mark = born.mark;
            }
            self.restored -= usize::from(std::mem::take(&mut state.restored));
        }
    }

    fn gather(&mut self, window: &mut Window) {
        let known = &self.shards[window.shard];
        for id in &window.touched {
            let cell = std::mem::take(window.cells.at(*id));
            if let Some((kind, series)) = known.find(*id) {
                let family = &mut self.families[kind as usize];
                family.gather(series, cell, if kind == Kind::Timer { window.exact(&cell) } else { 0 });
                family.state(series).seen = self.flushes;
            }
        }
    }

    fn change_gauges(&mut self, finished: &[Window]) {
        for window in finished {
            for change in window.changes.iter() {
                if let Some((kind, series)) = self.shards[window.shard].find(change.id) {
                    self.families[kind as usize].change(series, change);
                }
            }
        }
    }

    /// Count what sets have of which any shard has an estimate, or of which one is held.
    fn estimate_sets(&mut self, finished: &[Window]) {
        let Self { shards, families, profiles, shared, .. } = self;
        let sets = &mut families[Kind::Set as usize];
        let mut united = std::mem::take(&mut sets.held.estimates);
        let before = united.len();
        for window in finished {
            for (id, estimate) in &window.estimates {
                if let Some((_, series)) = shards[window.shard].find(*id) {
                    united.entry(series).or_insert_with(Estimate::new).absorb(estimate);
                }
            }
        }
        if united.is_empty() {
            return;
        }
        for window in finished {
            for (id, member) in window.members.iter() {
                let series = shards[window.shard].find(id);
                if let Some(estimate) = series.and_then(|(_, series)| united.get_mut(&series)) {
                    estimate.add(member);
                }
            }
        }
        for (series, estimate) in &mut united {
            sets.held.free_members(*series).iter().for_each(|member| estimate.add(member));
            let state = sets.state(*series);
            state.value = estimate.count();
            state.sharers = 1; // nothing is left to unite
        }
        united.retain(|series, _| !profiles.is_due(&sets.states[*series as usize]));
        shared.estimates.give(before);
        shared.estimates.take(united.len());
        sets.held.estimates = united;
    }

    /// Count the distinct members of sets that more than one shard updated.
    fn unite_sets(&mut self, finished: &[Window]) {
        let sets = &mut self.families[Kind::Set as usize];
        if finished.len() < 2 || sets.listed().all(|(_, state)| state.sharers < 2) {
            return;
        }
        let mut united = Table::new(self.hash.clone());
        for window in finished {
            for (id, member) in window.members.iter() {
                let Some((_, series)) = self.shards[window.shard].find(id) else {
                    continue;
                };
                let hash = united.hash(series, member);
                if sets.state(series).sharers > 1 && united.find(hash, series, member).is_none() {
                    united.insert(hash, series, member);
                }
            }
        }
        sets.states.iter_mut().filter(|state| state.sharers > 1).for_each(|state| state.value = 0.0);
        united.iter().for_each(|(series, _)| sets.state(series).value += 1.0);
    }

    /// Count the distinct members of sets over the windows for which they are held.
    fn hold_members(&mut self, finished: &[Window]) {
        let sets = &mut self.families[Kind::Set as usize];
        if self.profiles.all_due() && sets.held.members.is_empty() {
            return;
        }
        for window in finished {
            for (id, member) in window.members.iter() {
                let Some((_, series)) = self.shards[window.shard].find(id) else {
                    continue;
                };
                let due = self.profiles.is_due(sets.state(series)) && !sets.held.members.contains_key(&series);
                if due || sets.held.estimates.contains_key(&series) {
                    continue;
                }
                let held = sets.held.members.entry(series).or_default();
                if held.insert(member.into()) {
                    self.shared.members.take(1);
                }
                sets.state(series).value = float(held.len());
            }
        }
        for (series, held) in &sets.held.members {
            sets.states[*series as usize].value = float(held.len());
        }
    }

    fn blocks(&mut self, finished: &[Window]) -> Vec<Block> {
        let column = |name: &str, values: Vec<f64>| Column { name: name.to_owned(), values, present: None };
        let timers = self.timers(finished);
        let due = |family: &Family| self.profiles.due(family);
        let [counters, _, gauges, sets] = &self.families;
        let values = |family: &Family, rows: &[u32]| -> Vec<f64> {
            rows.iter().map(|series| family.states[*series as usize].value).collect()
        };
        let rows = due(counters);
        let counts = values(counters, &rows);
        let seconds = rows.iter().map(|series| self.profiles.seconds(&counters.states[*series as usize]));
        let rates = counts.iter().zip(seconds).map(|(count, seconds)| count / seconds).collect();
        let counter = counters.block(&rows, vec![column("rate", rates), column("count", counts)], Vec::new());
        let rows = due(gauges);
        let gauge = gauges.block(&rows, vec![column("value", values(gauges, &rows))], Vec::new());
        let rows = due(sets);
        let set = sets.block(&rows, vec![column("count", values(sets, &rows))], Vec::new());
        counter.into_iter().chain(timers).chain(gauge).chain(set).collect()
    }

    /// Lay each timer's samples side by side, and compute those that are due, a block for each profile.
    fn timers(&mut self, finished: &[Window]) -> Vec<Block> {
        let timers = &self.families[Kind::Timer as usize];
        let mut ends = vec![0; timers.states.len()];
        let mut total = 0;
        for (series, state) in timers.listed() {
            ends[series as usize] = total;
            total += state.exact as usize;
        }
        let mut samples = vec![0.0; total];
        for window in finished {
            for (id, sample) in window.samples.iter() {
                if let Some((_, series)) = self.shards[window.shard].find(id) {
                    let end = &mut ends[series as usize];
                    samples[*end] = sample;
                    *end += 1;
                }
            }
        }
        let beyond = self.beyond(finished);
        self.hold_samples(&ends, &samples, &beyond);
        self.compute(&ends, &mut samples, &beyond)
    }

    /// The sketches of each timer, from whatever shards.
    fn beyond<'a>(&self, finished: &'a [Window]) -> Sketched<'a> {
        let mut found = Sketched::new();
        for window in finished {
            for sketch in window.sketches.iter() {
                if let Some((_, series)) = self.shards[window.shard].find(sketch.id) {
                    found.entry(series).or_default().push((&window.sketches, sketch));
                }
            }
        }
        found
    }

    /// Put the samples of timers that are not due aside.
    fn hold_samples(&mut self, ends: &[usize], samples: &[f64], beyond: &Sketched) {
        let Self { families, profiles, shared, .. } = self;
        let Family { held, order, states, .. } = &mut families[Kind::Timer as usize];
        if profiles.all_due() {
            return;
        }
        for series in order.iter() {
            let state = &states[*series as usize];
            if profiles.is_due(state) {
                continue;
            }
            if state.exact > 0 {
                let end = ends[*series as usize];
                let own = &samples[end - state.exact as usize..end];
                held.samples.entry(*series).or_default().extend_from_slice(own);
                shared.samples.take(own.len());
            }
            if let Some(parts) = beyond.get(series) {
                let sketches = held.sketches.entry(*series).or_default();
                let before = sketches.pages();
                sketches.gather(&[], parts);
                shared.pages.take(sketches.pages() - before);
            }
        }
    }

    fn compute(&mut self, ends: &[usize], samples: &mut [f64], beyond: &Sketched) -> Vec<Block> {
        let Self { profiles, families, rules, .. } = self;
        let timers = &mut families[Kind::Timer as usize];
        let rows = profiles.due(timers);
        let mut held = std::mem::take(&mut timers.held);
        let blocks = profiles.split(&rows, timers).into_iter().filter_map(|(profile, rows)| {
            let mut sheet = Sheet::new(&tailored(rules, profiles, profile), rows.len(), profiles.seconds_of(profile));
            for series in &rows {
                let (state, end) = (&timers.states[*series as usize], ends[*series as usize]);
                let own = &mut samples[end - state.exact as usize..end];
                let (mut before, sketches) = held.free(*series);
                let mut parts = beyond.get(series).cloned().unwrap_or_default();
                parts.extend(sketches.as_ref().and_then(|sketches| Some((sketches, sketches.get(0)?))));
                let own = if before.is_empty() {
                    own
                } else {
                    before.extend_from_slice(own);
                    &mut before
                };
                sheet.add(timers.key(*series), own, &parts, state.value);
            }
            let (columns, sketches) = sheet.finish();
            timers.block(&rows, columns, sketches)
        });
        let blocks = blocks.collect();
        timers.held = held;
        blocks
    }

    /// Delete what the rules say, and open the next window.
    fn end(&mut self) {
        let Self { rules, shards, families, profiles, flushes, restored, .. } = self;
        for family in families {
            let kind = family.kind;
            for series in profiles.due(family) {
                family.held.free(series);
            }
            family.end(
                |state, key| {
                    let fate = if profiles.is_due(state) {
                        fate(rules, profiles, kind, state, key, *flushes)
                    } else {
                        Fate::Hold
                    };
                    *restored -= usize::from(fate == Fate::Delete && state.restored);
                    fate
                },
                |shard, id| shards[shard].bury(id),
            );
        }
        *flushes = flushes.wrapping_add(1);
    }

    /// Give back what was held and is no longer.
    fn budget_held(&mut self) {
        for family in &mut self.families {
            let freed = std::mem::take(&mut family.held.freed);
            self.shared.samples.give(freed.samples);
            self.shared.pages.give(freed.pages);
            self.shared.members.give(freed.members);
            self.shared.estimates.give(freed.estimates);
        }
    }

    fn recycle(&mut self, finished: Vec<Window>) {
        for mut window in finished {
            window.clear();
            let shard = window.shard;
            self.shards[shard].spare = Some(window);
        }
    }

    /// The series deleted by the last merge, by shard number, for `Shard::forget`.
    pub fn dead(&mut self) -> Vec<(usize, Vec<u32>)> {
        let dead = self.shards.iter_mut().map(|known| std::mem::take(&mut known.dead));
        dead.enumerate().filter(|(_, ids)| !ids.is_empty()).collect()
    }

    /// The gauges as of the last merge: keys joined by newlines, and their values.
    #[must_use]
    pub fn gauges(&self) -> (Vec<u8>, Vec<f64>) {
        let gauges = &self.families[Kind::Gauge as usize];
        (gauges.keys(), gauges.listed().map(|(_, state)| state.value).collect())
    }

    /// Set gauges that have not been set since the start. What exceeds the limit of series, or cannot be a key, is counted
    /// in the next tally.
    pub fn restore_gauges<'a>(&mut self, gauges: impl IntoIterator<Item = (&'a str, f64)>) {
        let family = &mut self.families[Kind::Gauge as usize];
        for (key, value) in gauges {
            if family.find(key.as_bytes()).is_some() {
                continue;
            }
            if key.contains('\n') || self.shared.series.full(self.rules.max_series.saturating_sub(self.restored)) {
                self.refused += 1;
                continue;
            }
            let series = family.series(key.as_bytes());
            self.restored += 1;
            family.list(series);
            let state = family.state(series);
            state.value = value;
            state.seen = self.flushes;
            state.restored = true;
        }
    }
}

/// What becomes of a series that was due.
fn fate(rules: &Rules, profiles: &Profiles, kind: Kind, state: &State, key: &[u8], flushes: u32) -> Fate {
    let expire = &rules.expire;
    let kept = || rules.keep.iter().any(|part| memmem::find(key, part.as_bytes()).is_some());
    let (most, deleted) = match kind {
        Kind::Counter => (expire.counters, rules.delete_counters),
        Kind::Timer => (expire.timers, rules.delete_timers),
        Kind::Set => (expire.sets, rules.delete_sets),
        Kind::Gauge => (expire.gauges, rules.delete_gauges),
    };
    let usual = if kind == Kind::Gauge { rules.gauge_ttl.max(1) } else { 1 };
    let most = match (profiles.get(state.mark.profile).expire, most, deleted) {
        (Some(own), _, _) => own,
        (None, 0, false) => 0,
        (None, _, _) if kind == Kind::Counter && kept() => 0,
        (None, 0, true) => usual,
        (None, ..) => most,
    };
    let reported = flushes.wrapping_sub(state.seen).saturating_add(1);
    if most == 0 || reported < most { Fate::Stay } else { Fate::Delete }
}

/// The settings as a profile has them.
fn tailored(rules: &Rules, profiles: &Profiles, profile: u32) -> Rules {
    let profile = profiles.get(profile);
    let mut own = Rules {
        percentiles: profile.percentiles.clone().unwrap_or_else(|| rules.percentiles.clone()),
        histograms: rules.histograms.clone(),
        timer_statistics: profile.statistics.clone().unwrap_or_else(|| rules.timer_statistics.clone()),
        sketch: profile.sketch.unwrap_or(rules.sketch),
        cumulative: profile.cumulative.unwrap_or(rules.cumulative),
        ..Rules::default()
    };
    if let Some(bins) = profile.histogram.clone() {
        own.histograms = vec![Histogram { pattern: String::new(), bins }];
    }
    own
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: usize) -> f64 {
    count as f64
}
