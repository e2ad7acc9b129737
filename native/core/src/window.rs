//! All data of one window of one shard. At a flush it is handed over whole, for an empty one.

use crate::aggregates::Tally;
use crate::chunks::{Chunks, Log};
use crate::hll::Estimate;
use crate::limit::later;
use crate::sketch::Sketches;
use crate::table::{Hash, Table};
use crate::top::Talkers;

/// In [`Cell::updates`]: the gauge was set, not only moved.
const SET: u32 = 1 << 31;

/// What a series has in a window.
///
/// * counter: `value` is the sum.
/// * timer: `updates` counts the samples, `value` sums their weights; `stamp`, above 0, is one more than the number of its
///   sketch, which has all samples from then on.
/// * set: `value` counts the distinct members; `stamp`, above 0, is one more than the number of its estimate, which has all
///   members from then on.
/// * gauge, once it was set: `value` is its value, `stamp` the batch that set it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) value: f64,
    updates: u32,
    pub(crate) stamp: u32,
}

impl Cell {
    /// How often the series was updated, up to 2^31 - 1.
    pub(crate) const fn updates(&self) -> u32 {
        self.updates & !SET
    }

    /// Whether a gauge was set in the window, so that what it was before does not matter.
    pub(crate) const fn is_set(&self) -> bool {
        self.updates & SET != 0
    }

    fn set(&mut self, value: f64, stamp: u32) {
        self.value = value;
        self.stamp = stamp;
        self.updates |= SET;
    }
}

/// A gauge moved by `change`. As in statsd, one that is not a number starts afresh.
pub(crate) fn moved(value: f64, change: f64) -> f64 {
    if value.is_nan() { change } else { value + change }
}

/// A gauge's change before it was set in this window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) id: u32,
    pub(crate) stamp: u32,
    pub(crate) by: f64,
}

/// A series that is new to the master, or to the rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born {
    pub(crate) id: u32,
    pub(crate) kind: u32,
    pub(crate) mark: Mark,
    length: usize,
}

/// How a series is computed and kept, by the rules of which generation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    pub(crate) profile: u32,
    pub(crate) generation: u32,
}

/// All data of one window of one shard.
#[derive(Debug)]
pub struct Window {
    pub(crate) shard: usize,
    pub(crate) cells: Chunks<Cell>,
    /// The ids updated in the window, in order of their first update.
    pub(crate) touched: Vec<u32>,
    born: Vec<Born>,
    born_keys: Vec<u8>,
    /// Timers' samples, with their ids.
    pub(crate) samples: Log<(u32, f64)>,
    pub(crate) sketches: Sketches,
    pub(crate) changes: Log<Change>,
    /// How many changes may be held before they are summed up.
    change_room: usize,
    changes_held: usize,
    /// Sets' members; the owner is the series' id.
    pub(crate) members: Table,
    /// The estimates of sets, with their ids.
    pub(crate) estimates: Vec<(u32, Estimate)>,
    /// Ids of series that were deleted while the window was open; what it holds of them counts for nothing.
    pub(crate) retired: Vec<u32>,
    pub(crate) talkers: Talkers,
    pub(crate) tally: Tally,
}

impl Window {
    /// Changes of gauges held one by one: 16 MiB.
    const CHANGES: usize = 1 << 20;

    pub(crate) fn new(shard: usize, hash: Hash) -> Self {
        Self {
            shard,
            cells: Chunks::new(),
            touched: Vec::new(),
            born: Vec::new(),
            born_keys: Vec::new(),
            samples: Log::new(),
            sketches: Sketches::default(),
            changes: Log::new(),
            change_room: Self::CHANGES,
            changes_held: 0,
            members: Table::new(hash),
            estimates: Vec::new(),
            retired: Vec::new(),
            talkers: Talkers::new(),
            tally: Tally::default(),
        }
    }

    /// Note a series that the master does not know, or that has another profile now.
    pub(crate) fn bear(&mut self, id: u32, kind: u32, mark: Mark, key: &[u8]) {
        self.born.push(Born { id, kind, mark, length: key.len() });
        self.born_keys.extend_from_slice(key);
    }

    /// The series that the master does not know, with their keys.
    pub(crate) fn born(&self) -> impl Iterator<Item = (Born, &[u8])> {
        let mut rest = self.born_keys.as_slice();
        self.born.iter().map(move |born| {
            let (key, after) = rest.split_at(born.length);
            rest = after;
            (*born, key)
        })
    }

    /// The cell of a series that is updated now.
    #[inline]
    pub(crate) fn update(&mut self, id: u32) -> &mut Cell {
        let cell = self.cells.at(id);
        if cell.updates == 0 {
            self.touched.push(id);
        }
        if cell.updates() < SET - 1 {
            cell.updates += 1;
        }
        cell
    }

    /// A counter that became NaN starts afresh, as in statsd.
    #[inline]
    pub(crate) fn count(&mut self, id: u32, by: f64) {
        let cell = self.update(id);
        cell.value = moved(cell.value, by);
    }

