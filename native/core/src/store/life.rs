//! How series come and go.
//!
//! Rules:
//!
//! * A series keeps its id until the master has deleted it and [`Store::forget`] is told.
//! * The overflow series of a kind takes what a limit refuses; no limit refuses it.

use super::{Sample, Source, Store};
use crate::aggregates::Kind;
use crate::gate::{Groups, Limit};
use crate::window::Mark;

impl Store {
    /// Make a series, unless a limit refuses it.
    pub(super) fn create(&mut self, sample: &Sample, key: &[u8], source: Source) -> Option<u32> {
        let (kind, peer) = (sample.value.kind, || source(sample.packet));
        match self.gate.admit(key, &peer, &self.hash, &self.shared) {
            Ok(groups) => {
                let id = self.bear(kind, sample.hash, key);
                self.gate.enter(id, key, groups, &self.shared);
                Some(id)
            }
            Err(limit) => {
                self.refuse(key, kind, &peer, limit);
                None
            }
        }
    }

    /// Count a value whose series a limit refuses.
    pub(super) fn refuse(&mut self, key: &[u8], kind: Kind, source: &dyn Fn() -> String, limit: Limit) {
        limit.count(&mut self.window.tally);
        self.gate.note(key, kind, source, limit);
    }

    /// The overflow series of a kind, which no limit refuses.
    #[cold]
    pub(super) fn overflow(&mut self, kind: Kind) -> u32 {
        self.profile = 0;
        let key = std::mem::take(&mut self.gate.overflow);
        let hash = self.series.hash(kind as u32, &key);
        let id = self.series.find(hash, kind as u32, &key).unwrap_or_else(|| {
            let id = self.bear(kind, hash, &key);
            self.gate.enter(id, &key, Groups::default(), &self.shared);
            id
        });
        self.gate.overflow = key;
        id
    }

    fn bear(&mut self, kind: Kind, hash: u64, key: &[u8]) -> u32 {
        let id = self.series.insert(hash, kind as u32, key);
        let mark = Mark { profile: self.profile, generation: self.routing.generation };
        if mark.generation > 0 {
            *self.marks.at(id) = mark;
        }
        self.window.bear(id, kind as u32, mark, key);
        id
    }

    /// Delete a series. Its id goes to no other one before the next window, since this one still holds what it took in.
    pub(crate) fn delete(&mut self, kind: u32, key: &[u8]) -> bool {
        let Some(id) = self.series.find(self.series.hash(kind, key), kind, key) else {
            return false;
        };
        self.gate.leave(id, key, &self.shared);
        self.series.take_out(id);
        self.window.retired.push(id);
        self.end_life(id);
        true
    }

    /// Free series that the master has deleted. One that was updated since is a new series.
    pub(crate) fn forget(&mut self, ids: &[u32]) {
        for id in ids.iter().copied() {
            if self.window.cells.get(id).is_some_and(|cell| cell.updates() > 0) {
                let (kind, key) = self.series.get(id);
                self.window.bear(id, kind, self.marks.get(id).copied().unwrap_or_default(), key);
            } else {
                self.gate.leave(id, self.series.get(id).1, &self.shared);
                self.series.remove(id);
                self.end_life(id);
            }
        }
    }

    /// Let no route lead to a series that is gone.
    fn end_life(&mut self, id: u32) {
        if !(self.routes.is_empty() && self.spellings.is_empty()) {
            *self.lives.at(id) += 1;
        }
    }
}
