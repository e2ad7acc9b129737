//! All series of one kind, as the master knows them.
//!
//! Rules:
//!
//! * A series is listed from its first update (or its restoring) until it is deleted; `order` holds the listed ones in the
//!   order in which they were listed.
//! * What a window brought is gathered in the series' states, read into a block, and cleared again. Of series that are not
//!   due at every flush it is held until they are: sums in the states, samples and members in [`Held`].

use crate::aggregates::{Block, Column, Kind};
use crate::hll::Estimate;
use crate::limit::later;
use crate::sketch::Sketches;
use crate::table::{Hash, Table};
use crate::window::{Cell, Change, Mark, moved};
use std::collections::{HashMap, HashSet};

/// Stands for no id.
const NONE: u32 = u32::MAX;

/// What a series has: in this window, and for a gauge for good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// As in [`Cell`]; a gauge's value lasts.
    pub(crate) value: f64,
    /// In this window.
    pub(crate) updates: u32,
    /// A timer's samples in this window, without those in sketches.
    pub(crate) exact: u32,
    /// How many shards updated it in this window.
    pub(crate) sharers: u16,
    pub(crate) listed: bool,
    /// Set in this window, by the batch `stamp`.
    is_set: bool,
    stamp: u32,
    /// The number of the last flush that brought a gauge an update.
    pub(crate) seen: u32,
    /// How it is computed and kept.
    pub(crate) mark: Mark,
    /// Restored, and not yet counted by any shard as one of its series.
    pub(crate) restored: bool,
}

/// What series have that are not due yet, by series.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) samples: HashMap<u32, Vec<f64>>,
    /// What is beyond the bound on exact samples.
    pub(crate) sketches: HashMap<u32, Sketches>,
    pub(crate) members: HashMap<u32, HashSet<Box<[u8]>>>,
    /// What is beyond the bound on exact members.
    pub(crate) estimates: HashMap<u32, Estimate>,
    pub(crate) freed: Freed,
}

/// What was let go since it was last asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Freed {
    pub(crate) samples: usize,
    pub(crate) pages: usize,
    pub(crate) members: usize,
    pub(crate) estimates: usize,
}

impl Held {
    /// Let go of what is held of a series. Gives what a timer had.
    pub(crate) fn free(&mut self, series: u32) -> (Vec<f64>, Option<Sketches>) {
        let samples = self.samples.remove(&series).unwrap_or_default();
        let sketches = self.sketches.remove(&series);
        self.freed.samples += samples.len();
        self.freed.pages += sketches.as_ref().map_or(0, Sketches::pages);
        self.free_members(series);
        self.freed.estimates += usize::from(self.estimates.remove(&series).is_some());
        (samples, sketches)
    }

    /// Let go of a set's members, but not of its estimate.
    pub(crate) fn free_members(&mut self, series: u32) -> HashSet<Box<[u8]>> {
        let members = self.members.remove(&series).unwrap_or_default();
        self.freed.members += members.len();
        members
    }
}

/// What becomes of a series at the end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not due: what it has is held.
    Hold,
    Stay,
    Delete,
}

impl State {
    /// Gather what one shard has in this window.
    pub(crate) fn gather(&mut self, kind: Kind, cell: Cell) {
        self.updates = self.updates.saturating_add(cell.updates());
        self.sharers = self.sharers.saturating_add(1);
        match kind {
            Kind::Counter => self.value = moved(self.value, cell.value),
            Kind::Timer | Kind::Set => self.value += cell.value,
            Kind::Gauge => {
                if cell.is_set() && (!self.is_set || later(cell.stamp, self.stamp)) {
                    self.value = cell.value;
                    self.stamp = cell.stamp;
                    self.is_set = true;
                }
            }
        }
    }

    /// Move a gauge, unless it was set later.
    pub(crate) fn change(&mut self, change: Change) {
        if !self.is_set || later(change.stamp, self.stamp) {
            self.value = moved(self.value, change.by);
        }
    }
}

/// All series of one kind.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: Kind,
    names: Table,
    pub(crate) states: Vec<State>,
    pub(crate) order: Vec<u32>,
    /// By shard and series the id that the series has there.
    ids: Vec<Vec<u32>>,
    pub(crate) held: Held,
}

impl Family {
    pub(crate) fn new(kind: Kind, hash: &Hash) -> Self {
        let names = Table::new(hash.clone());
        Self { kind, names, states: Vec::new(), order: Vec::new(), ids: Vec::new(), held: Held::default() }
    }

