//! Waits for memory, of many values at once: what they need is touched before any of it is used.

use super::{Sample, Store};
use std::hint::black_box;

const NONE: u32 = u32::MAX;

impl Store {
    /// Touch the memory that the values need, without waiting for any of it in turn.
    pub(super) fn load(&self, samples: &[Sample]) {
        let mut sum = 0;
        for sample in samples {
            sum ^= match sample.tags {
                Some(_) => self.spellings.touch(sample.hash),
                None => self.series.touch(sample.hash),
            };
        }
        black_box(sum);
        let mut sum = 0;
        for sample in samples {
            let (id, text) = match sample.tags {
                Some(_) => self.spellings.guess(sample.hash).map_or((NONE, 0), |id| (id, self.life(id))),
                None => self.series.guess(sample.hash).map_or((NONE, 0), |id| (id, self.series.touch_text(id))),
            };
            sum ^= text ^ self.window.cells.get(id).map_or(0, |cell| cell.stamp);
        }
        black_box(sum);
        if !self.routes.is_empty() {
            self.load_routes(samples);
        }
    }

    fn load_routes(&self, samples: &[Sample]) {
        let plain = || samples.iter().filter(|sample| sample.tags.is_none());
        black_box(plain().fold(0, |sum, sample| sum ^ self.routes.touch(sample.hash)));
        for sample in plain() {
            let id = self.routes.guess(sample.hash).unwrap_or(NONE);
            black_box(self.window.cells.get(id).map_or(0, |cell| cell.stamp) ^ self.life(id));
        }
    }
}
