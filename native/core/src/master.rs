//! Merges the windows of all shards and owns what lives longer than a window.
//!
//! Rules:
//!
//! * A key and a kind are one series, in whatever shards it is. Keys are looked up once for each series of a shard.
//! * A gauge that several shards set in a window has the value of the latest batch; what moved it later is added.
//! * A series that a rule flushes every so many windows is due when the number of flushes is a multiple of that; what it has
//!   is held until then, within the bounds of one window. Its rate is over the time since it was due.

mod expiry;
mod known;
mod sets;
mod timers;

pub(crate) use known::Known;

use crate::aggregates::{Aggregates, Block, Column, Kind, Tally};
use crate::family::Family;
use crate::limit::{Shared, later};
use crate::profile::Profiles;
use crate::rule::Routing;
use crate::rules::Rules;
use crate::shard::Shard;
use crate::table::Hash;
use crate::top::Finished;
use crate::window::Window;
use std::collections::HashSet;
use std::sync::Arc;

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
