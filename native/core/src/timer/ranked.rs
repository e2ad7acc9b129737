//! What statistics are computed from: samples in ascending order, as they came or as a sketch has them.
//!
//! Rules:
//!
//! * Of a sketch, each sample is the middle of its bucket, but not beyond the lowest and the highest. What covers all samples
//!   comes from the sketch's exact sums.
//! * Up to a bound and with it, of a sketch there are whole buckets, that of the bound the last: so samples at the bound count.
//! * Sums run from the lowest up.

use super::float;
use crate::sketch::{Sketch, Sketches, Whole, bucket, middle};

/// Samples in ascending order.
pub(super) trait Ranked {
    /// How many of them have a rank.
    fn size(&self) -> usize;
    /// The sample of a rank, counted from 0.
    fn value(&self, rank: usize) -> f64;
    /// The sum of the lowest `count`, and that of their squares.
    fn sums(&self, count: usize) -> (f64, f64);
    /// The sum of all, and that of their squares.
    fn total(&self) -> (f64, f64);
    /// The mean of all, and the mean square of how far they are from it.
    fn spread(&self) -> (f64, f64);
    /// How many lie below a bound, or with `inclusive` at it too; all for infinity.
    fn upto(&self, bound: f64, inclusive: bool) -> usize;
}

/// Samples as they came, sorted, and the sums up to each.
pub(super) struct Exact<'a> {
    pub(super) samples: &'a [f64],
    pub(super) sums: &'a [(f64, f64)],
}

impl Ranked for Exact<'_> {
    fn size(&self) -> usize {
        self.samples.len()
    }

    fn value(&self, rank: usize) -> f64 {
        self.samples[rank]
    }

    fn sums(&self, count: usize) -> (f64, f64) {
        count.checked_sub(1).map_or((0.0, 0.0), |last| self.sums[last])
    }

    fn total(&self) -> (f64, f64) {
        self.sums(self.samples.len())
    }

    fn spread(&self) -> (f64, f64) {
        let size = float(self.samples.len());
        let mean = self.total().0 / size;
        let mut spread = 0.0;
        for sample in self.samples {
            spread += (sample - mean) * (sample - mean);
        }
        (mean, spread / size)
    }

    fn upto(&self, bound: f64, inclusive: bool) -> usize {
        self.samples
            .partition_point(|sample| *sample < bound || inclusive && *sample <= bound || bound == f64::INFINITY)
    }
}

/// A value, and what there is up to and with its bucket.
#[derive(Clone, Copy)]
struct Step {
    value: f64,
    count: usize,
    sum: f64,
    squares: f64,
}

/// A sketch.
pub(super) struct Sketched {
    pub(super) whole: Whole,
    steps: Vec<Step>,
}

impl Sketched {
    pub(super) fn new(sketches: &Sketches, sketch: &Sketch) -> Self {
        let whole = sketch.whole;
        let mut before = Step { value: 0.0, count: 0, sum: 0.0, squares: 0.0 };
        let steps = sketches.buckets(sketch).map(|(bucket, count)| {
            let middle = middle(bucket);
            let value = if middle < whole.low { whole.low } else { middle };
            let value = if value > whole.high { whole.high } else { value };
            before = before.and(value, count as usize);
            before
        });
        Self { whole, steps: steps.collect() }
    }

    /// The place of the bucket that has a rank.
    fn place(&self, rank: usize) -> usize {
        self.steps.partition_point(|step| step.count <= rank)
    }

    fn before(&self, place: usize) -> Step {
        let none = Step { value: 0.0, count: 0, sum: 0.0, squares: 0.0 };
        place.checked_sub(1).map_or(none, |before| self.steps[before])
    }
}

impl Step {
    fn and(self, value: f64, count: usize) -> Self {
        let times = float(count);
        Self {
            value,
            count: self.count + count,
            sum: self.sum + value * times,
            squares: self.squares + value * value * times,
        }
    }
}

impl Ranked for Sketched {
    fn size(&self) -> usize {
        self.steps.last().map_or(0, |step| step.count)
    }

    fn value(&self, rank: usize) -> f64 {
        self.steps[self.place(rank)].value
    }

    fn sums(&self, count: usize) -> (f64, f64) {
        if count as u64 == self.whole.count {
            return (self.whole.sum, self.whole.squares);
        }
        let Some(last) = count.checked_sub(1) else {
            return (0.0, 0.0);
        };
        let place = self.place(last);
        let before = self.before(place);
        let all = before.and(self.steps[place].value, count - before.count);
        (all.sum, all.squares)
    }

    fn total(&self) -> (f64, f64) {
        (self.whole.sum, self.whole.squares)
    }

    fn spread(&self) -> (f64, f64) {
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let count = self.whole.count as f64;
        let mean = self.whole.sum / count;
        let spread = self.whole.squares / count - mean * mean;
        (mean, if spread < 0.0 { 0.0 } else { spread })
    }

    fn upto(&self, bound: f64, inclusive: bool) -> usize {
        let place = if inclusive {
            let last = bucket(bound);
            self.steps.partition_point(|step| bucket(step.value) <= last)
        } else {
            self.steps.partition_point(|step| step.value < bound || bound == f64::INFINITY)
        };
        self.before(place).count
    }
}
