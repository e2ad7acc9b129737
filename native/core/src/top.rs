//! Who sends the most: names, sources, and what is refused, over the last finished window and the open one.
//!
//! Rules:
//!
//! * Names cost nothing on the way in: how often a series was updated stands in its cell. Of a finished window the
//!   greatest are kept; the open one is counted when somebody asks.
//! * Sources and refusals are counted by the Space-Saving algorithm, in bounded memory: where all places are taken, a new
//!   key takes the place of the least, and inherits its count.
//! * Reads from a stream are all counted. Of packets, the first of a window are, then one in 64 at random, which stands
//!   for 64.
//!
//! Source: A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams",
//! 2005.

use crate::aggregates::Kind;
use crate::family::Family;
use crate::master::Master;
use crate::peek::{Hold, Survey};
use crate::window::Window;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Names kept of a finished window.
const MOST_NAMES: usize = 1000;
/// Sources counted at a time in a shard.
const MOST_SOURCES: usize = 1000;
/// Pairs of source and reason counted at a time in a shard.
const MOST_REFUSED: usize = 200;
/// Packets of a window that are all counted.
const ALL_COUNTED: u32 = 4096;
/// How many packets one stands for after that.
const STANDS_FOR: u64 = 64;
/// Between source and reason.
const MARK: char = '\0';

/// The keys with the greatest counts, in a bounded number of places.
#[derive(Clone, Debug)]
struct SpaceSaving {
    most: usize,
    by_key: HashMap<String, usize>,
    counts: Vec<u64>,
    /// By place the key, and a note of when it took the place.
    held: Vec<(String, String)>,
}

impl SpaceSaving {
    fn new(most: usize) -> Self {
        Self { most, by_key: HashMap::new(), counts: Vec::new(), held: Vec::new() }
    }

    fn add(&mut self, key: &str, count: u64, note: impl FnOnce() -> String) {
        if let Some(place) = self.by_key.get(key) {
            self.counts[*place] += count;
            return;
        }
        let held = (key.to_owned(), note());
        if self.held.len() < self.most {
            self.by_key.insert(key.to_owned(), self.held.len());
            self.held.push(held);
            self.counts.push(count);
            return;
        }
        let least = self.counts.iter().min().copied().unwrap_or_default();
        let place = self.counts.iter().position(|count| *count == least).unwrap_or_default();
        let (gone, _) = std::mem::replace(&mut self.held[place], held);
        self.by_key.remove(&gone);
        self.by_key.insert(key.to_owned(), place);
        self.counts[place] += count;
    }

    fn clear(&mut self) {
        self.by_key.clear();
        self.counts.clear();
        self.held.clear();
    }

    /// Each key, its count and its note, in order of places.
    fn iter(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.held.iter().zip(&self.counts).map(|((key, note), count)| (key.as_str(), *count, note.as_str()))
    }
}

/// What one window of a shard knows of those who send.
#[derive(Clone, Debug)]
pub(crate) struct Talkers {
    sources: SpaceSaving,
    refused: SpaceSaving,
    pair: String,
    /// Packets still to be counted, all of them; then those to be skipped.
    all: u32,
    skip: u64,
    random: u64,
}

impl Talkers {
    pub(crate) fn new() -> Self {
        let mut talkers = Self {
            sources: SpaceSaving::new(MOST_SOURCES),
            refused: SpaceSaving::new(MOST_REFUSED),
            pair: String::new(),
            all: ALL_COUNTED,
            skip: 0,
            random: RandomState::new().hash_one(0) | 1,
        };
        talkers.skip = talkers.draw();
        talkers
    }

    pub(crate) fn clear(&mut self) {
        self.sources.clear();
        self.refused.clear();
        self.all = ALL_COUNTED;
    }

    /// For how many packets this one stands; 0 where it is not counted.
    #[inline]
    pub(crate) fn stands_for(&mut self) -> u64 {
        if self.all > 0 {
            self.all -= 1;
            return 1;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return 0;
        }
        self.skip = self.draw();
        STANDS_FOR
    }

