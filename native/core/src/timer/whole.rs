//! The statistics of all samples of a timer.

use super::columns::{Columns, Place};
use super::ranked::Ranked;

/// The statistics of all samples.
#[derive(Debug)]
pub(super) struct Whole {
    std: Place,
    pub(super) upper: Place,
    pub(super) lower: Place,
    pub(super) idle_per_second: Place,
    pub(super) count: Place,
    pub(super) per_second: Place,
    sum: Place,
    squares: Place,
    mean: Place,
    median: Place,
}

impl Whole {
    pub(super) fn new(columns: &mut Columns) -> Self {
        let since = columns.count();
        let mut place = |name: &str| columns.place(since, name.to_owned(), name);
        let (std, upper, lower) = (place("std"), place("upper"), place("lower"));
        let idle_per_second = place("count_ps");
        let count = place("count");
        let since = columns.count();
        let mut place = |name: &str| columns.place(since, name.to_owned(), name);
        Self {
            std,
            upper,
            lower,
            idle_per_second,
            count,
            per_second: place("count_ps"),
            sum: place("sum"),
            squares: place("sum_squares"),
            mean: place("mean"),
            median: place("median"),
        }
    }

    pub(super) fn fill(&self, columns: &mut Columns, row: usize, samples: &impl Ranked) {
        let (mean, spread) = samples.spread();
        let (sum, squares) = samples.total();
        columns.set(self.std, row, spread.sqrt());
        columns.set(self.sum, row, sum);
        columns.set(self.squares, row, squares);
        columns.set(self.mean, row, mean);
        if samples.size() > 0 {
            columns.set(self.median, row, median(samples));
        }
    }
}

/// The middle of sorted samples, or the mean of the two in the middle: their sum overflows as statsd's does.
#[allow(clippy::manual_midpoint, reason = "statsd's own arithmetic")]
fn median(samples: &impl Ranked) -> f64 {
    let (size, middle) = (samples.size(), samples.size() / 2);
    let upper = samples.value(middle);
    if size % 2 == 1 { upper } else { (samples.value(middle - 1) + upper) / 2.0 }
}
