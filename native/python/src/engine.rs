//! Shards behind their locks, and the flush over all of them.
//!
//! Rules:
//!
//! * A shard's lock is held while one batch is counted, or while the flush swaps its window; nothing slow happens under it.
//! * The master's lock is held for a whole flush. It is taken before a shard's, never after.
//! * A panic ends in the call where it happened: locks are taken whether poisoned or not, and what a reader's thread was
//!   counting then is counted as bad lines.

use crate::tap::Place;
use nilometer_core::{
    Aggregates, BadLine, FORGET_AT_ONCE, Master, Notice, Overflowed, Rules, Shard, Tally, Timed, Timeline,
};
use nilometer_receive::{Datagram, Meter, Relay, Tap};
use std::hash::{BuildHasher, RandomState};
use std::iter::once;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bad lines, or refused keys, kept for one call of `bad_lines` or `overflowed`.
const BAD_LINES_KEPT: usize = 32;

/// Locks, whatever became of the thread that held it before.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shard and those of its losses that happen outside it.
pub struct Lane {
    pub shard: Mutex<Shard>,
    pub refused: Mutex<Refused>,
    since: Instant,
    /// Milliseconds from `since` to the last packet.
    heard: AtomicU64,
}

impl Lane {
    fn new(shard: Shard, since: Instant) -> Self {
        Self { shard: Mutex::new(shard), refused: Mutex::default(), since, heard: AtomicU64::new(0) }
    }

    /// Notes that packets came.
    pub fn hear(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Returns when the last packet came, counted from when the engine was made.
    pub fn heard(&self) -> Duration {
        Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }
}

/// Lines lost because the end of their datagram was cut off, datagrams lost to a panic.
#[derive(Default)]
pub struct Refused {
    pub count: u64,
    shown: Vec<BadLine>,
}

impl Refused {
    /// Counts `lost` and keeps what there is to show of it, while there is room.
    pub fn add(&mut self, lost: u64, shown: impl IntoIterator<Item = BadLine>) {
        self.count += lost;
        let room = BAD_LINES_KEPT - self.shown.len();
        self.shown.extend(shown.into_iter().take(room));
    }
}

/// What a finished window amounts to, with what only the engine knows.
pub struct Finished {
    pub aggregates: Aggregates,
    pub timed: Vec<Timed>,
    pub kernel_drops: u64,
    pub pause: Duration,
}

#[derive(Default)]
struct Lanes {
    all: Vec<Arc<Lane>>,
    idle: Vec<Arc<Lane>>,
}

/// One kernel's shards, and the master that merges them.
pub struct Engine {
    master: Mutex<Master>,
    lanes: Mutex<Lanes>,
    meters: Mutex<Vec<Meter>>,
    drops: AtomicU64,
    /// What the windows that are finished have counted.
    pub counted: Mutex<Tally>,
    pub since: Instant,
    pub relay: Place<Relay>,
    pub tap: Place<Tap>,
}

impl Engine {
    pub fn new(rules: Rules) -> Self {
        let seed = RandomState::new().hash_one(0);
        Self {
            master: Mutex::new(Master::new(rules, seed)),
            lanes: Mutex::default(),
            meters: Mutex::default(),
            drops: AtomicU64::new(0),
            counted: Mutex::default(),
            since: Instant::now(),
            relay: Place::default(),
            tap: Place::default(),
        }
    }

    /// Returns a lane for one reader: one that another reader has left, or a new one.
    pub fn lane(&self) -> Arc<Lane> {
        let mut master = lock(&self.master);
        let mut lanes = lock(&self.lanes);
        lanes.idle.pop().unwrap_or_else(|| {
            let lane = Arc::new(Lane::new(master.shard(), self.since));
            lanes.all.push(Arc::clone(&lane));
            lane
        })
    }

    /// Takes a lane back; what it holds is still flushed.
    pub fn leave(&self, lane: Arc<Lane>) {
        lock(&self.lanes).idle.push(lane);
    }

    /// Asks a socket for its drops at every flush.
    pub fn watch(&self, meter: Meter) {
        lock(&self.meters).push(meter);
    }

    /// Asks a socket a last time, and lets go of it.
    pub fn unwatch(&self, meter: &Meter) {
        self.drops.fetch_add(meter.take(), Ordering::Relaxed);
        lock(&self.meters).retain(|one| !one.same(meter));
    }

