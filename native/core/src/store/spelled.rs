//! Names with tags as they come: those seen before lead straight to their series, without a look at their tags.
//!
//! Rules:
//!
//! * The same tags in another order, or written otherwise, are another spelling of the same series. A spelling is known by all its
//!   bytes; it leads where its key leads, and goes by the rules and the life of the series as a route does.
//! * As many are kept as the limit of series, in all shards together, none longer than [`LONGEST`]. A new one takes the place
//!   of one that has not been used of late; where there is none such nearby, it is not kept.

use super::{Sample, Source, Store};
use crate::chunks::Chunks;
use crate::dialect::name;
use crate::index::Index;
use crate::key;
use crate::limit::Budget;
use crate::rule::{LONGEST, Route};

/// In an owner, beside the kind: tags in statsd's own dialect.
const STATSD: u32 = 1 << 2;
/// How many old spellings are looked at to make room for a new one.
const LOOKS: u32 = 8;

/// A name with its tags as they came, of a kind, in a dialect (the owner). One cache line, without its text.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Spelling {
    hash: u64,
    owner: u32,
    name_length: u32,
    text: Box<[u8]>,
    route: Option<Route>,
}

impl Spelling {
    #[inline]
    fn is(&self, owner: u32, name: &[u8], tags: &[u8]) -> bool {
        self.owner == owner
            && self.name_length as usize == name.len()
            && self.text.len() == name.len() + tags.len()
            && self.text[..name.len()] == *name
            && self.text[name.len()..] == *tags
    }
}

/// All spellings that are kept.
#[derive(Debug)]
pub(super) struct Spellings {
    index: Index,
    list: Chunks<Spelling>,
    known: u32,
    free: Vec<u32>,
    hand: u32,
}

impl Spellings {
    pub(super) fn new() -> Self {
        Self { index: Index::new(), list: Chunks::new(), known: 0, free: Vec::new(), hand: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known as usize == self.free.len()
    }

    /// Load the memory where a search for `hash` begins.
    #[inline]
    pub(super) fn touch(&self, hash: u64) -> u64 {
        self.index.touch(hash)
    }

    /// The series that `hash` most likely leads to.
    #[inline]
    pub(super) fn guess(&self, hash: u64) -> Option<u32> {
        let spelling = self.list.get(self.index.find(hash, |_| true)?)?;
        std::hint::black_box((spelling.text.first(), spelling.text.last()));
        spelling.route.as_ref()?.target()
    }

    #[inline]
    fn find(&self, hash: u64, owner: u32, name: &[u8], tags: &[u8]) -> Option<u32> {
        self.index.find(hash, |id| self.list.get(id).is_some_and(|spelling| spelling.is(owner, name, tags)))
    }

    fn add(&mut self, spelling: Spelling, budget: &Budget, most: usize) {
        if budget.full(most) && !self.make_room(budget) {
            return;
        }
        budget.take(1);
        let id = self.free.pop().unwrap_or(self.known);
        self.known = self.known.max(id + 1);
        self.index.insert(spelling.hash, id);
        *self.list.at(id) = spelling;
    }

    fn make_room(&mut self, budget: &Budget) -> bool {
        for _ in 0..LOOKS.min(self.known) {
            self.hand = (self.hand + 1) % self.known;
            if self.list.at(self.hand).route.as_mut().is_some_and(|route| !route.rest()) {
                self.remove(self.hand, budget);
                return true;
            }
        }
        false
    }

    fn remove(&mut self, id: u32, budget: &Budget) {
        self.index.remove(self.list.at(id).hash, id);
        *self.list.at(id) = Spelling::default();
        self.free.push(id);
        budget.give(1);
    }

    /// Forget all.
    pub(super) fn clear(&mut self, budget: &Budget) {
        budget.give(self.known as usize - self.free.len());
        *self = Self::new();
    }
}

impl Store {
    #[inline]
    pub(crate) fn hash_spelled(&self, name: &[u8], tags: &[u8]) -> u64 {
        self.hash.texts(name, tags)
    }

