//! A look at the open window, and the deletion of series from it.
//!
//! Rules:
//!
//! * To look changes nothing. A shard is held for [`SLICE`] items at a time, and ingests in between; so two numbers may
//!   belong to two moments.
//! * Series stand in the order in which the next merge will list them: those it knows, then new ones shard by shard.
//! * What a deleted series took in stays where it is until the window is merged, under an id that nobody knows.

use crate::aggregates::Kind;
use crate::family::{Family, State};
use crate::master::Master;
use crate::shard::Shard;
use crate::window::{Cell, Change, Window};
use std::collections::{HashMap, HashSet};

/// Samples of one timer, or members of one set, that are shown.
const MOST_ITEMS: usize = 1000;
/// Items for which a shard is held at a time: tens of microseconds.
const SLICE: usize = 512;

/// Does some work on a shard, of a number, under its lock. No shard's window may be swapped until the whole look is over.
pub type Hold<'a> = &'a dyn Fn(usize, &mut dyn FnMut(&mut Shard));

/// The first series of a kind as the open window has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peeked {
    pub keys: Vec<String>,
    /// Sums of counters, values of gauges, numbers of samples and of members.
    pub values: Vec<f64>,
    /// Of timers alone.
    pub samples: Vec<Vec<f64>>,
    /// Of sets alone.
    pub members: Vec<Vec<String>>,
    /// How many series there are of this kind.
    pub count: usize,
}

/// All series of a kind in the open window, by their places.
pub(crate) struct Survey<'a> {
    master: &'a Master,
    kind: Kind,
    hold: Hold<'a>,
    /// By series the place.
    listed: Vec<usize>,
    /// The series that the master does not list: a shard that has them, and their id there.
    new: Vec<(usize, u32)>,
    /// By the hash of the key the place of a new series.
    by_hash: HashMap<u64, usize>,
    /// By shard and id the place of a series that the master does not know by that id.
    by_id: Vec<HashMap<u32, usize>>,
}

impl<'a> Survey<'a> {
    /// Find all series; `visit` is given the place and the cell of each that a shard updated.
    pub(crate) fn walk(master: &'a Master, kind: Kind, hold: Hold<'a>, visit: &mut dyn FnMut(usize, &Cell)) -> Self {
        let family = &master.families[kind as usize];
        let mut listed = vec![usize::MAX; family.states.len()];
        for (place, (series, _)) in family.listed().enumerate() {
            listed[series as usize] = place;
        }
        let by_id = master.shards.iter().map(|_| HashMap::new()).collect();
        let mut survey = Self { master, kind, hold, listed, new: Vec::new(), by_hash: HashMap::new(), by_id };
        for number in 0..master.shards.len() {
            in_slices(hold, number, |shard| shard.window().touched.len(), &mut |shard, at| {
                let window = shard.window();
                let id = window.touched[at];
                if let Some(place) = survey.place_or_new(number, id, shard) {
                    visit(place, window.cells.get(id).unwrap_or(&Cell::default()));
                }
            });
        }
        survey
    }

    fn family(&self) -> &'a Family {
        &self.master.families[self.kind as usize]
    }

    /// The series at a place, where the master lists it.
    fn series(&self, place: usize) -> Option<u32> {
        self.family().order.get(place).copied()
    }

    /// How many series there are.
    fn count(&self) -> usize {
        self.family().order.len() + self.new.len()
    }

    /// The place of a shard's id, where it has one yet.
    fn place(&self, shard: usize, id: u32) -> Option<usize> {
        match self.master.shards[shard].find(id) {
            Some((kind, series)) => (kind == self.kind).then(|| self.listed[series as usize]),
            None => self.by_id[shard].get(&id).copied(),
        }
    }

    fn place_or_new(&mut self, number: usize, id: u32, shard: &Shard) -> Option<usize> {
        if self.master.shards[number].find(id).is_some() {
            return self.place(number, id);
        }
        let (kind, key) = shard.series(id);
        if kind != self.kind as u32 {
            return None;
        }
        let place = self.find(key).unwrap_or_else(|| {
            let place = self.count();
            self.by_hash.insert(self.master.hash.text(key), place);
            self.new.push((number, id));
            place
        });
        self.by_id[number].insert(id, place);
        Some(place)
    }

    /// The place of a key.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let listed = self.family().find(key).map(|series| self.listed[series as usize]);
        listed.or_else(|| self.by_hash.get(&self.master.hash.text(key)).copied())
    }

    /// The keys at some places.
    pub(crate) fn keys(&self, places: &[usize]) -> Vec<String> {
        let family = self.family();
        let mut keys = Vec::with_capacity(places.len());
        for place in places {
            let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
            if let Some(series) = family.order.get(*place) {
                keys.push(text(family.key(*series)));
            } else if let Some((shard, id)) = self.new.get(*place - family.order.len()) {
                (self.hold)(*shard, &mut |shard| keys.push(text(shard.series(*id).1)));
            }
        }
        keys
    }

    /// What is known of the series at the first places before the open window.
    fn states(&self, most: usize) -> Vec<State> {
        let family = self.family();
        let mut states: Vec<State> = family.listed().take(most).map(|(_, state)| *state).collect();
        states.resize(self.count().min(most), State::default());
        states
    }
}

