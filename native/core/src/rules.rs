//! What is computed and kept: the settings of an aggregation.

use crate::rule::Rule;

/// Bins for every timer whose key contains `pattern`. No bins: none for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    pub pattern: String,
    /// Upper bounds, exclusive; the last may be infinite.
    pub bins: Vec<f64>,
}

/// In how many flushes a series of each kind is reported after its last update; 0: as the other settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expire {
    pub counters: u32,
    pub timers: u32,
    pub gauges: u32,
    pub sets: u32,
}

/// The settings of an aggregation. Defaults are statsd's, limits are ours.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Rules {
    /// Above 0 the lowest that many percent of a timer's samples, below 0 the highest.
    pub percentiles: Vec<f64>,
    /// The first whose pattern stands in the key counts.
    pub histograms: Vec<Histogram>,
    /// The only timer statistics sent; empty sends all. `upper_percent` stands for every percentile, `histogram` for bins.
    pub timer_statistics: Vec<String>,
    pub delete_counters: bool,
    pub delete_timers: bool,
    pub delete_sets: bool,
    pub delete_gauges: bool,
    /// With `delete_gauges`, in how many flushes a gauge is reported after its last update.
    pub gauge_ttl: u32,
    /// Counters whose key contains one of these are never deleted, unless a rule says when.
    pub keep: Vec<String>,
    pub expire: Expire,
    pub rules: Vec<Rule>,
    /// Tags that every series gets.
    pub tags: Vec<(String, String)>,
    /// Clean keys on arrival.
    pub sanitize: bool,
    /// Series that may live at once, in all shards together.
    pub max_series: usize,
    /// Timer samples in a window, in all shards together.
    pub max_samples: usize,
    /// Set members in a window, in all shards together.
    pub max_set_members: usize,
    /// Bytes in a line; longer ones are bad.
    pub max_line: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            percentiles: vec![90.0],
            histograms: Vec::new(),
            timer_statistics: Vec::new(),
            delete_counters: false,
            delete_timers: false,
            delete_sets: false,
            delete_gauges: false,
            gauge_ttl: 1,
            keep: Vec::new(),
            expire: Expire::default(),
            rules: Vec::new(),
            tags: Vec::new(),
            sanitize: true,
            max_series: 1_000_000,
            max_samples: 20_000_000,
            max_set_members: 5_000_000,
            max_line: 65_536,
        }
    }
}