    /// Gives a copy of datagrams to those who want what comes in.
    pub fn copy<'a, Datagrams: Iterator<Item = Datagram<'a>>>(&self, datagrams: impl Fn() -> Datagrams) {
        if let Some(relay) = self.relay.get() {
            relay.offer(datagrams().map(|datagram| datagram.bytes));
        }
        if let Some(tap) = self.tap.get() {
            tap.offer(datagrams().map(|datagram| datagram.bytes));
        }
    }

    /// Gives a copy of a stream's lines to those who want what comes in.
    pub fn copy_lines(&self, lines: &[u8]) {
        if let Some(relay) = self.relay.get() {
            relay.offer_lines(lines);
        }
        if let Some(tap) = self.tap.get() {
            tap.offer(once(lines));
        }
    }

    pub fn configure(&self, rules: &Rules) {
        let mut master = lock(&self.master);
        master.configure(rules.clone());
        for lane in self.all() {
            lock(&lane.shard).configure(rules);
        }
    }

    /// Swaps every shard's window and merges them; ingest goes on meanwhile. With `last`, nothing is held for a later flush.
    pub fn flush(&self, seconds: f64, last: bool) -> Finished {
        let mut master = lock(&self.master);
        let lanes = self.all();
        let (mut pause, mut timelines) = (Duration::ZERO, Vec::new());
        let finished = lanes.iter().enumerate().map(|(number, lane)| {
            let spare = master.spare(number);
            hold(lane, &mut pause, |shard| {
                timelines.push(shard.timed());
                shard.swap(spare)
            })
        });
        let finished = finished.collect();
        let timed = timelines.into_iter().flat_map(Timeline::values).collect();
        let mut aggregates = master.merge(finished, seconds, last);
        for (number, ids) in master.dead() {
            for slice in ids.chunks(FORGET_AT_ONCE) {
                hold(&lanes[number], &mut pause, |shard| shard.forget(slice));
            }
        }
        let refused: u64 = lanes.iter().map(|lane| take(&mut lock(&lane.refused).count)).sum();
        aggregates.tally.lines += refused;
        aggregates.tally.bad_lines += refused;
        lock(&self.counted).add(&aggregates.tally);
        Finished { aggregates, timed, kernel_drops: self.kernel_drops(), pause }
    }

    /// Returns refused lines, few of them.
    pub fn bad_lines(&self) -> Vec<BadLine> {
        let lanes = self.all();
        let refused = lanes.iter().flat_map(|lane| {
            let shown = take(&mut lock(&lane.refused).shown);
            lock(&lane.shard).bad_lines().into_iter().chain(shown)
        });
        refused.take(BAD_LINES_KEPT).collect()
    }

    /// Returns keys that a limit refused, few of them.
    pub fn overflowed(&self) -> Vec<Overflowed> {
        let lanes = self.all();
        lanes.iter().flat_map(|lane| lock(&lane.shard).overflowed()).take(BAD_LINES_KEPT).collect()
    }

    /// Takes events and service checks, and how many there were no room for.
    pub fn notices(&self) -> (Vec<Notice>, u64) {
        let (mut notices, mut lost) = (Vec::new(), 0);
        for lane in self.all() {
            let (more, fewer) = lock(&lane.shard).notices();
            notices.extend(more);
            lost += fewer;
        }
        (notices, lost)
    }

    /// Returns whether keys are cleaned, and how many bytes a line may have.
    pub fn reading(&self) -> (bool, usize) {
        let master = lock(&self.master);
        (master.rules().sanitize, master.rules().max_line)
    }

    pub fn gauges(&self) -> (Vec<u8>, Vec<f64>) {
        lock(&self.master).gauges()
    }

    pub fn restore_gauges(&self, gauges: &[(String, f64)]) {
        let gauges = gauges.iter().map(|(key, value)| (key.as_str(), *value));
        lock(&self.master).restore_gauges(gauges);
    }

    fn kernel_drops(&self) -> u64 {
        let open: u64 = lock(&self.meters).iter().map(Meter::take).sum();
        open + self.drops.swap(0, Ordering::Relaxed)
    }

    /// Locks the master.
    pub fn master(&self) -> MutexGuard<'_, Master> {
        lock(&self.master)
    }

    pub fn all(&self) -> Vec<Arc<Lane>> {
        lock(&self.lanes).all.clone()
    }
}

/// Calls `work` under a shard's lock; `longest` becomes the time for which that was held, when it is the longest yet.
fn hold<T>(lane: &Lane, longest: &mut Duration, work: impl FnOnce(&mut Shard) -> T) -> T {
    let mut shard = lock(&lane.shard);
    let start = Instant::now();
    let result = work(&mut shard);
    drop(shard);
    *longest = start.elapsed().max(*longest);
    result
}
