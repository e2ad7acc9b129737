//! Merges the windows of all shards and owns what lives longer than a window.
//!
//! Rules:
//!
//! * A key and a kind are one series, in whatever shards it is. Keys are looked up once for each series of a shard.
//! * A gauge that several shards set in a window has the value of the latest batch; what moved it later is added.
//! * Deletion is statsd's: with `delete_*` every series of a kind is forgotten at each flush (counters that `keep` names
//!   are not), a gauge when no window has updated it for `gauge_ttl` flushes.

use crate::aggregates::{Aggregates, Block, Column, Kind, Tally};
use crate::family::Family;
use crate::limit::Shared;
use crate::rules::Rules;
use crate::shard::Shard;
use crate::table::{Hash, Table};
use crate::timer::Sheet;
use crate::window::Window;
use memchr::memmem;
use std::sync::Arc;

/// What is known of a shard.
#[derive(Debug, Default)]
struct Known {
    /// By id the kind and the series, or nothing.
    series: Vec<Option<(Kind, u32)>>,
    spare: Option<Window>,
    dead: Vec<u32>,
}

impl Known {
    fn find(&self, id: u32) -> Option<(Kind, u32)> {
        self.series.get(id as usize).copied().flatten()
    }

    fn learn(&mut self, id: u32, kind: Kind, series: u32) {
        let least = id as usize + 1;
        if self.series.len() < least {
            self.series.resize(least, None);
        }
        self.series[id as usize] = Some((kind, series));
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
    hash: Hash,
    shared: Arc<Shared>,
    shards: Vec<Known>,
    families: [Family; 4],
    flushes: u32,
    /// Gauges that were restored, and that no shard has counted as one of its series yet.
    restored: usize,
    /// Gauges that could not be restored.
    refused: u64,
}

impl Master {
    /// `seed` should be random, so that hostile keys cannot be made to collide.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        let hash = Hash::new(seed);
        let families = Kind::ALL.map(|kind| Family::new(kind, &hash));
        Self { rules, hash, shared: Arc::default(), shards: Vec::new(), families, flushes: 0, restored: 0, refused: 0 }
    }

    /// Use other rules from the next merge on. Shards are told by `Shard::configure`.
    pub fn configure(&mut self, rules: Rules) {
        self.rules = rules;
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

    /// Merge the finished windows; rates are per second over `seconds`.
    pub fn merge(&mut self, mut finished: Vec<Window>, seconds: f64) -> Aggregates {
        let mut tally = Tally { series_over_limit: std::mem::take(&mut self.refused), ..Tally::default() };
        for window in &mut finished {
            tally.add(&window.tally);
            self.adopt(window);
            self.gather(window);
        }
        self.change_gauges(&finished);
        self.unite_sets(&finished);
        let blocks = self.blocks(&finished, seconds);
        tally.series = blocks.iter().map(|block| block.count as u64).sum();
        self.end();
        self.recycle(finished);
        Aggregates { blocks, tally }
    }

    /// Look the keys up that a shard has seen for the first time.
    fn adopt(&mut self, window: &Window) {
        let known = &mut self.shards[window.shard];
        for (born, key) in window.born() {
            let kind = Kind::ALL[born.kind as usize % Kind::ALL.len()];
            let family = &mut self.families[kind as usize];
            let series = family.series(key);
            family.join(series, window.shard, born.id);
            known.learn(born.id, kind, series);
            self.restored -= usize::from(std::mem::take(&mut family.state(series).restored));
        }
    }

    fn gather(&mut self, window: &mut Window) {
        let known = &self.shards[window.shard];
        for id in &window.touched {
            let cell = std::mem::take(window.cells.at(*id));
            if let Some((kind, series)) = known.find(*id) {
                let family = &mut self.families[kind as usize];
                family.gather(series, cell);
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

    fn blocks(&self, finished: &[Window], seconds: f64) -> Vec<Block> {
        let column = |name: &str, values: Vec<f64>| Column { name: name.to_owned(), values, present: None };
        let [counters, timers, gauges, sets] = &self.families;
        let counts = counters.values();
        let rates = counts.iter().map(|count| count / seconds).collect();
        let blocks = [
            counters.block(vec![column("rate", rates), column("count", counts)]),
            timers.block(self.timers(timers, finished, seconds)),
            gauges.block(vec![column("value", gauges.values())]),
            sets.block(vec![column("count", sets.values())]),
        ];
        blocks.into_iter().flatten().collect()
    }

    /// Lay each timer's samples side by side, and compute.
    fn timers(&self, timers: &Family, finished: &[Window], seconds: f64) -> Vec<Column> {
        let mut ends = vec![0; timers.states.len()];
        let mut total = 0;
        for (series, state) in timers.listed() {
            ends[series as usize] = total;
            total += state.updates as usize;
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
        let mut sheet = Sheet::new(&self.rules, timers.order.len(), seconds);
        let mut rest = samples.as_mut_slice();
        for (row, (series, state)) in timers.listed().enumerate() {
            let (own, after) = rest.split_at_mut(state.updates as usize);
            rest = after;
            sheet.row(row, timers.key(series), own, state.value);
        }
        sheet.finish()
    }

    /// Delete what the rules say, and open the next window.
    fn end(&mut self) {
        let Self { rules, shards, families, flushes, restored, .. } = self;
        let kept = |key: &[u8]| rules.keep.iter().any(|part| memmem::find(key, part.as_bytes()).is_some());
        let ttl = rules.gauge_ttl.max(1);
        for family in families {
            let kind = family.kind;
            family.end(
                |state, key| {
                    let stays = match kind {
                        Kind::Counter => !rules.delete_counters || kept(key),
                        Kind::Timer => !rules.delete_timers,
                        Kind::Set => !rules.delete_sets,
                        Kind::Gauge => !rules.delete_gauges || flushes.wrapping_sub(state.seen) + 1 < ttl,
                    };
                    *restored -= usize::from(!stays && state.restored);
                    stays
                },
                |shard, id| shards[shard].bury(id),
            );
        }
        *flushes = flushes.wrapping_add(1);
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
        (gauges.keys(), gauges.values())
    }

    /// Set gauges that have not been set since the start. What exceeds the limit of series, or cannot be a key, is counted
    /// in the next tally.
    pub fn restore_gauges<'a>(&mut self, gauges: impl IntoIterator<Item = (&'a str, f64)>) {
        let family = &mut self.families[Kind::Gauge as usize];
        for (key, value) in gauges {
            if family.has(key.as_bytes()) {
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