    /// How many packets to skip: as often few as many, so that one in `STANDS_FOR` is taken (Marsaglia 2003).
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % (2 * STANDS_FOR - 1)
    }

    pub(crate) fn add_source(&mut self, source: &str, lines: u64) {
        self.sources.add(host(source), lines, String::new);
    }

    pub(crate) fn add_refused(&mut self, source: &str, reason: &str, line: impl FnOnce() -> String) {
        self.pair.clear();
        self.pair.push_str(host(source));
        self.pair.push(MARK);
        self.pair.push_str(reason);
        self.refused.add(&self.pair, 1, line);
    }
}

/// The address of a source `host:port` without its port; a path or a name as it is.
fn host(source: &str) -> &str {
    if source.starts_with(['/', '@']) {
        return source;
    }
    match source.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let host = host.strip_prefix('[').unwrap_or(host);
            host.strip_suffix(']').unwrap_or(host)
        }
        _ => source,
    }
}

/// Counts by key, in order of their first coming, each with the first note.
#[derive(Clone, Debug, Default)]
struct Ranks {
    by_key: HashMap<String, usize>,
    held: Vec<(String, u64, String)>,
}

impl Ranks {
    fn add(&mut self, counted: &SpaceSaving) {
        for (key, count, note) in counted.iter() {
            if let Some(place) = self.by_key.get(key) {
                self.held[*place].1 += count;
            } else {
                self.by_key.insert(key.to_owned(), self.held.len());
                self.held.push((key.to_owned(), count, note.to_owned()));
            }
        }
    }

    fn greatest(mut self, most: usize) -> Vec<(String, u64, String)> {
        self.held.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        self.held.truncate(most);
        self.held
    }
}

/// The items with the greatest counts; of equal ones the first that came.
struct Greatest<T> {
    most: usize,
    held: Vec<(u64, T)>,
    /// What a count must exceed.
    least: u64,
}

impl<T> Greatest<T> {
    fn new(most: usize) -> Self {
        Self { most, held: Vec::new(), least: 0 }
    }

    fn push(&mut self, count: u64, item: T) {
        if count > self.least {
            self.held.push((count, item));
            if self.held.len() > 2 * self.most {
                self.trim();
            }
        }
    }

    fn trim(&mut self) {
        self.held.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        if self.held.len() >= self.most {
            self.held.truncate(self.most);
            self.least = self.held.last().map_or(u64::MAX, |(count, _)| *count);
        }
    }

    /// Greatest first.
    fn finish(mut self) -> Vec<(u64, T)> {
        self.trim();
        self.held
    }
}

/// What is kept of those who sent in the last finished window.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    names: Vec<Name>,
    sources: Ranks,
    refused: Ranks,
}

impl Finished {
    pub(crate) fn new(families: &[Family], windows: &[Window]) -> Self {
        let mut greatest = Greatest::new(MOST_NAMES);
        for family in families {
            for (series, state) in family.listed() {
                greatest.push(u64::from(state.updates), (family, series));
            }
        }
        let names = greatest.finish().into_iter();
        let names =
            names.map(|(updates, (family, series))| Name { kind: family.kind, key: text(family.key(series)), updates });
        let mut finished = Self { names: names.collect(), ..Self::default() };
        for window in windows {
            finished.sources.add(&window.talkers.sources);
            finished.refused.add(&window.talkers.refused);
        }
        finished
    }

    pub(crate) fn forget(&mut self, kind: Kind, keys: &HashSet<&str>) {
        self.names.retain(|name| name.kind != kind || !keys.contains(name.key.as_str()));
    }
}

fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

/// A series and how often it was updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub kind: Kind,
    pub key: String,
    pub updates: u64,
}

/// How many values of a source were refused for a reason; `line` is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub source: String,
    pub reason: String,
    pub refused: u64,
    pub line: String,
}

/// Who sends the most, the greatest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    pub names: Vec<Name>,
    /// Addresses without ports, and lines.
    pub sources: Vec<(String, u64)>,
    pub refused: Vec<Refused>,
}

