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
    /// Series whose names have the same first `prefix_parts` parts; 0: no bound.
    pub max_series_per_prefix: usize,
    pub prefix_parts: usize,
    /// Series that values from one address made; 0: no bound.
    pub max_series_per_source: usize,
    pub max_tags: usize,
    /// Bytes in a name, without its tags.
    pub max_name: usize,
    /// Bytes of all keys.
    pub max_key_bytes: usize,
    /// The series, one of each kind, that takes what a bound on series refuses.
    pub overflow: String,
    /// Timer samples kept exactly in a window, in all shards together. What comes then is sketched, in a page for 16 samples.
    pub max_samples: usize,
    /// Samples of one timer kept exactly in a window, in each shard.
    pub max_samples_per_timer: usize,
    /// Set members kept exactly in a window, in all shards together. What comes then is estimated, in one estimate for 256
    /// members.
    pub max_set_members: usize,
    /// Members of one set kept exactly in a window, in each shard.
    pub max_members_per_set: usize,
    /// Bytes in a line; longer ones are bad.
    pub max_line: usize,
    /// Give a sketch of every timer.
    pub sketch: bool,
    /// Histograms count in each bin all samples up to its bound.
    pub cumulative: bool,
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
            max_series_per_prefix: 0,
            prefix_parts: 1,
            max_series_per_source: 0,
            max_tags: 100,
            max_name: 4096,
            max_key_bytes: 256 << 20,
            overflow: "nilometer.overflow".to_owned(),
            max_samples: 20_000_000,
            max_samples_per_timer: 100_000,
            max_set_members: 5_000_000,
            max_members_per_set: 100_000,
            max_line: 65_536,
            sketch: false,
            cumulative: false,
        }
    }
}
