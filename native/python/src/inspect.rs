//! A look at the kernel while it works.
//!
//! Rules:
//!
//! * The master's lock is held for a whole look, so that no window ends meanwhile; a shard's only for moments.

use crate::engine::{Engine, Lane, lock};
use nilometer_core::{Kind, Master, Peeked, Shard, Tally, Top};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::MutexGuard;

/// Keys, values, timers' samples, sets' members, and how many series there are.
pub type Shown = (Vec<String>, Vec<f64>, Vec<Vec<f64>>, Vec<Vec<String>>, usize);
/// Names by kind, sources, and what was refused.
pub type Ranked = (Vec<(&'static str, String, u64)>, Vec<(String, u64)>, Vec<(String, String, u64, String)>);
/// Packets, bytes, lines, bad lines, and seconds without a packet.
pub type Totals = (u64, u64, u64, u64, f64);

impl Engine {
    pub fn peek(&self, kind: Kind, most: usize) -> Peeked {
        self.look(|master, hold| master.peek(kind, most, hold))
    }

    pub fn keys(&self, kind: Kind, prefix: &str, most: usize) -> Vec<String> {
        self.look(|master, hold| master.keys(kind, prefix, most, hold))
    }

    pub fn delete(&self, kind: Kind, keys: &[String]) -> Vec<bool> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.look(|master, hold| master.delete(kind, &keys, hold))
    }

    pub fn top(&self, most: usize) -> Top {
        self.look(|master, hold| master.top(most, hold))
    }

    fn look<T>(&self, work: impl FnOnce(&mut MutexGuard<'_, Master>, nilometer_core::Hold<'_>) -> T) -> T {
        let mut master = self.master();
        let lanes = self.all();
        work(&mut master, &|number, work: &mut dyn FnMut(&mut Shard)| {
            if let Some(lane) = lanes.get(number) {
                work(&mut lock(&lane.shard));
            }
        })
    }

    /// Returns what was counted since the start, the open windows included.
    pub fn totals(&self) -> Totals {
        let _no_window_ends = self.master();
        let lanes = self.all();
        let mut total = *lock(&self.counted);
        for lane in &lanes {
            total.add(&lane.open());
        }
        let heard = lanes.iter().map(|lane| lane.heard()).max().unwrap_or_default();
        let idle = self.since.elapsed().saturating_sub(heard);
        (total.packets, total.bytes, total.lines, total.bad_lines, idle.as_secs_f64())
    }
}

impl Lane {
    /// Returns what was counted in the open window.
    fn open(&self) -> Tally {
        let mut tally = lock(&self.shard).tally();
        let refused = lock(&self.refused).count;
        tally.lines += refused;
        tally.bad_lines += refused;
        tally
    }
}

pub fn kind(name: &str) -> PyResult<Kind> {
    let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        PyValueError::new_err(format!("unknown kind {name:?}: it is one of {known}"))
    })
}

pub fn shown(peeked: Peeked) -> Shown {
    (peeked.keys, peeked.values, peeked.samples, peeked.members, peeked.count)
}

pub fn ranked(top: Top) -> Ranked {
    let names = top.names.into_iter().map(|name| (name.kind.name(), name.key, name.updates));
    let refused = top.refused.into_iter().map(|each| (each.source, each.reason, each.refused, each.line));
    (names.collect(), top.sources, refused.collect())
}
