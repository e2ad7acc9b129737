//! Merges the windows of all shards and owns what lives longer than a window.

use crate::{Aggregates, Rules, Shard, Window};

/// Merges the windows of all shards and owns what lives longer than a window.
#[derive(Debug)]
pub struct Master {
    rules: Rules,
    shards: usize,
}

impl Master {
    /// `seed` should be random, so that hostile keys cannot be made to collide.
    #[must_use]
    pub fn new(rules: Rules, _seed: u64) -> Self {
        Self { rules, shards: 0 }
    }

    /// Use other rules from the next merge on. Shards are told by `Shard::configure`.
    pub fn configure(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Make one more shard. Shards live as long as the master; a reader that ends leaves its shard to the next one.
    pub fn shard(&mut self) -> Shard {
        self.shards += 1;
        Shard::new(self.shards - 1, &self.rules)
    }

    /// An empty window for `Shard::swap`, best one of that shard's own that was used before.
    pub fn spare(&mut self, _shard: usize) -> Window {
        Window::default()
    }

    /// Merge the finished windows; rates are per second over `seconds`.
    pub fn merge(&mut self, _finished: Vec<Window>, _seconds: f64) -> Aggregates {
        Aggregates::default()
    }

    /// The series deleted by the last merge, by shard number, for `Shard::forget`.
    pub fn dead(&mut self) -> Vec<(usize, Vec<u32>)> {
        Vec::new()
    }

    /// The gauges as of the last merge: keys joined by newlines, and their values.
    #[must_use]
    pub fn gauges(&self) -> (Vec<u8>, Vec<f64>) {
        (Vec::new(), Vec::new())
    }

    /// Set gauges that have not been set since the start.
    pub fn restore_gauges<'a>(&mut self, _gauges: impl IntoIterator<Item = (&'a str, f64)>) {}
}
