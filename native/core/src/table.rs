//! Texts by number: each distinct `(owner, text)` has an id, which is free again once it is removed.

use crate::chunks::Chunks;
use crate::index::Index;
use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

/// Texts up to this long stand in the entry itself, which then is one cache line.
const SHORT: usize = 55;
/// Marks an entry that is free.
const NOBODY: u32 = u32::MAX;
/// Spreads owners over the hashes. Odd, so that no two owners fall together.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes texts so that nobody outside can make them collide.
#[derive(Clone, Debug)]
pub(crate) struct Hash {
    state: SeedableRandomState,
}

impl Hash {
    pub(crate) fn new(seed: u64) -> Self {
        static SHARED: OnceLock<SharedSeed> = OnceLock::new();
        let shared = SHARED.get_or_init(|| SharedSeed::from_u64(seed));
        Self { state: SeedableRandomState::with_seed(seed, shared) }
    }

    /// The hash of a text, to be completed by [`owned`].
    #[inline]
    pub(crate) fn text(&self, text: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// The hash of two texts, to be completed by [`owned`].
    #[inline]
    pub(crate) fn texts(&self, one: &[u8], other: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write(one);
        hasher.write(other);
        hasher.finish()
    }
}

/// The hash of a text that belongs to `owner`.
#[inline]
pub(crate) fn owned(hash: u64, owner: u32) -> u64 {
    hash.wrapping_add(SPREAD.wrapping_mul(u64::from(owner)))
}

#[derive(Debug)]
enum Text {
    Short([u8; SHORT]),
    Long(Box<[u8]>),
}

/// One text. Of a long one, the length is not used.
#[derive(Debug)]
#[repr(align(64))]
struct Entry {
    owner: u32,
    /// The low byte is the length, the rest the mark.
    length_and_mark: u32,
    text: Text,
}

impl Default for Entry {
    fn default() -> Self {
        Self { owner: NOBODY, length_and_mark: 0, text: Text::Short([0; SHORT]) }
    }
}

impl Entry {
    fn new(owner: u32, bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        let Some(room) = short.get_mut(..bytes.len()) else {
            return Self { owner, length_and_mark: 0, text: Text::Long(bytes.into()) };
        };
        room.copy_from_slice(bytes);
        Self { owner, length_and_mark: u32::try_from(bytes.len()).unwrap_or(0), text: Text::Short(short) }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match &self.text {
            Text::Short(bytes) => bytes.get(..self.length_and_mark as usize & 0xff).unwrap_or(bytes),
            Text::Long(bytes) => bytes,
        }
    }
}

/// Texts by number.
#[derive(Debug)]
pub(crate) struct Table {
    hash: Hash,
    index: Index,
    entries: Chunks<Entry>,
    /// Ids given out so far, in use or free.
    known: u32,
    free: Vec<u32>,
}

impl Table {
    pub(crate) fn new(hash: Hash) -> Self {
        Self { hash, index: Index::new(), entries: Chunks::new(), known: 0, free: Vec::new() }
    }

    /// Ids given out so far, in use or free: all ids are below.
    pub(crate) fn known(&self) -> u32 {
        self.known
    }

    #[inline]
    pub(crate) fn hash(&self, owner: u32, text: &[u8]) -> u64 {
        owned(self.hash.text(text), owner)
    }

    /// Load the memory where a search for `hash` begins.
    #[inline]
    pub(crate) fn touch(&self, hash: u64) -> u64 {
        self.index.touch(hash)
    }

    /// The id that a search for `hash` most likely gives, without a look at its text.
    #[inline]
    pub(crate) fn guess(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true)
    }

    /// Load the memory of an id's text.
    #[inline]
    pub(crate) fn touch_text(&self, id: u32) -> u32 {
        self.entries.get(id).map_or(0, |entry| entry.owner)
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, owner: u32, text: &[u8]) -> Option<u32> {
        let same = |id| self.entries.get(id).is_some_and(|entry| entry.owner == owner && entry.bytes() == text);
        self.index.find(hash, same)
    }

    /// What an id is marked with: 0 at first.
    #[inline]
    pub(crate) fn mark(&self, id: u32) -> u32 {
        self.entries.get(id).map_or(0, |entry| entry.length_and_mark >> 8)
    }

    /// Mark an id, with 24 bits.
    pub(crate) fn set_mark(&mut self, id: u32, mark: u32) {
        let entry = self.entries.at(id);
        entry.length_and_mark = entry.length_and_mark & 0xff | mark << 8;
    }

    /// Whether an id is in use.
    pub(crate) fn holds(&self, id: u32) -> bool {
        self.get(id).0 != NOBODY
    }

    /// Add a text that is not there yet.
    pub(crate) fn insert(&mut self, hash: u64, owner: u32, text: &[u8]) -> u32 {
        let id = self.free.pop().unwrap_or(self.known);
        self.known = self.known.max(id + 1);
        *self.entries.at(id) = Entry::new(owner, text);
        self.index.insert(hash, id);
        id
    }

    /// The owner and the text of an id.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> (u32, &[u8]) {
        self.entries.get(id).map_or((NOBODY, &[]), |entry| (entry.owner, entry.bytes()))
    }

    /// Free an id.
    pub(crate) fn remove(&mut self, id: u32) {
        if self.take_out(id) {
            self.free.push(id);
        }
    }

    /// Forget a text; its id is not free before it is released. Says whether there was one.
    pub(crate) fn take_out(&mut self, id: u32) -> bool {
        let (owner, text) = self.get(id);
        let there = owner != NOBODY;
        if there {
            self.index.remove(self.hash(owner, text), id);
            *self.entries.at(id) = Entry::default();
        }
        there
    }

    /// Free ids whose texts were taken out.
    pub(crate) fn release(&mut self, ids: &[u32]) {
        self.free.extend_from_slice(ids);
    }

    /// All ids in use, with their owners and texts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..self.known).map(|id| self.get(id)).filter(|(owner, _)| *owner != NOBODY)
    }

    /// Forget all texts. Long ones give their memory back.
    pub(crate) fn clear(&mut self) {
        for id in 0..self.known {
            let entry = self.entries.at(id);
            if matches!(entry.text, Text::Long(_)) {
                *entry = Entry::default();
            }
            entry.owner = NOBODY;
        }
        self.index.clear();
        self.free.clear();
        self.known = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(table: &mut Table, owner: u32, text: &[u8]) -> u32 {
        let hash = table.hash(owner, text);
        table.find(hash, owner, text).unwrap_or_else(|| table.insert(hash, owner, text))
    }

    #[test]
    fn an_entry_is_one_cache_line() {
        assert_eq!(size_of::<Entry>(), 64);
    }

    #[test]
    fn texts_of_any_length_have_one_id_an_owner() {
        let mut table = Table::new(Hash::new(1));
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 5000] {
            let text = vec![b'x'; length];
            let id = add(&mut table, 0, &text);
            assert_eq!(add(&mut table, 0, &text), id);
            assert_ne!(add(&mut table, 1, &text), id);
            assert_eq!(table.get(id), (0, text.as_slice()));
        }
        assert_eq!(table.known(), 12);
    }

    #[test]
    fn a_removed_id_is_used_again() {
        let mut table = Table::new(Hash::new(1));
        for round in 0_u32..10_000 {
            let id = add(&mut table, 0, &round.to_le_bytes());
            assert!(id < 2);
            if round > 0 {
                table.remove(1 - id);
            }
        }
        table.clear();
        assert_eq!(table.iter().count(), 0);
        assert_eq!(add(&mut table, 0, b"new"), 0);
    }
}
