//! Timers over all shards, and over the windows for which their samples are held.

use super::Master;
use crate::aggregates::{Block, Kind};
use crate::family::Family;
use crate::profile::Profiles;
use crate::rules::{Histogram, Rules};
use crate::sketch::{Sketch, Sketches};
use crate::timer::Sheet;
use crate::window::Window;
use std::collections::HashMap;

/// Timers' sketches, by series.
type Sketched<'a> = HashMap<u32, Vec<(&'a Sketches, &'a Sketch)>>;

impl Master {
    /// Lay each timer's samples side by side, and compute those that are due, a block for each profile.
    pub(super) fn timers(&mut self, finished: &[Window]) -> Vec<Block> {
        let timers = &self.families[Kind::Timer as usize];
        let mut ends = vec![0; timers.states.len()];
        let mut total = 0;
        for (series, state) in timers.listed() {
            ends[series as usize] = total;
            total += state.exact as usize;
        }
        let mut samples = vec![0.0; total];
        for window in finished {
            for (id, sample) in window.samples.iter() {
                if let Some((_, series)) = self.shards[window.shard].find(id) {
                    let end = &mut ends[series as usize];
                    samples[*end] = sample;
                    *end += 1;
                }
            }
        }
        let beyond = self.beyond(finished);
        self.hold_samples(&ends, &samples, &beyond);
        self.compute(&ends, &mut samples, &beyond)
    }

    /// The sketches of each timer, from whatever shards.
    fn beyond<'a>(&self, finished: &'a [Window]) -> Sketched<'a> {
        let mut found = Sketched::new();
        for window in finished {
            for sketch in window.sketches.iter() {
                if let Some((_, series)) = self.shards[window.shard].find(sketch.id) {
                    found.entry(series).or_default().push((&window.sketches, sketch));
                }
            }
        }
        found
    }

    /// Put the samples of timers that are not due aside.
    fn hold_samples(&mut self, ends: &[usize], samples: &[f64], beyond: &Sketched) {
        let Self { families, profiles, shared, .. } = self;
        let Family { held, order, states, .. } = &mut families[Kind::Timer as usize];
        if profiles.all_due() {
            return;
        }
        for series in order.iter() {
            let state = &states[*series as usize];
            if profiles.is_due(state) {
                continue;
            }
            if state.exact > 0 {
                let end = ends[*series as usize];
                let own = &samples[end - state.exact as usize..end];
                held.samples.entry(*series).or_default().extend_from_slice(own);
                shared.samples.take(own.len());
            }
            if let Some(parts) = beyond.get(series) {
                let sketches = held.sketches.entry(*series).or_default();
                let before = sketches.pages();
                sketches.gather(&[], parts);
                shared.pages.take(sketches.pages() - before);
            }
        }
    }

    fn compute(&mut self, ends: &[usize], samples: &mut [f64], beyond: &Sketched) -> Vec<Block> {
        let Self { profiles, families, rules, .. } = self;
        let timers = &mut families[Kind::Timer as usize];
        let rows = profiles.due(timers);
        let mut held = std::mem::take(&mut timers.held);
        let blocks = profiles.split(&rows, timers).into_iter().filter_map(|(profile, rows)| {
            let mut sheet = Sheet::new(&tailored(rules, profiles, profile), rows.len(), profiles.seconds_of(profile));
            for series in &rows {
                let (state, end) = (&timers.states[*series as usize], ends[*series as usize]);
                let own = &mut samples[end - state.exact as usize..end];
                let (mut before, sketches) = held.free(*series);
                let mut parts = beyond.get(series).cloned().unwrap_or_default();
                parts.extend(sketches.as_ref().and_then(|sketches| Some((sketches, sketches.get(0)?))));
                let own = if before.is_empty() {
                    own
                } else {
                    before.extend_from_slice(own);
                    &mut before
                };
                sheet.add(timers.key(*series), own, &parts, state.value);
            }
            let (columns, sketches) = sheet.finish();
            timers.block(&rows, columns, sketches)
        });
        let blocks = blocks.collect();
        timers.held = held;
        blocks
    }
}

/// The settings as a profile has them.
fn tailored(rules: &Rules, profiles: &Profiles, profile: u32) -> Rules {
    let profile = profiles.get(profile);
    let mut own = Rules {
        percentiles: profile.percentiles.clone().unwrap_or_else(|| rules.percentiles.clone()),
        histograms: rules.histograms.clone(),
        timer_statistics: profile.statistics.clone().unwrap_or_else(|| rules.timer_statistics.clone()),
        sketch: profile.sketch.unwrap_or(rules.sketch),
        cumulative: profile.cumulative.unwrap_or(rules.cumulative),
        ..Rules::default()
    };
    if let Some(bins) = profile.histogram.clone() {
        own.histograms = vec![Histogram { pattern: String::new(), bins }];
    }
    own
}