    /// The series of a key.
    pub(crate) fn series(&mut self, key: &[u8]) -> u32 {
        let hash = self.names.hash(0, key);
        let series = self.names.find(hash, 0, key).unwrap_or_else(|| self.names.insert(hash, 0, key));
        self.states.resize(self.names.known() as usize, State::default());
        series
    }

    /// The series of a key, if it has one.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        self.names.find(self.names.hash(0, key), 0, key)
    }

    pub(crate) fn key(&self, series: u32) -> &[u8] {
        self.names.get(series).1
    }

    pub(crate) fn state(&mut self, series: u32) -> &mut State {
        &mut self.states[series as usize]
    }

    /// Note that a shard knows a series by an id.
    pub(crate) fn join(&mut self, series: u32, shard: usize, id: u32) {
        if self.ids.len() <= shard {
            self.ids.resize_with(shard + 1, Vec::new);
        }
        let ids = &mut self.ids[shard];
        if ids.len() < self.states.len() {
            ids.resize(self.states.len(), NONE);
        }
        ids[series as usize] = id;
    }

    /// Gather what one shard has of a series in this window; of a timer it has `exact` samples outside a sketch.
    pub(crate) fn gather(&mut self, series: u32, cell: Cell, exact: u32) {
        let kind = self.kind;
        self.list(series);
        let state = self.state(series);
        state.gather(kind, cell);
        state.exact = state.exact.saturating_add(exact);
    }

    /// Move a gauge, unless it was set later.
    pub(crate) fn change(&mut self, series: u32, change: Change) {
        self.state(series).change(change);
    }

    pub(crate) fn list(&mut self, series: u32) {
        let state = &mut self.states[series as usize];
        if !state.listed {
            state.listed = true;
            self.order.push(series);
        }
    }

    /// The states of the listed series, in order.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (u32, &State)> {
        self.order.iter().map(|series| (*series, &self.states[*series as usize]))
    }

    /// The listed keys, joined by newlines.
    pub(crate) fn keys(&self) -> Vec<u8> {
        self.keys_of(&self.order)
    }

    fn keys_of(&self, rows: &[u32]) -> Vec<u8> {
        let mut keys = Vec::with_capacity(rows.len() * 32);
        for series in rows {
            keys.extend_from_slice(self.key(*series));
            keys.push(b'\n');
        }
        keys.pop();
        keys
    }

    /// A block of some series; none where there are none.
    pub(crate) fn block(&self, rows: &[u32], columns: Vec<Column>, sketches: Vec<Vec<u8>>) -> Option<Block> {
        let count = rows.len();
        (count > 0).then(|| Block { kind: self.kind, names: self.keys_of(rows), count, columns, sketches })
    }

    /// Clear what the window brought, or hold it. `bury` is told the ids of series that are deleted, by shard.
    pub(crate) fn end(&mut self, mut fate: impl FnMut(&State, &[u8]) -> Fate, mut bury: impl FnMut(usize, u32)) {
        let mut order = std::mem::take(&mut self.order);
        order.retain(|series| {
            let fate = fate(&self.states[*series as usize], self.key(*series));
            match fate {
                Fate::Hold => self.clear(*series, true),
                Fate::Stay => self.clear(*series, false),
                Fate::Delete => self.delete(*series, &mut bury),
            }
            fate != Fate::Delete
        });
        self.order = order;
    }

    fn clear(&mut self, series: u32, hold: bool) {
        let State { value, seen, restored, mark, .. } = self.states[series as usize];
        let value = if self.kind == Kind::Gauge || hold { value } else { 0.0 };
        *self.state(series) = State { value, listed: true, seen, restored, mark, ..State::default() };
    }

    /// Delete series; `disown` is told their ids, by shard.
    pub(crate) fn remove(&mut self, gone: &HashSet<u32>, mut disown: impl FnMut(usize, u32)) {
        if !gone.is_empty() {
            self.order.retain(|series| !gone.contains(series));
            for series in gone {
                self.delete(*series, &mut disown);
            }
        }
    }

    fn delete(&mut self, series: u32, bury: &mut impl FnMut(usize, u32)) {
        for (shard, ids) in self.ids.iter_mut().enumerate() {
            if let Some(id) = ids.get_mut(series as usize).filter(|id| **id != NONE) {
                bury(shard, std::mem::replace(id, NONE));
            }
        }
        *self.state(series) = State::default();
        self.held.free(series);
        self.names.remove(series);
    }
}
