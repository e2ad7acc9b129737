//! The statistics of a percentile: of the lowest, or the highest, so many percent of a timer's samples.

use super::columns::{Columns, Place};
use super::float;
use super::ranked::Ranked;
use crate::decimal;

#[derive(Debug)]
pub(super) struct Percentile {
    percent: f64,
    count: Place,
    mean: Place,
    edge: Place,
    sum: Place,
    squares: Place,
}

impl Percentile {
    pub(super) fn new(columns: &mut Columns, percent: f64) -> Self {
        let label = label(percent);
        let edge = if percent > 0.0 { "upper" } else { "lower" };
        let mut place = |part: &str| columns.place(0, format!("{part}_{label}"), &format!("{part}_percent"));
        Self {
            percent,
            count: place("count"),
            mean: place("mean"),
            edge: place(edge),
            sum: place("sum"),
            squares: place("sum_squares"),
        }
    }

    pub(super) fn fill(&self, columns: &mut Columns, row: usize, samples: &impl Ranked) {
        let size = samples.size();
        let Some(within) = self.within(size) else {
            return;
        };
        let highest = self.percent <= 0.0 && size > 1;
        let known = if highest { within < float(size) } else { within <= float(size) };
        let (sum, square) = if !known {
            (f64::NAN, f64::NAN)
        } else if highest {
            let (all, below) = (samples.total(), samples.sums(size - whole_number(within)));
            (all.0 - below.0, all.1 - below.1)
        } else {
            samples.sums(whole_number(within))
        };
        columns.set(self.count, row, within);
        columns.set(self.mean, row, sum / within);
        if within <= float(size) {
            let edge = if highest { size - whole_number(within) } else { whole_number(within) - 1 };
            columns.set(self.edge, row, samples.value(edge));
        }
        if known || highest {
            columns.set(self.sum, row, sum);
            columns.set(self.squares, row, square);
        }
    }

    /// How many samples are covered; `None` where it is none.
    fn within(&self, size: usize) -> Option<f64> {
        let within = if size == 1 { 1.0 } else { round(self.percent.abs() / 100.0 * float(size)) };
        (within >= 1.0).then_some(within)
    }
}

/// How a percentile is named: 99.9 is `99_9`, -10 is `top10`.
fn label(percent: f64) -> String {
    decimal::text(percent).replacen('.', "_", 1).replacen('-', "top", 1)
}

/// Halves up, as `Math.round` does.
fn round(value: f64) -> f64 {
    let whole = value.floor();
    if value - whole >= 0.5 { whole + 1.0 } else { whole }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number between 1 and a length")]
const fn whole_number(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_up() {
        let cases = [(0.49, 0.0), (0.5, 1.0), (0.499_999_999_999_999_94, 0.0), (1.5, 2.0), (2.5, 3.0), (7.0, 7.0)];
        for (value, expected) in cases {
            assert!((round(value) - expected).abs() < f64::EPSILON, "{value}");
        }
    }
}