/// Do `work` on items of a shard, a slice of them at a time, up to as many as `count` says at first.
fn in_slices(hold: Hold, number: usize, count: impl Fn(&Shard) -> usize, work: &mut dyn FnMut(&Shard, usize)) {
    let (mut at, mut end) = (0, usize::MAX);
    while at < end {
        hold(number, &mut |shard| {
            end = end.min(count(shard));
            let slice = at..end.min(at + SLICE);
            at = slice.end.max(at);
            slice.for_each(|item| work(shard, item));
        });
    }
}

impl Master {
    /// The first `most` series of a kind as the open window has them.
    #[must_use]
    pub fn peek(&self, kind: Kind, most: usize, hold: Hold) -> Peeked {
        let mut cells: Vec<(usize, Cell)> = Vec::new();
        let survey = Survey::walk(self, kind, hold, &mut |place, cell| {
            if place < most {
                cells.push((place, *cell));
            }
        });
        let mut states = survey.states(most);
        for (place, cell) in cells {
            states[place].gather(kind, cell);
        }
        let mut peeked = Peeked { count: survey.count(), ..Peeked::default() };
        match kind {
            Kind::Counter => {}
            Kind::Gauge => survey.change(&mut states),
            Kind::Timer => {
                peeked.samples = survey.samples(&mut states);
            }
            Kind::Set => peeked.members = survey.members(&mut states),
        }
        peeked.values = states.iter().map(|state| state.value).collect();
        peeked.keys = survey.keys(&(0..states.len()).collect::<Vec<_>>());
        peeked
    }

    /// The first `most` keys of a kind that start with `prefix`.
    #[must_use]
    pub fn keys(&self, kind: Kind, prefix: &str, most: usize, hold: Hold) -> Vec<String> {
        let survey = Survey::walk(self, kind, hold, &mut |_, _| {});
        let mut found = Vec::new();
        let mut from = 0;
        while from < survey.count() && found.len() < most {
            let places: Vec<usize> = (from..survey.count().min(from + SLICE)).collect();
            found.extend(survey.keys(&places).into_iter().filter(|key| key.starts_with(prefix)));
            from += SLICE;
        }
        found.truncate(most);
        found
    }

    /// Delete series by their keys, also from the open window. Says of each whether there was one.
    pub fn delete(&mut self, kind: Kind, keys: &[&str], hold: Hold) -> Vec<bool> {
        let mut seen = HashSet::new();
        let mut there: Vec<bool> = keys.iter().map(|key| seen.insert(*key)).collect();
        let first = there.clone();
        let family = &self.families[kind as usize];
        let series: Vec<Option<u32>> = keys.iter().map(|key| family.find(key.as_bytes())).collect();
        there.iter_mut().zip(&series).for_each(|(there, series)| *there &= series.is_some());
        for number in 0..self.shards.len() {
            for start in (0..keys.len()).step_by(SLICE) {
                hold(number, &mut |shard| {
                    for at in start..keys.len().min(start + SLICE) {
                        there[at] |= first[at] && shard.delete(kind, keys[at].as_bytes());
                    }
                });
            }
        }
        self.delete_listed(kind, &series.into_iter().flatten().collect());
        self.finished.forget(kind, &seen);
        there
    }

