//! Keys that lead elsewhere, or nowhere, so that rules are asked once.
//!
//! Rules:
//!
//! * As many are kept as the limit of series, in all shards together, none whose key is longer than [`LONGEST`]. A new one takes the place of one that has not been
//!   used of late; where there is none such nearby, the rules are asked again.

use crate::chunks::Chunks;
use crate::limit::Budget;
use crate::table::{Hash, Table};

/// Bytes of a key that is kept.
pub(crate) const LONGEST: usize = 512;
/// How many old routes are looked at to make room for a new one.
const LOOKS: u32 = 8;
/// Stands for no series.
const NOWHERE: u32 = u32::MAX;

/// Where a key leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    target: u32,
    /// Tells the target from later series with its id.
    pub(crate) life: u32,
    pub(crate) scale: f64,
    pub(crate) sample: f64,
    used: bool,
}

impl Default for Route {
    fn default() -> Self {
        Self { target: NOWHERE, life: 0, scale: 1.0, sample: 1.0, used: false }
    }
}

impl Route {
    pub(crate) fn new(target: u32, life: u32, scale: f64, sample: f64) -> Self {
        Self { target, life, scale, sample, used: false }
    }

    /// The route, which is used now.
    #[inline]
    pub(crate) fn used(&mut self) -> Self {
        self.used = true;
        *self
    }

    /// Whether it was used since it was last asked.
    pub(crate) fn rest(&mut self) -> bool {
        std::mem::take(&mut self.used)
    }

    /// The series' id; none: values are dropped.
    pub(crate) fn target(&self) -> Option<u32> {
        (self.target != NOWHERE).then_some(self.target)
    }
}

/// Routes by kind and key.
#[derive(Debug)]
pub(crate) struct Routes {
    keys: Table,
    list: Chunks<Route>,
    used: usize,
    hand: u32,
}

impl Routes {
    pub(crate) fn new(hash: Hash) -> Self {
        Self { keys: Table::new(hash), list: Chunks::new(), used: 0, hand: 0 }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Load the memory where a search for `hash` begins.
    pub(crate) fn touch(&self, hash: u64) -> u64 {
        self.keys.touch(hash)
    }

    /// The series that `hash` most likely leads to; its route is loaded.
    pub(crate) fn guess(&self, hash: u64) -> Option<u32> {
        let id = self.keys.guess(hash)?;
        self.keys.touch_text(id);
        self.list.get(id).map(|route| route.target)
    }

    /// The route of a key, with its number.
    #[inline]
    pub(crate) fn find(&mut self, hash: u64, kind: u32, key: &[u8]) -> Option<(u32, Route)> {
        let id = self.keys.find(hash, kind, key)?;
        Some((id, self.list.at(id).used()))
    }

    /// Keep a route of a key that has none, if there is room.
    pub(crate) fn add(&mut self, hash: u64, kind: u32, key: &[u8], route: Route, budget: &Budget, most: usize) {
        if key.len() > LONGEST || budget.full(most) && !self.make_room(budget) {
            return;
        }
        budget.take(1);
        self.used += 1;
        let id = self.keys.insert(hash, kind, key);
        *self.list.at(id) = route;
    }

    fn make_room(&mut self, budget: &Budget) -> bool {
        for _ in 0..LOOKS.min(self.keys.known()) {
            self.hand = (self.hand + 1) % self.keys.known();
            if !self.list.at(self.hand).rest() && self.keys.holds(self.hand) {
                self.remove(self.hand, budget);
                return true;
            }
        }
        false
    }

    pub(crate) fn remove(&mut self, id: u32, budget: &Budget) {
        self.keys.remove(id);
        self.used -= 1;
        budget.give(1);
    }

    /// Forget all routes.
    pub(crate) fn clear(&mut self, hash: Hash, budget: &Budget) {
        budget.give(self.used);
        *self = Self::new(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_route_takes_the_place_of_one_that_is_not_used() {
        let hash = Hash::new(1);
        let (mut routes, budget) = (Routes::new(hash.clone()), Budget::default());
        let key = |number: u32| number.to_le_bytes();
        let find = |routes: &mut Routes, number: u32| routes.find(hash.text(&key(number)), 0, &key(number)).is_some();
        for number in 0..1000 {
            routes.add(hash.text(&key(number)), 0, &key(number), Route::default(), &budget, 4);
            assert!(number == 0 || find(&mut routes, 0), "one that is in use stays");
        }
        assert_eq!((0..1000).filter(|number| find(&mut routes, *number)).count(), 4);
        routes.clear(hash.clone(), &budget);
        assert!(routes.is_empty() && !budget.full(1));
        let long = [b'x'; LONGEST + 1];
        routes.add(hash.text(&long), 0, &long, Route::default(), &budget, 4);
        assert!(routes.is_empty(), "a key that is too long takes no memory");
    }
}
