//! When series are deleted.
//!
//! Rules:
//!
//! * Deletion is statsd's: with `delete_*` every series of a kind is forgotten at each flush (counters that `keep` names
//!   are not), a gauge when no window has updated it for `gauge_ttl` flushes. `expire` goes before that, a rule before both.

use super::Master;
use crate::aggregates::Kind;
use crate::family::{Fate, State};
use crate::profile::Profiles;
use crate::rules::Rules;
use memchr::memmem;

impl Master {
    /// Delete what the rules say, and open the next window.
    pub(super) fn end(&mut self) {
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

    /// The series deleted by the last merge, by shard number, for `Shard::forget`.
    pub fn dead(&mut self) -> Vec<(usize, Vec<u32>)> {
        let dead = self.shards.iter_mut().map(|known| std::mem::take(&mut known.dead));
        dead.enumerate().filter(|(_, ids)| !ids.is_empty()).collect()
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
