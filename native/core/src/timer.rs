//! A timer's statistics, number by number in the order in which statsd computes them.
//!
//! Rules:
//!
//! * Sums run over the sorted samples from the lowest up, so that the last digits agree.
//! * A percentile above 0 covers the lowest that many percent of the samples, one below 0 the highest; a single sample is
//!   covered by all. What statsd prints as NaN is NaN here, what it leaves out is left out.
//! * The sample rate counts for `count` and `count_ps` alone.
//!
//! Source: `lib/process_metrics.js` of statsd 0.10.

use crate::aggregates::Column;
use crate::decimal;
use crate::rules::{Histogram, Rules};
use memchr::memmem;

/// A column that is being filled; none where the rules do not ask for the statistic.
type Place = Option<usize>;

#[derive(Debug)]
struct Percentile {
    percent: f64,
    count: Place,
    mean: Place,
    edge: Place,
    sum: Place,
    squares: Place,
}

/// The statistics of all samples.
#[derive(Debug)]
struct Whole {
    std: Place,
    upper: Place,
    lower: Place,
    idle_per_second: Place,
    count: Place,
    per_second: Place,
    sum: Place,
    squares: Place,
    mean: Place,
    median: Place,
}

#[derive(Debug)]
struct Bins {
    pattern: Vec<u8>,
    bins: Vec<(f64, Place)>,
}

/// The timers' columns, filled row by row.
#[derive(Debug)]
pub(crate) struct Sheet {
    seconds: f64,
    percentiles: Vec<Percentile>,
    whole: Whole,
    histograms: Vec<Bins>,
    columns: Columns,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

#[derive(Debug)]
struct Columns {
    rows: usize,
    wanted: Vec<String>,
    names: Vec<String>,
    values: Vec<Vec<f64>>,
    present: Vec<Vec<u8>>,
}

impl Columns {
    /// A column for a statistic, which the setting knows as `word`. The same name twice in `since` is one column.
    fn place(&mut self, since: usize, name: String, word: &str) -> Place {
        if !self.wanted.is_empty() && !self.wanted.iter().any(|wanted| wanted == word) {
            return None;
        }
        let there = self.names[since..].iter().position(|other| *other == name);
        Some(there.map_or_else(|| self.push(name), |at| since + at))
    }

    fn push(&mut self, name: String) -> usize {
        self.names.push(name);
        self.values.push(vec![0.0; self.rows]);
        self.present.push(vec![0; self.rows]);
        self.names.len() - 1
    }

    #[inline]
    fn set(&mut self, place: Place, row: usize, value: f64) {
        if let Some(place) = place {
            self.values[place][row] = value;
            self.present[place][row] = 1;
        }
    }

    fn finish(self) -> Vec<Column> {
        let columns = self.names.into_iter().zip(self.values).zip(self.present);
        columns
            .filter(|(_, present)| present.contains(&1))
            .map(|((name, values), present)| Column { name, values, present: present.contains(&0).then_some(present) })
            .collect()
    }
}

impl Sheet {
    /// Columns for `rows` timers; rates are per second over `seconds`.
    pub(crate) fn new(rules: &Rules, rows: usize, seconds: f64) -> Self {
        let wanted = rules.timer_statistics.clone();
        let mut columns = Columns { rows, wanted, names: Vec::new(), values: Vec::new(), present: Vec::new() };
        Self {
            seconds,
            percentiles: rules.percentiles.iter().map(|percent| percentile(&mut columns, *percent)).collect(),
            whole: whole(&mut columns),
            histograms: rules.histograms.iter().map(|histogram| bins(&mut columns, histogram)).collect(),
            columns,
            sums: Vec::new(),
            squares: Vec::new(),
        }
    }

    /// Fill a row. `samples` are sorted here; `weight` is the sum of 1 / sample rate. No samples: the timer was idle.
    pub(crate) fn row(&mut self, row: usize, key: &[u8], samples: &mut [f64], weight: f64) {
        samples.sort_unstable_by(f64::total_cmp);
        let Some((lower, upper)) = samples.first().zip(samples.last()) else {
            self.columns.set(self.whole.idle_per_second, row, 0.0);
            self.columns.set(self.whole.count, row, 0.0);
            return;
        };
        self.columns.set(self.whole.lower, row, *lower);
        self.columns.set(self.whole.upper, row, *upper);
        self.columns.set(self.whole.count, row, weight);
        self.columns.set(self.whole.per_second, row, weight / self.seconds);
        self.accumulate(samples);
        for percentile in &self.percentiles {
            percentile.fill(&mut self.columns, row, samples, &self.sums, &self.squares);
        }
        self.fill_whole(row, samples);
        if let Some(bins) = self.histograms.iter().find(|bins| memmem::find(key, &bins.pattern).is_some()) {
            bins.fill(&mut self.columns, row, samples);
        }
    }