    fn delete_listed(&mut self, kind: Kind, series: &HashSet<u32>) {
        let Self { families, shards, restored, .. } = self;
        let family = &mut families[kind as usize];
        *restored -= series.iter().filter(|series| family.state(**series).restored).count();
        family.remove(series, |shard, id| shards[shard].disown(id));
    }
}

impl Survey<'_> {
    /// Move gauges by their changes before they were set.
    fn change(&self, states: &mut [State]) {
        for number in 0..self.master.shards.len() {
            self.blocks(
                number,
                |window, block| window.changes.block(block).map(<[_]>::to_vec),
                &mut |change: Change| {
                    if let Some(state) = self.place(number, change.id).and_then(|place| states.get_mut(place)) {
                        state.change(change);
                    }
                },
            );
        }
    }

    /// The first samples of each timer, whose states get the number of all as their values. Those held from windows before
    /// come first.
    fn samples(&self, states: &mut [State]) -> Vec<Vec<f64>> {
        let (held, sketches) = (&self.family().held.samples, &self.family().held.sketches);
        let mut samples: Vec<Vec<f64>> = vec![Vec::new(); states.len()];
        for (place, state) in states.iter_mut().enumerate() {
            let before = self.series(place).and_then(|series| held.get(&series)).map_or(&[][..], Vec::as_slice);
            samples[place].extend(before.iter().take(MOST_ITEMS));
            let beyond = self.series(place).and_then(|series| sketches.get(&series)?.get(0));
            let beyond = beyond.map_or(0, |sketch| usize::try_from(sketch.whole.count).unwrap_or(usize::MAX));
            state.value = f64::from(state.updates) + float(before.len()) + float(beyond);
        }
        for number in 0..self.master.shards.len() {
            self.blocks(
                number,
                |window, block| window.samples.block(block).map(<[_]>::to_vec),
                &mut |(id, sample): (u32, f64)| {
                    if let Some(place) = self.place(number, id).filter(|place| *place < states.len()) {
                        let own = &mut samples[place];
                        if own.len() < MOST_ITEMS && float(own.len()) < states[place].value {
                            own.push(sample);
                        }
                    }
                },
            );
        }
        samples
    }

    /// The first members of each set. Those held from windows before come first, in no order; where there are any, or where
    /// several shards updated the set, the distinct ones are counted.
    fn members(&self, states: &mut [State]) -> Vec<Vec<String>> {
        let mut members = vec![Vec::new(); states.len()];
        let mut seen = HashSet::new();
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        states.iter_mut().filter(|state| state.sharers > 1).for_each(|state| state.value = 0.0);
        let mut counted: Vec<bool> = states.iter().map(|state| state.sharers > 1).collect();
        for (series, held) in &self.family().held.members {
            let Some(place) = Some(self.listed[*series as usize]).filter(|place| *place < states.len()) else {
                continue;
            };
            counted[place] = true;
            states[place].value = float(held.len());
            seen.extend(held.iter().map(|member| (place, self.master.hash.text(member))));
            members[place].extend(held.iter().take(MOST_ITEMS).map(|member| text(member)));
        }
        for number in 0..self.master.shards.len() {
            let count = |shard: &Shard| shard.window().members.known() as usize;
            in_slices(self.hold, number, count, &mut |shard, item| {
                let (id, member) = shard.window().members.get(u32::try_from(item).unwrap_or(u32::MAX));
                let Some(place) = self.place(number, id).filter(|place| *place < states.len()) else {
                    return;
                };
                if counted[place] {
                    if !seen.insert((place, self.master.hash.text(member))) {
                        return;
                    }
                    states[place].value += 1.0;
                }
                if members[place].len() < MOST_ITEMS {
                    members[place].push(text(member));
                }
            });
        }
        members
    }

    /// Go through a log of a shard's window: copied under the lock block by block, up to the end that it has at first.
    fn blocks<T>(&self, number: usize, copy: impl Fn(&Window, usize) -> Option<Vec<T>>, work: &mut dyn FnMut(T)) {
        for block in 0.. {
            let mut items = None;
            (self.hold)(number, &mut |shard| items = copy(shard.window(), block));
            match items {
                Some(items) => items.into_iter().for_each(&mut *work),
                None => return,
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: usize) -> f64 {
    count as f64
}