    /// Apply a value of a name with tags.
    #[inline]
    pub(super) fn add_spelled(&mut self, sample: &Sample, name: &[u8], tags: &[u8], text: &[u8], source: Source) {
        let statsd = sample.tags.is_some_and(|tags| tags.statsd);
        let owner = sample.value.kind as u32 | if statsd { STATSD } else { 0 };
        if let Some(id) = self.spellings.find(sample.hash, owner, name, tags) {
            if let Some(route) = self.spellings.list.at(id).route.as_mut().map(Route::used) {
                if self.follow(&route, sample.value, text) {
                    return;
                }
            }
            self.spellings.remove(id, &self.shared.spellings);
        }
        self.spell(sample, owner, name, tags, text, source);
    }

    /// Apply a value of a name with tags that are not known so, and keep where they lead.
    fn spell(&mut self, sample: &Sample, owner: u32, name: &[u8], tags: &[u8], text: &[u8], source: Source) {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        if owner & STATSD != 0 {
            key::join(&mut joined, name, tags);
        } else {
            name::join_listed(&mut joined, name, tags);
        }
        if !key::is_kept(&joined, self.sanitize) {
            let clean = key::clean(&joined, self.sanitize);
            joined.clear();
            joined.extend_from_slice(clean.as_bytes());
        }
        let kind = sample.value.kind as u32;
        let hash = self.series.hash(kind, &joined);
        self.add(&Sample { hash, ..*sample }, &joined, text, source);
        if name.len() + tags.len() <= LONGEST {
            let route = self.leads(hash, kind, &joined);
            if route.is_some() {
                let (text, name_length) = ([name, tags].concat().into(), u32::try_from(name.len()).unwrap_or(u32::MAX));
                let spelling = Spelling { hash: sample.hash, owner, name_length, text, route };
                self.spellings.add(spelling, &self.shared.spellings, self.limits.series);
            }
        }
        self.joined = joined;
    }

    /// Where a key leads that is known.
    fn leads(&mut self, hash: u64, kind: u32, key: &[u8]) -> Option<Route> {
        let found = self.series.find(hash, kind, key);
        let direct = found.filter(|id| self.series.mark(*id) == self.routing.generation);
        direct.map(|id| Route::new(id, self.life(id), 1.0, 1.0)).or_else(|| Some(self.routes.find(hash, kind, key)?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(number: u32) -> Spelling {
        let text = number.to_le_bytes().to_vec().into_boxed_slice();
        Spelling {
            hash: u64::from(number % 7),
            owner: 0,
            name_length: 1,
            text,
            route: Some(Route::new(number, 0, 1.0, 1.0)),
        }
    }

    fn find(spellings: &Spellings, number: u32) -> Option<u32> {
        let text = number.to_le_bytes();
        let id = spellings.find(u64::from(number % 7), 0, &text[..1], &text[1..])?;
        spellings.list.get(id)?.route.as_ref()?.target()
    }

    #[test]
    fn a_spelling_is_one_cache_line() {
        assert_eq!(size_of::<Spelling>(), 64);
    }

    #[test]
    fn hashes_that_collide_do_not_matter() {
        let (mut spellings, budget) = (Spellings::new(), Budget::default());
        (0..1000).for_each(|number| spellings.add(spelling(number), &budget, 1000));
        assert!((0..1000).all(|number| find(&spellings, number) == Some(number)));
        let text = 5_u32.to_le_bytes();
        assert_eq!(spellings.find(5, 1, &text[..1], &text[1..]), None, "another kind");
        assert_eq!(spellings.find(5, 0, &text[..2], &text[2..]), None, "another name");
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let (mut spellings, budget) = (Spellings::new(), Budget::default());
        (0..1000).for_each(|number| spellings.add(spelling(number), &budget, 10));
        assert_eq!((0..1000).filter(|number| find(&spellings, *number) == Some(*number)).count(), 10);
        assert!(spellings.known <= 10 && budget.full(10));
        spellings.clear(&budget);
        assert!(spellings.is_empty() && !budget.full(1) && find(&spellings, 999).is_none());
    }
}
