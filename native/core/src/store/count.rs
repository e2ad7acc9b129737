//! What becomes of a value in its series.
//!
//! Rules:
//!
//! * Samples and members beyond what is kept exactly go to sketches and estimates; what these have no room for is counted.

use super::Store;
use crate::aggregates::Kind;
use crate::table::owned;
use crate::value::Value;

impl Store {
    /// Count a value in its series.
    #[inline]
    pub(super) fn count(&mut self, id: u32, value: Value, text: &[u8]) {
        let Value { kind, number, weight, change } = value;
        match kind {
            Kind::Counter => self.window.count(id, number * weight),
            Kind::Timer => self.add_sample(id, number, weight),
            Kind::Gauge if change => self.window.change_gauge(id, number, self.stamp),
            Kind::Gauge => self.window.set_gauge(id, number, self.stamp),
            Kind::Set => self.add_member(id, if text.is_empty() { b"0" } else { text }),
        }
    }

    #[inline]
    fn add_sample(&mut self, id: u32, number: f64, weight: f64) {
        let exact = self.window.time(id, weight, self.limits.per_timer);
        if exact && self.samples.take(&self.shared.samples, self.limits.samples) {
            self.window.samples.push((id, number));
            return;
        }
        let (pages, shared, most) = (&mut self.pages, &self.shared.pages, self.limits.pages);
        let fits = self.window.sketch(id, number, || pages.take(shared, most));
        self.window.tally.samples_over_limit += u64::from(!fits);
    }

    fn add_member(&mut self, id: u32, text: &[u8]) {
        if let Some(estimate) = self.window.estimate(id) {
            estimate.add(text);
            self.window.update(id);
            return;
        }
        let hash = owned(self.hash.text(text), id);
        if self.window.members.find(hash, id, text).is_some() {
            self.window.update(id);
            return;
        }
        let count = self.window.cells.get(id).map_or(0.0, |cell| cell.value);
        if count < f64::from(self.limits.per_set) && self.members.take(&self.shared.members, self.limits.members) {
            self.window.members.insert(hash, id, text);
            self.window.update(id).value += 1.0;
        } else if self.estimates.take(&self.shared.estimates, self.limits.estimates) {
            self.window.begin_estimate(id, text);
        } else {
            self.window.update(id);
            self.window.tally.members_over_limit += 1;
        }
    }
}
