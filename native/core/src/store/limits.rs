//! How much of timers and sets is kept exactly.

use crate::rules::Rules;

/// How much of timers and sets is kept exactly, and how much room there is for the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) series: usize,
    pub(super) samples: usize,
    pub(super) per_timer: u32,
    pub(super) pages: usize,
    pub(super) members: usize,
    pub(super) per_set: u32,
    pub(super) estimates: usize,
}

impl Limits {
    /// Samples that take as much memory as a page of a sketch.
    const PAGE: usize = 16;
    /// Members that take as much memory as an estimate.
    const ESTIMATE: usize = 256;
    /// The most that a cell counts with certainty.
    const MOST: u32 = 1 << 30;
}

impl From<&Rules> for Limits {
    fn from(rules: &Rules) -> Self {
        let each = |limit: usize| u32::try_from(limit).unwrap_or(Self::MOST).min(Self::MOST);
        Self {
            series: rules.max_series,
            samples: rules.max_samples,
            per_timer: each(rules.max_samples_per_timer),
            pages: rules.max_samples.div_ceil(Self::PAGE),
            members: rules.max_set_members,
            per_set: each(rules.max_members_per_set),
            estimates: rules.max_set_members.div_ceil(Self::ESTIMATE),
        }
    }
}
