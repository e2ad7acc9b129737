//! Bounds that all shards share.

use crate::rule::Routing;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How much of something is in use, in all shards together.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn full(&self, limit: usize) -> bool {
        self.used.load(Ordering::Relaxed) >= limit
    }

    pub(crate) fn take(&self, count: usize) {
        self.used.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn give(&self, count: usize) {
        self.used.fetch_sub(count, Ordering::Relaxed);
    }

    /// Take as many as `limit` leaves, at most `most`.
    fn take_up_to(&self, most: usize, limit: usize) -> usize {
        let mut taken = 0;
        let take = |used: usize| {
            taken = limit.saturating_sub(used).min(most);
            Some(used + taken)
        };
        // The closure always gives a value, so this cannot fail.
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken
    }
}

/// A shard's part of a budget in a window: taken in advance, so that readers seldom touch what they share.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    left: usize,
    taken: usize,
}

impl Allowance {
    const IN_ADVANCE: usize = 1024;

    /// Whether one more may be used, which then is.
    #[inline]
    pub(crate) fn take(&mut self, budget: &Budget, limit: usize) -> bool {
        if self.left == 0 {
            self.left = budget.take_up_to(Self::IN_ADVANCE, limit);
            self.taken += self.left;
        }
        let fits = self.left > 0;
        self.left -= usize::from(fits);
        fits
    }

    /// Give back what is not used: the limit may be another from now on.
    pub(crate) fn settle(&mut self, budget: &Budget) {
        budget.give(self.left);
        self.taken -= self.left;
        self.left = 0;
    }

    /// Give all back: the window is over.
    pub(crate) fn end(&mut self, budget: &Budget) {
        budget.give(self.taken);
        *self = Self::default();
    }
}

/// How many series there are of each prefix, or from each source, by its hash.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    sizes: Mutex<HashMap<u64, usize>>,
}

impl Groups {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<u64, usize>) -> T) -> T {
        work(&mut self.sizes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn full(&self, group: u64, limit: usize) -> bool {
        self.with(|sizes| sizes.get(&group).is_some_and(|size| *size >= limit))
    }

    pub(crate) fn join(&self, group: u64) {
        self.with(|sizes| *sizes.entry(group).or_default() += 1);
    }

    pub(crate) fn leave(&self, group: u64) {
        self.with(|sizes| match sizes.get_mut(&group) {
            Some(size) if *size > 1 => *size -= 1,
            _ => drop(sizes.remove(&group)),
        });
    }
}

/// What all shards of a master share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) series: Budget,
    /// Bytes of keys.
    pub(crate) keys: Budget,
    pub(crate) prefixes: Groups,
    pub(crate) sources: Groups,
    pub(crate) samples: Budget,
    /// Pages of timers' sketches.
    pub(crate) pages: Budget,
    pub(crate) members: Budget,
    /// Sets' estimates.
    pub(crate) estimates: Budget,
    /// Keys that rules lead elsewhere.
    pub(crate) routes: Budget,
    /// Ways in which tags are written.
    pub(crate) spellings: Budget,
    routing: Mutex<Arc<Routing>>,
    batches: AtomicU32,
}

impl Shared {
    /// The rules in force, compiled.
    pub(crate) fn routing(&self) -> Arc<Routing> {
        Arc::clone(&self.routing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_routing(&self, routing: Routing) {
        *self.routing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(routing);
    }

    /// The next batch's number: tells which of two shards' batches came later. It wraps.
    pub(crate) fn stamp(&self) -> u32 {
        self.batches.fetch_add(1, Ordering::Relaxed)
    }
}

/// Whether a stamp is later than another, given that they lie less than 2^31 batches apart.
pub(crate) const fn later(stamp: u32, other: u32) -> bool {
    stamp != other && stamp.wrapping_sub(other) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_exceeded_and_comes_back() {
        let budget = Budget::default();
        let mut one = Allowance::default();
        let mut other = Allowance::default();
        assert_eq!((0..5000).filter(|_| one.take(&budget, 3000)).count(), 3000);
        assert!(!other.take(&budget, 3000));
        one.end(&budget);
        assert_eq!((0..5000).filter(|_| other.take(&budget, 3000)).count(), 3000);
        other.end(&budget);
        assert!(!budget.full(1) && budget.full(0));
    }

    #[test]
    fn a_group_has_as_many_as_joined_and_did_not_leave() {
        let groups = Groups::default();
        groups.join(1);
        groups.join(1);
        assert!(groups.full(1, 2) && !groups.full(1, 3) && !groups.full(2, 1));
        groups.leave(1);
        assert!(!groups.full(1, 2) && groups.full(1, 1));
        groups.leave(1);
        assert!(!groups.full(1, 1) && groups.with(|sizes| sizes.is_empty()));
    }

    #[test]
    fn stamps_wrap() {
        assert!(later(2, 1) && !later(1, 2) && !later(1, 1));
        assert!(later(3, u32::MAX) && !later(u32::MAX, 3));
    }
}
