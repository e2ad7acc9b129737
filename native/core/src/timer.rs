//! A timer's statistics, number by number in the order in which statsd computes them.
//!
//! Rules:
//!
//! * Sums run over the sorted samples from the lowest up, so that the last digits agree.
//! * A percentile above 0 covers the lowest that many percent of the samples, one below 0 the highest; a single sample is
//!   covered by all. What statsd prints as NaN is NaN here, what it leaves out is left out.
//! * The sample rate counts for `count` and `count_ps` alone.
//! * A timer of which a sketch has samples is computed from that.
//!
//! Source: `lib/process_metrics.js` of statsd 0.10.

mod bins;
mod columns;
mod percentile;
mod ranked;
mod whole;

use crate::aggregates::Column;
use crate::rules::Rules;
use crate::sketch::{Sketch, Sketches};
use bins::Bins;
use columns::Columns;
use percentile::Percentile;
use ranked::{Exact, Ranked, Sketched};
use whole::Whole;

/// The timers' columns, filled row by row.
#[derive(Debug)]
pub(crate) struct Sheet {
    seconds: f64,
    percentiles: Vec<Percentile>,
    whole: Whole,
    histograms: Vec<Bins>,
    columns: Columns,
    /// Of the lowest samples, up to each, and of their squares.
    sums: Vec<(f64, f64)>,
    next: usize,
    scratch: Sketches,
    /// Whether sketches are asked for.
    sketch: bool,
    sketches: Vec<Vec<u8>>,
}

impl Sheet {
    /// Columns for `rows` timers; rates are per second over `seconds`.
    pub(crate) fn new(rules: &Rules, rows: usize, seconds: f64) -> Self {
        let mut columns = Columns::new(rows, rules.timer_statistics.clone());
        Self {
            seconds,
            percentiles: rules.percentiles.iter().map(|percent| Percentile::new(&mut columns, *percent)).collect(),
            whole: Whole::new(&mut columns),
            histograms: rules.histograms.iter().map(|each| Bins::new(&mut columns, each, rules.cumulative)).collect(),
            columns,
            sums: Vec::new(),
            next: 0,
            scratch: Sketches::default(),
            sketch: rules.sketch,
            sketches: Vec::new(),
        }
    }

    /// Fill the next row. `samples` are sorted here, `parts` are sketches of further samples; `weight` is the sum of
    /// 1 / sample rate. No samples: the timer was idle.
    pub(crate) fn add(&mut self, key: &[u8], samples: &mut [f64], parts: &[(&Sketches, &Sketch)], weight: f64) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        if !parts.is_empty() || self.sketch && !samples.is_empty() {
            scratch.gather(samples, parts);
        }
        let sketch = scratch.get(0);
        if self.sketch {
            self.sketches.push(sketch.map_or_else(Vec::new, |sketch| scratch.encode(sketch)));
        }
        match sketch.filter(|_| !parts.is_empty()) {
            Some(sketch) => self.sketched_row(self.next, key, &Sketched::new(&scratch, sketch), weight),
            None => self.row(self.next, key, samples, weight),
        }
        self.scratch = scratch;
        self.next += 1;
    }

    fn row(&mut self, row: usize, key: &[u8], samples: &mut [f64], weight: f64) {
        samples.sort_unstable_by(f64::total_cmp);
        let Some((lower, upper)) = samples.first().zip(samples.last()) else {
            self.columns.set(self.whole.idle_per_second, row, 0.0);
            self.columns.set(self.whole.count, row, 0.0);
            return;
        };
        let (lower, upper) = (*lower, *upper);
        let mut sums = std::mem::take(&mut self.sums);
        accumulate(samples, &mut sums);
        self.fill(row, key, &Exact { samples, sums: &sums }, (lower, upper), weight);
        self.sums = sums;
    }

    fn sketched_row(&mut self, row: usize, key: &[u8], samples: &Sketched, weight: f64) {
        let edges = (samples.whole.low, samples.whole.high);
        self.fill(row, key, samples, edges, weight);
    }

    fn fill(&mut self, row: usize, key: &[u8], samples: &impl Ranked, edges: (f64, f64), weight: f64) {
        let Self { columns, whole, .. } = self;
        columns.set(whole.lower, row, edges.0);
        columns.set(whole.upper, row, edges.1);
        columns.set(whole.count, row, weight);
        columns.set(whole.per_second, row, weight / self.seconds);
        whole.fill(columns, row, samples);
        for percentile in &self.percentiles {
            percentile.fill(columns, row, samples);
        }
        if let Some(bins) = self.histograms.iter().find(|bins| bins.fit(key)) {
            bins.fill(columns, row, samples);
        }
    }

    /// The columns in which any timer has a value, and the sketches that were asked for.
    pub(crate) fn finish(self) -> (Vec<Column>, Vec<Vec<u8>>) {
        (self.columns.finish(), self.sketches)
    }
}