impl Master {
    /// Who sends the most, over the last merged window and the open one.
    #[must_use]
    pub fn top(&self, most: usize, hold: Hold) -> Top {
        let (mut sources, mut refused) = (self.finished.sources.clone(), self.finished.refused.clone());
        for shard in 0..self.shards.len() {
            let mut open = None;
            hold(shard, &mut |shard| open = Some(shard.window().talkers.clone()));
            if let Some(talkers) = open {
                sources.add(&talkers.sources);
                refused.add(&talkers.refused);
            }
        }
        let refused = refused.greatest(most).into_iter();
        Top {
            names: self.top_names(most, hold),
            sources: sources.greatest(most).into_iter().map(|(source, lines, _)| (source, lines)).collect(),
            refused: refused.map(|(pair, refused, line)| split(&pair, refused, line)).collect(),
        }
    }

    fn top_names(&self, most: usize, hold: Hold) -> Vec<Name> {
        let mut names = self.finished.names.clone();
        for kind in Kind::ALL {
            let mut updates: Vec<u64> = Vec::new();
            let survey = Survey::walk(self, kind, hold, &mut |place, cell| {
                if updates.len() <= place {
                    updates.resize(place + 1, 0);
                }
                updates[place] += u64::from(cell.updates());
            });
            for name in names.iter_mut().filter(|name| name.kind == kind) {
                let count = survey.find(name.key.as_bytes()).and_then(|place| updates.get_mut(place));
                name.updates += count.map_or(0, std::mem::take);
            }
            let mut greatest = Greatest::new(most);
            for (place, updates) in updates.into_iter().enumerate() {
                greatest.push(updates, place);
            }
            let mut greatest = greatest.finish();
            greatest.sort_by_key(|(_, place)| *place);
            let places: Vec<usize> = greatest.iter().map(|(_, place)| *place).collect();
            let keys = survey.keys(&places).into_iter();
            names.extend(keys.zip(greatest).map(|(key, (updates, _))| Name { kind, key, updates }));
        }
        names.sort_by_key(|name| std::cmp::Reverse(name.updates));
        names.truncate(most);
        names
    }
}

fn split(pair: &str, refused: u64, line: String) -> Refused {
    let (source, reason) = pair.rsplit_once(MARK).unwrap_or(("", pair));
    Refused { source: source.to_owned(), reason: reason.to_owned(), refused, line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_goes_without_its_port() {
        let cases = [
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1%2]:80", "2001:db8::1%2"),
            ("/run/a:1", "/run/a:1"),
            ("@a:1", "@a:1"),
            ("name", "name"),
            ("name:", "name:"),
            ("", ""),
        ];
        for (source, address) in cases {
            assert_eq!(host(source), address);
        }
    }

    #[test]
    fn frequent_keys_stay_and_no_count_is_far_off() {
        let mut counted = SpaceSaving::new(10);
        for round in 0..1000 {
            counted.add("often", 1, String::new);
            counted.add(&round.to_string(), 1, String::new);
        }
        let often = counted.iter().find(|(key, ..)| *key == "often").map(|(_, count, _)| count);
        assert!(often.is_some_and(|count| (1000..=1200).contains(&count)));
        assert_eq!(counted.iter().count(), 10);
        assert_eq!(counted.iter().map(|(_, count, _)| count).sum::<u64>(), 2000);
    }

    #[test]
    fn the_greatest_are_found_whatever_their_order() {
        let counts: Vec<u64> = (0..100).map(|number| number * 37 % 50).collect();
        let mut greatest = Greatest::new(7);
        counts.iter().enumerate().for_each(|(place, count)| greatest.push(*count, place));
        let mut sorted: Vec<_> = counts.into_iter().enumerate().map(|(place, count)| (count, place)).collect();
        sorted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        assert_eq!(greatest.finish(), sorted[..7]);
    }

    #[test]
    fn a_sample_stands_for_all() {
        let mut talkers = Talkers::new();
        let total: u64 = (0..200_000).map(|_| talkers.stands_for()).sum();
        assert!((190_000..210_000).contains(&total), "{total}");
        talkers.clear();
        assert_eq!((0..ALL_COUNTED).map(|_| talkers.stands_for()).sum::<u64>(), u64::from(ALL_COUNTED));
    }
}