    /// Count a timer's sample without its value. Says whether that is to be kept exactly: `most` samples of it may be.
    #[inline]
    pub(crate) fn time(&mut self, id: u32, weight: f64, most: u32) -> bool {
        let cell = self.update(id);
        cell.value += weight;
        cell.stamp == 0 && cell.updates() <= most
    }

    /// Put a sample into its timer's sketch. Says whether there was room.
    #[cold]
    pub(crate) fn sketch(&mut self, id: u32, value: f64, room: impl FnOnce() -> bool) -> bool {
        let cell = self.cells.at(id);
        if cell.stamp == 0 {
            let number = self.sketches.make(id, cell.updates() - 1);
            cell.stamp = u32::try_from(number + 1).unwrap_or(u32::MAX);
        }
        self.sketches.add(cell.stamp as usize - 1, value, room)
    }

    /// The samples of a timer that were kept exactly.
    pub(crate) fn exact(&self, cell: &Cell) -> u32 {
        let sketch = (cell.stamp as usize).checked_sub(1).and_then(|number| self.sketches.get(number));
        sketch.map_or(cell.updates(), |sketch| sketch.exact)
    }

    /// The estimate of a set, if it has one.
    pub(crate) fn estimate(&mut self, id: u32) -> Option<&mut Estimate> {
        let stamp = self.cells.get(id)?.stamp as usize;
        self.estimates.get_mut(stamp.checked_sub(1)?).map(|(_, estimate)| estimate)
    }

    /// Begin to estimate a set.
    #[cold]
    pub(crate) fn begin_estimate(&mut self, id: u32, member: &[u8]) {
        let mut estimate = Estimate::new();
        estimate.add(member);
        self.estimates.push((id, estimate));
        let number = self.estimates.len();
        self.update(id).stamp = u32::try_from(number).unwrap_or(u32::MAX);
    }

    pub(crate) fn set_gauge(&mut self, id: u32, value: f64, stamp: u32) {
        self.update(id).set(value, stamp);
    }

    /// Move a gauge. Before it is set in this window, only the master knows from where.
    pub(crate) fn change_gauge(&mut self, id: u32, by: f64, stamp: u32) {
        let cell = self.update(id);
        if cell.is_set() {
            cell.value = moved(cell.value, by);
            return;
        }
        if self.changes_held >= self.change_room {
            self.sum_changes();
        }
        self.changes.push(Change { id, stamp, by });
        self.changes_held += 1;
    }

    /// Sum the changes of each gauge up: of that many, memory matters more than the last digit.
    #[cold]
    fn sum_changes(&mut self) {
        let mut sums: Vec<Change> = Vec::new();
        let mut places = vec![usize::MAX; self.touched.iter().max().map_or(0, |id| *id as usize + 1)];
        for change in self.changes.iter() {
            let place = &mut places[change.id as usize];
            if let Some(sum) = sums.get_mut(*place) {
                sum.by = moved(sum.by, change.by);
                sum.stamp = if later(change.stamp, sum.stamp) { change.stamp } else { sum.stamp };
            } else {
                *place = sums.len();
                sums.push(change);
            }
        }
        self.changes.clear();
        self.changes_held = sums.len();
        self.change_room = Self::CHANGES.max(sums.len() * 2);
        for sum in sums {
            self.changes.push(sum);
        }
    }

    /// Empty the window, for use as a spare. Cells are emptied by the merge.
    pub(crate) fn clear(&mut self) {
        forget(&mut self.touched);
        forget(&mut self.born);
        forget(&mut self.born_keys);
        self.samples.clear();
        self.sketches = Sketches::default();
        self.estimates = Vec::new();
        self.changes.clear();
        self.change_room = Self::CHANGES;
        self.changes_held = 0;
        self.members.clear();
        self.retired.clear();
        self.talkers.clear();
        self.tally = Tally::default();
    }
}

/// Empty a list. One that had far more room than it needed gives it back.
fn forget<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 8 {
        list.shrink_to(list.len());
    }
    list.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_quarter_of_a_cache_line() {
        assert_eq!(size_of::<Cell>(), 16);
    }

    #[test]
    fn very_many_changes_are_summed_up() {
        let mut window = Window::new(0, Hash::new(1));
        window.change_room = 10;
        for stamp in 0..100 {
            window.change_gauge(stamp % 3, 1.0, stamp);
        }
        assert!(window.changes.len() <= Window::CHANGES);
        let total = |id| window.changes.iter().filter(|change| change.id == id).map(|change| change.by).sum::<f64>();
        assert_eq!([total(0), total(1), total(2)].map(|sum| sum.to_string()), ["34", "33", "33"]);
        assert!(window.changes.len() < 100);
    }

    #[test]
    fn a_window_is_empty_again() {
        let mut window = Window::new(0, Hash::new(1));
        window.bear(3, 0, Mark::default(), b"key");
        assert!(window.time(3, 1.0, 1));
        window.samples.push((3, 1.0));
        window.clear();
        assert!(window.touched.is_empty() && window.born().next().is_none() && window.samples.len() == 0);
    }
}