fn accumulate(samples: &[f64], sums: &mut Vec<(f64, f64)>) {
    let (mut sum, mut squares) = (0.0, 0.0);
    sums.clear();
    for sample in samples {
        sum += sample;
        squares += sample * sample;
        sums.push((sum, squares));
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal;

    /// The statistics of one timer over two seconds, as `name=value`.
    fn statistics(rules: &Rules, samples: &[f64]) -> String {
        let mut sheet = Sheet::new(rules, 1, 2.0);
        sheet.add(b"t", &mut samples.to_vec(), &[], float(samples.len()));
        let text = |column: Column| format!("{}={}", column.name, decimal::text(column.values[0]));
        sheet.finish().0.into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    fn only(names: &[&str], percentiles: &[f64]) -> Rules {
        let timer_statistics = names.iter().map(|name| (*name).to_owned()).collect();
        Rules { percentiles: percentiles.to_vec(), timer_statistics, ..Rules::default() }
    }

    /// Every expected text was printed by statsd 0.10.
    #[test]
    fn percentiles_are_statsds() {
        let names =
            ["count_percent", "mean_percent", "upper_percent", "lower_percent", "sum_percent", "sum_squares_percent"];
        let spread = [450.0, 120.0, 553.0, 994.0, 334.0, 844.0, 675.0, 496.0];
        let cases: &[(&[f64], f64, &str)] = &[
            (&[100.0], 10.0, "count_10=1 mean_10=100 upper_10=100 sum_10=100 sum_squares_10=10000"),
            (&[100.0], 0.0, "count_0=1 mean_0=100 lower_0=100 sum_0=100 sum_squares_0=10000"),
            (&[100.0], -10.0, "count_top10=1 mean_top10=100 lower_top10=100 sum_top10=100 sum_squares_top10=10000"),
            (&[1.0, 2.0], 10.0, ""),
            (&[1.0, 2.0], 0.0, ""),
            (&[1.0, 2.0], 50.0, "count_50=1 mean_50=1 upper_50=1 sum_50=1 sum_squares_50=1"),
            (&[1.0, 2.0], -50.0, "count_top50=1 mean_top50=2 lower_top50=2 sum_top50=2 sum_squares_top50=4"),
            (
                &[1.0, 2.0],
                -100.0,
                "count_top100=2 mean_top100=NaN lower_top100=1 sum_top100=NaN sum_squares_top100=NaN",
            ),
            (&[3.0, 1.0, 2.0], -90.0, "count_top90=3 mean_top90=NaN lower_top90=1 sum_top90=NaN sum_squares_top90=NaN"),
            (&[3.0, 1.0, 2.0], 99.9, "count_99_9=3 mean_99_9=2 upper_99_9=3 sum_99_9=6 sum_squares_99_9=14"),
            (&[1.0, 2.0], 150.0, "count_150=3 mean_150=NaN"),
            (&[1.0, 2.0], -150.0, "count_top150=3 mean_top150=NaN sum_top150=NaN sum_squares_top150=NaN"),
            (
                &[0.1, 0.2, 0.3, 1e200],
                75.0,
                "count_75=3 mean_75=0.20000000000000004 upper_75=0.3 sum_75=0.6000000000000001 sum_squares_75=0.14",
            ),
            (&spread, 90.0, "count_90=7 mean_90=496 upper_90=844 sum_90=3472 sum_squares_90=2048242"),
            (&spread, -20.0, "count_top20=2 mean_top20=919 lower_top20=844 sum_top20=1838 sum_squares_top20=1700372"),
        ];
        for (samples, percent, expected) in cases {
            assert_eq!(statistics(&only(&names, &[*percent]), samples), *expected, "{percent} of {samples:?}");
        }
        assert_eq!(statistics(&only(&["upper_percent"], &[90.0, 90.0, f64::NAN]), &[1.0, 2.0]), "upper_90=2");
    }

    #[test]
    fn all_samples_are_summed_up_as_statsd_does() {
        let cases: &[(&[f64], &str)] = &[
            (&[100.0], "std=0 upper=100 lower=100 count=1 count_ps=0.5 sum=100 sum_squares=10000 mean=100 median=100"),
            (
                &[3.0, 1.0, 2.0],
                "std=0.816496580927726 upper=3 lower=1 count=3 count_ps=1.5 sum=6 sum_squares=14 mean=2 median=2",
            ),
            (
                &[9.0, 10.0, 100.0, 1.0],
                "std=40.564763033943635 upper=100 lower=1 count=4 count_ps=2 sum=120 sum_squares=10182 mean=30 median=9.5",
            ),
            (
                &[0.1, 0.2, 0.3, 1e200],
                "std=Infinity upper=1e+200 lower=0.1 count=4 count_ps=2 sum=1e+200 sum_squares=Infinity mean=2.5e+199 median=0.25",
            ),
            (
                &[f64::INFINITY],
                "std=NaN upper=Infinity lower=Infinity count=1 count_ps=0.5 sum=Infinity sum_squares=Infinity mean=Infinity median=Infinity",
            ),
            (&[], "count_ps=0 count=0"),
        ];
        for (samples, expected) in cases {
            assert_eq!(statistics(&only(&[], &[]), samples), *expected, "{samples:?}");
        }
    }

    #[test]
    fn a_choice_of_statistics_is_kept_to() {
        let rules = only(&["count_ps", "upper_percent", "mean"], &[99.9, -5.0]);
        assert_eq!(statistics(&rules, &[1.0, 2.0]), "upper_99_9=2 count_ps=1 mean=1.5");
        assert_eq!(statistics(&only(&["nosuch"], &[90.0]), &[1.0]), "");
        assert_eq!(statistics(&only(&["count_ps"], &[]), &[]), "count_ps=0");
    }
}
