//! Histograms: how many samples lie between bounds, or up to each.
//!
//! Rules:
//!
//! * A bin has what lies below its bound and not below the one before: `histogram.bin_5`. They are statsd's.
//! * Cumulative, each has all that is at most its bound: `histogram.le_5`. They are Prometheus's.

use memchr::memmem;

use super::columns::{Columns, Place};
use super::float;
use super::ranked::Ranked;
use crate::decimal;
use crate::rules::Histogram;

/// The columns of one histogram.
#[derive(Debug)]
pub(super) struct Bins {
    pattern: Vec<u8>,
    bounds: Vec<(f64, Place)>,
    cumulative: bool,
}

impl Bins {
    pub(super) fn new(columns: &mut Columns, histogram: &Histogram, cumulative: bool) -> Self {
        let since = columns.count();
        let word = if cumulative { "le" } else { "bin" };
        let mut place = |bound: f64| columns.place(since, format!("histogram.{word}_{}", label(bound)), "histogram");
        let bounds = histogram.bins.iter().map(|bound| (*bound, place(*bound))).collect();
        Self { pattern: histogram.pattern.clone().into_bytes(), bounds, cumulative }
    }

    /// Whether the histogram is for a timer of this key.
    pub(super) fn fit(&self, key: &[u8]) -> bool {
        memmem::find(key, &self.pattern).is_some()
    }

    pub(super) fn fill(&self, columns: &mut Columns, row: usize, samples: &impl Ranked) {
        let mut before = 0;
        for (bound, place) in &self.bounds {
            let end = samples.upto(*bound, self.cumulative);
            columns.set(*place, row, float(end.saturating_sub(before)));
            if !self.cumulative {
                before = before.max(end);
            }
        }
    }
}

fn label(bound: f64) -> String {
    if bound == f64::INFINITY { "inf".to_owned() } else { decimal::text(bound).replacen('.', "_", 1) }
}
