//! All series of one kind, as the master knows them.
//!
//! Rules:
//!
//! * A series is listed from its first update (or its restoring) until it is deleted; `order` holds the listed ones in the
//!   order in which they were listed.
//! * What a window brought is gathered in the series' states, read into a block, and cleared again.

use crate::aggregates::{Block, Column, Kind};
use crate::limit::later;
use crate::table::{Hash, Table};
use crate::window::{Cell, Change, moved};

/// Stands for no id.
const NONE: u32 = u32::MAX;

/// What a series has: in this window, and for a gauge for good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// As in [`Cell`]; a gauge's value lasts.
    pub(crate) value: f64,
    /// In this window.
    pub(crate) updates: u32,
    /// How many shards updated it in this window.
    pub(crate) sharers: u16,
    pub(crate) listed: bool,
    /// Set in this window, by the batch `stamp`.
    is_set: bool,
    stamp: u32,
    /// The number of the last flush that brought a gauge an update.
    pub(crate) seen: u32,
    /// Restored, and not yet counted by any shard as one of its series.
    pub(crate) restored: bool,
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
}

impl Family {
    pub(crate) fn new(kind: Kind, hash: &Hash) -> Self {
        Self { kind, names: Table::new(hash.clone()), states: Vec::new(), order: Vec::new(), ids: Vec::new() }
    }

    /// The series of a key.
    pub(crate) fn series(&mut self, key: &[u8]) -> u32 {
        let hash = self.names.hash(0, key);
        let series = self.names.find(hash, 0, key).unwrap_or_else(|| self.names.insert(hash, 0, key));
        self.states.resize(self.names.known() as usize, State::default());
        series
    }

    /// Whether a key has a series.
    pub(crate) fn has(&self, key: &[u8]) -> bool {
        self.names.find(self.names.hash(0, key), 0, key).is_some()
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

    /// Gather what one shard has of a series in this window.
    pub(crate) fn gather(&mut self, series: u32, cell: Cell) {
        let kind = self.kind;
        self.list(series);
        let state = self.state(series);
        state.updates = state.updates.saturating_add(cell.updates());
        state.sharers = state.sharers.saturating_add(1);
        match kind {
            Kind::Counter => state.value = moved(state.value, cell.value),
            Kind::Timer | Kind::Set => state.value += cell.value,
            Kind::Gauge => {
                if cell.is_set() && (!state.is_set || later(cell.stamp, state.stamp)) {
                    state.value = cell.value;
                    state.stamp = cell.stamp;
                    state.is_set = true;
                }
            }
        }
    }

    /// Move a gauge, unless it was set later.
    pub(crate) fn change(&mut self, series: u32, change: Change) {
        let state = self.state(series);
        if !state.is_set || later(change.stamp, state.stamp) {
            state.value = moved(state.value, change.by);
        }
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

    /// The values of the listed series, in order.
    pub(crate) fn values(&self) -> Vec<f64> {
        self.listed().map(|(_, state)| state.value).collect()
    }

    /// The listed keys, joined by newlines.
    pub(crate) fn keys(&self) -> Vec<u8> {
        let mut keys = Vec::with_capacity(self.order.len() * 32);
        for series in &self.order {
            keys.extend_from_slice(self.key(*series));
            keys.push(b'\n');
        }
        keys.pop();
        keys
    }

    pub(crate) fn block(&self, columns: Vec<Column>) -> Option<Block> {
        let count = self.order.len();
        (count > 0).then(|| Block { kind: self.kind, names: self.keys(), count, columns })
    }

    /// Clear what the window brought. Series that do not `stay` are deleted; `bury` is told their ids, by shard.
    pub(crate) fn end(&mut self, mut stays: impl FnMut(&State, &[u8]) -> bool, mut bury: impl FnMut(usize, u32)) {
        let mut order = std::mem::take(&mut self.order);
        order.retain(|series| {
            let stays = stays(&self.states[*series as usize], self.key(*series));
            if stays {
                self.clear(*series);
            } else {
                self.delete(*series, &mut bury);
            }
            stays
        });
        self.order = order;
    }

    fn clear(&mut self, series: u32) {
        let value = if self.kind == Kind::Gauge { self.states[series as usize].value } else { 0.0 };
        let state = self.state(series);
        *state = State { value, listed: true, seen: state.seen, restored: state.restored, ..State::default() };
    }

    fn delete(&mut self, series: u32, bury: &mut impl FnMut(usize, u32)) {
        for (shard, ids) in self.ids.iter_mut().enumerate() {
            if let Some(id) = ids.get_mut(series as usize).filter(|id| **id != NONE) {
                bury(shard, std::mem::replace(id, NONE));
            }
        }
        *self.state(series) = State::default();
        self.names.remove(series);
    }
}
