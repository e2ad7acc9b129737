//! How series are computed and kept, by number; 0 is how it is for all that no rule is for.

use crate::family::{Family, State};
use crate::rule::Profile;
use std::collections::HashMap;

/// All profiles that rules have asked for.
#[derive(Debug)]
pub(crate) struct Profiles {
    list: Vec<Profile>,
    /// By profile over how many seconds its series are flushed now; none when they are not due.
    due: Vec<Option<f64>>,
    /// By number of windows the seconds since the last flush of series that take so many.
    since: HashMap<u32, f64>,
}

impl Default for Profiles {
    fn default() -> Self {
        Self { list: vec![Profile::default()], due: Vec::new(), since: HashMap::new() }
    }
}

impl Profiles {
    /// The number of a profile. Equal ones have the same.
    pub(crate) fn number(&mut self, profile: &Profile) -> u32 {
        let every = if profile.every == 1 { 0 } else { profile.every };
        let profile = Profile { every, ..profile.clone() };
        let place = self.list.iter().position(|other| *other == profile).unwrap_or_else(|| {
            self.list.push(profile);
            self.list.len() - 1
        });
        u32::try_from(place).unwrap_or(0)
    }

    pub(crate) fn get(&self, number: u32) -> &Profile {
        &self.list[number as usize]
    }

    /// Say that a window of so many seconds is flushed, as the flush of that number, counted from 0.
    pub(crate) fn begin(&mut self, flushes: u32, seconds: f64, last: bool) {
        let every = |profile: &Profile| profile.every.max(1);
        let mut spans: HashMap<u32, f64> = HashMap::new();
        for profile in &self.list {
            spans.insert(every(profile), self.since.get(&every(profile)).copied().unwrap_or_default() + seconds);
        }
        let is_due = |every: u32| last || flushes.wrapping_add(1) % every == 0;
        self.due = self.list.iter().map(|each| is_due(every(each)).then(|| spans[&every(each)])).collect();
        spans.iter_mut().filter(|(every, _)| is_due(**every)).for_each(|(_, span)| *span = 0.0);
        self.since = spans;
    }

    pub(crate) fn all_due(&self) -> bool {
        self.due.iter().all(Option::is_some)
    }

    pub(crate) fn is_due(&self, state: &State) -> bool {
        self.due[state.mark.profile as usize].is_some()
    }

    /// Over how many seconds a series is flushed.
    pub(crate) fn seconds(&self, state: &State) -> f64 {
        self.seconds_of(state.mark.profile)
    }

    pub(crate) fn seconds_of(&self, profile: u32) -> f64 {
        self.due[profile as usize].unwrap_or_default()
    }

    /// The listed series that are due.
    pub(crate) fn due(&self, family: &Family) -> Vec<u32> {
        family.listed().filter(|(_, state)| self.is_due(state)).map(|(series, _)| series).collect()
    }

    /// Series by profile; profiles that none has are left out.
    pub(crate) fn split(&self, rows: &[u32], family: &Family) -> Vec<(u32, Vec<u32>)> {
        let mut split: Vec<(u32, Vec<u32>)> = (0..).take(self.list.len()).map(|number| (number, Vec::new())).collect();
        for series in rows {
            split[family.states[*series as usize].mark.profile as usize].1.push(*series);
        }
        split.retain(|(_, rows)| !rows.is_empty());
        split
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_add_up_until_a_profile_is_due() {
        let mut profiles = Profiles::default();
        let slow = profiles.number(&Profile { every: 3, ..Profile::default() });
        assert_eq!(profiles.number(&Profile { every: 3, ..Profile::default() }), slow);
        let mut spans = Vec::new();
        for flush in 0..6 {
            profiles.begin(flush, 10.0, false);
            spans.push(profiles.due[slow as usize]);
            assert_eq!(profiles.due[0], Some(10.0));
        }
        assert_eq!(spans, [None, None, Some(30.0), None, None, Some(30.0)]);
        profiles.begin(6, 4.0, true);
        assert_eq!(profiles.due[slow as usize], Some(4.0));
    }
}
