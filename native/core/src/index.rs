//! Finds an id by a hash: open addressing, linear probing.
//!
//! Rules:
//!
//! * A slot holds 32 bits of the hash (the tag) and the id. The caller compares what the id stands for.
//! * The top bits of a hash choose a part; each part grows by itself, so that no growth takes long.
//! * Nothing is left behind by a removal: later slots move up, so that lookups stay short under churn.

const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 6;
/// Slots of a part at first: one cache line.
const FIRST: usize = 8;

/// One part: a power of two of slots, zero where empty, else `tag << 32 | id + 1`.
#[derive(Debug)]
struct Part {
    slots: Vec<u64>,
    used: usize,
}

impl Part {
    fn new() -> Self {
        Self { slots: vec![0; FIRST], used: 0 }
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    fn put(&mut self, slot: u64) {
        let mut place = self.home(tag(slot));
        while self.slots[place] != 0 {
            place = self.next(place);
        }
        self.slots[place] = slot;
    }

    /// Move to twice the slots.
    #[cold]
    fn grow(&mut self) {
        let slots = vec![0; self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, slots) {
            if slot != 0 {
                self.put(slot);
            }
        }
    }

    fn remove(&mut self, slot: u64) {
        let mut hole = self.home(tag(slot));
        while self.slots[hole] != slot {
            if self.slots[hole] == 0 {
                return;
            }
            hole = self.next(hole);
        }
        self.used -= 1;
        let mut place = self.next(hole);
        while self.slots[place] != 0 {
            if self.may_move(place, hole) {
                self.slots[hole] = self.slots[place];
                hole = place;
            }
            place = self.next(place);
        }
        self.slots[hole] = 0;
    }

    /// Whether what stands at `place` would still be found at `hole`, which lies before it.
    fn may_move(&self, place: usize, hole: usize) -> bool {
        let mask = self.slots.len() - 1;
        let wanted = self.home(tag(self.slots[place]));
        place.wrapping_sub(wanted) & mask >= place.wrapping_sub(hole) & mask
    }
}

/// Ids by hash.
#[derive(Debug)]
pub(crate) struct Index {
    parts: Vec<Part>,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::new()).collect() }
    }

    /// Load the slot where the search for `hash` begins.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u64 {
        let part = &self.parts[part(hash)];
        part.slots[part.home(low(hash))]
    }

    /// The first id stored under `hash` (or one that shares its tag) that is the `same`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        let part = &self.parts[part(hash)];
        let wanted = low(hash);
        let mut place = part.home(wanted);
        loop {
            let slot = part.slots[place];
            if slot == 0 {
                return None;
            }
            if tag(slot) == wanted && same(low(slot) - 1) {
                return Some(low(slot) - 1);
            }
            place = part.next(place);
        }
    }

    /// Store an id that is not there yet.
    pub(crate) fn insert(&mut self, hash: u64, id: u32) {
        let part = &mut self.parts[part(hash)];
        if (part.used + 1) * 4 > part.slots.len() * 3 {
            part.grow();
        }
        part.used += 1;
        part.put(slot(hash, id));
    }

    pub(crate) fn remove(&mut self, hash: u64, id: u32) {
        self.parts[part(hash)].remove(slot(hash, id));
    }

    /// Empty the index. A part that had far more room than it needed gives it back.
    pub(crate) fn clear(&mut self) {
        for part in &mut self.parts {
            if part.used * 8 < part.slots.len() {
                *part = Part::new();
            } else {
                part.slots.fill(0);
                part.used = 0;
            }
        }
    }
}

#[inline]
fn part(hash: u64) -> usize {
    usize::try_from(hash >> (u64::BITS - PART_BITS)).unwrap_or(0)
}

#[inline]
fn tag(slot: u64) -> u32 {
    low(slot >> 32)
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low(word: u64) -> u32 {
    word as u32
}

#[inline]
fn slot(hash: u64, id: u32) -> u64 {
    u64::from(low(hash)) << 32 | u64::from(id + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Few distinct hashes, so that slots collide; the index always agrees with a plain map.
        #[test]
        fn agrees_with_a_map(steps in proptest::collection::vec((any::<bool>(), 0_u64..40), 0..400)) {
            let mut index = Index::new();
            let mut map = HashMap::new();
            for (number, (insert, key)) in steps.into_iter().enumerate() {
                let hash = key % 7 * 3;
                let id = u32::try_from(key).unwrap();
                if insert && !map.contains_key(&id) {
                    index.insert(hash, id);
                    map.insert(id, number);
                } else if !insert && map.remove(&id).is_some() {
                    index.remove(hash, id);
                }
                for other in 0..40 {
                    let found = index.find(u64::from(other % 7 * 3), |id| id == other);
                    prop_assert_eq!(found.is_some(), map.contains_key(&other));
                }
            }
            index.clear();
            prop_assert_eq!(index.find(0, |_| true), None);
        }
    }
}
