//! What the master knows of a shard.

use crate::aggregates::Kind;
use crate::window::Window;

/// What is known of a shard.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By id the kind and the series, or nothing.
    series: Vec<Option<(Kind, u32)>>,
    pub(super) spare: Option<Window>,
    pub(super) dead: Vec<u32>,
}

impl Known {
    pub(crate) fn find(&self, id: u32) -> Option<(Kind, u32)> {
        self.series.get(id as usize).copied().flatten()
    }

    pub(super) fn learn(&mut self, id: u32, kind: Kind, series: u32) {
        let least = id as usize + 1;
        if self.series.len() < least {
            self.series.resize(least, None);
        }
        self.series[id as usize] = Some((kind, series));
    }

    /// Forget an id of which the shard knows that it is gone.
    pub(crate) fn disown(&mut self, id: u32) {
        self.series[id as usize] = None;
    }

    pub(super) fn bury(&mut self, id: u32) {
        self.series[id as usize] = None;
        self.dead.push(id);
    }
}