    fn accumulate(&mut self, samples: &[f64]) {
        let (mut sum, mut squares) = (0.0, 0.0);
        self.sums.clear();
        self.squares.clear();
        for sample in samples {
            sum += sample;
            squares += sample * sample;
            self.sums.push(sum);
            self.squares.push(squares);
        }
    }

    fn fill_whole(&mut self, row: usize, samples: &[f64]) {
        let size = float(samples.len());
        let sum = self.sums.last().copied().unwrap_or_default();
        let mean = sum / size;
        let mut spread = 0.0;
        for sample in samples {
            spread += (sample - mean) * (sample - mean);
        }
        self.columns.set(self.whole.std, row, (spread / size).sqrt());
        self.columns.set(self.whole.sum, row, sum);
        self.columns.set(self.whole.squares, row, self.squares.last().copied().unwrap_or_default());
        self.columns.set(self.whole.mean, row, mean);
        self.columns.set(self.whole.median, row, median(samples));
    }

    /// The columns in which any timer has a value.
    pub(crate) fn finish(self) -> Vec<Column> {
        self.columns.finish()
    }
}

fn percentile(columns: &mut Columns, percent: f64) -> Percentile {
    let label = label(percent);
    let edge = if percent > 0.0 { "upper" } else { "lower" };
    let mut place = |part: &str| columns.place(0, format!("{part}_{label}"), &format!("{part}_percent"));
    Percentile {
        percent,
        count: place("count"),
        mean: place("mean"),
        edge: place(edge),
        sum: place("sum"),
        squares: place("sum_squares"),
    }
}

/// How a percentile is named: 99.9 is `99_9`, -10 is `top10`.
fn label(percent: f64) -> String {
    decimal::text(percent).replacen('.', "_", 1).replacen('-', "top", 1)
}

fn whole(columns: &mut Columns) -> Whole {
    let since = columns.names.len();
    let mut place = |name: &str| columns.place(since, name.to_owned(), name);
    let (std, upper, lower) = (place("std"), place("upper"), place("lower"));
    let idle_per_second = place("count_ps");
    let count = place("count");
    let since = columns.names.len();
    let mut place = |name: &str| columns.place(since, name.to_owned(), name);
    Whole {
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

fn bins(columns: &mut Columns, histogram: &Histogram) -> Bins {
    let since = columns.names.len();
    let mut place = |bound: f64| columns.place(since, format!("histogram.bin_{}", bound_label(bound)), "histogram");
    let bins = histogram.bins.iter().map(|bound| (*bound, place(*bound))).collect();
    Bins { pattern: histogram.pattern.clone().into_bytes(), bins }
}

fn bound_label(bound: f64) -> String {
    if bound == f64::INFINITY { "inf".to_owned() } else { decimal::text(bound).replacen('.', "_", 1) }
}

impl Percentile {
    fn fill(&self, columns: &mut Columns, row: usize, samples: &[f64], sums: &[f64], squares: &[f64]) {
        let size = samples.len();
        let Some(within) = self.within(size) else {
            return;
        };
        let highest = self.percent <= 0.0 && size > 1;
        let known = if highest { within < float(size) } else { within <= float(size) };
        let part = |sums: &[f64]| {
            let below = if highest { sums[size - whole_number(within) - 1] } else { 0.0 };
            if highest { sums[size - 1] - below } else { sums[whole_number(within) - 1] }
        };
        let (sum, square) = if known { (part(sums), part(squares)) } else { (f64::NAN, f64::NAN) };
        columns.set(self.count, row, within);
        columns.set(self.mean, row, sum / within);
        if within <= float(size) {
            let edge = if highest { size - whole_number(within) } else { whole_number(within) - 1 };
            columns.set(self.edge, row, samples[edge]);
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

impl Bins {
    /// Counts what lies below each bound and not below the one before, in a single pass.
    fn fill(&self, columns: &mut Columns, row: usize, samples: &[f64]) {
        let mut rest = samples;
        for (bound, place) in &self.bins {
            let count = rest.iter().take_while(|sample| *bound == f64::INFINITY || *sample < bound).count();
            columns.set(*place, row, float(count));
            rest = &rest[count..];
        }
    }
}

/// The middle of sorted samples, or the mean of the two in the middle: their sum overflows as statsd's does.
#[allow(clippy::manual_midpoint, reason = "statsd's own arithmetic")]
fn median(samples: &[f64]) -> f64 {
    let middle = samples.len() / 2;
    if samples.len() % 2 == 1 { samples[middle] } else { (samples[middle - 1] + samples[middle]) / 2.0 }
}

/// Halves up, as `Math.round` does.
fn round(value: f64) -> f64 {
    let whole = value.floor();
    if value - whole >= 0.5 { whole + 1.0 } else { whole }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number between 1 and a length")]
const fn whole_number(value: f64) -> usize {
    value as usize
}
