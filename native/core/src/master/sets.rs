//! Sets over all shards, and over the windows for which their members are held.
//!
//! Rules:
//!
//! * A set of which any shard has an estimate is estimated; of any other the distinct members are counted.

use super::Master;
use crate::aggregates::Kind;
use crate::hll::Estimate;
use crate::table::Table;
use crate::window::Window;

impl Master {
    /// Count what sets have of which any shard has an estimate, or of which one is held.
    pub(super) fn estimate_sets(&mut self, finished: &[Window]) {
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
    pub(super) fn unite_sets(&mut self, finished: &[Window]) {
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
    pub(super) fn hold_members(&mut self, finished: &[Window]) {
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
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: usize) -> f64 {
    count as f64
}
