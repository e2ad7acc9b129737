//! Receiver threads: each reads one socket into one lane until stopped.

use crate::engine::{Engine, Lane, lock};
use nilometer_core::{BadLine, Dialect};
use nilometer_receive::{Batch, Datagram, Guard, Meter, Reader, SLOTS};
use pyo3::prelude::*;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a refused line that are shown.
const SHOWN: usize = 512;

/// A thread that reads, and what is needed to end it.
struct Running {
    thread: JoinHandle<()>,
    lane: Arc<Lane>,
    meter: Meter,
}

#[pyclass(frozen, module = "nilometer_native")]
pub struct Receiver {
    #[pyo3(get)]
    address: String,
    #[pyo3(get)]
    buffer_bytes: usize,
    engine: Arc<Engine>,
    guard: Arc<Guard>,
    stop: Arc<AtomicBool>,
    running: Mutex<Vec<Running>>,
}

#[pymethods]
impl Receiver {
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }

    fn refused(&self) -> Vec<(&'static str, u64, String)> {
        let refused = self.guard.refused().into_iter();
        refused.map(|(refusal, number, sender)| (refusal.name(), number, sender)).collect()
    }

    fn rekey(&self, key: &[u8]) {
        self.guard.rekey(key);
    }
}

impl Receiver {
    /// Starts a thread for each reader; `what` goes into the threads' names.
    pub fn start(
        engine: &Arc<Engine>,
        readers: Vec<Reader>,
        what: &str,
        dialect: Dialect,
        guard: Guard,
    ) -> io::Result<Self> {
        let receiver = Self {
            address: readers.first().map(Reader::address_text).unwrap_or_default(),
            buffer_bytes: readers.iter().map(Reader::buffer).min().unwrap_or_default(),
            engine: Arc::clone(engine),
            guard: Arc::new(guard),
            stop: Arc::default(),
            running: Mutex::default(),
        };
        for reader in readers {
            receiver.spawn(reader, what, dialect)?; // on an error the receiver is dropped, and ends the threads before
        }
        Ok(receiver)
    }

    fn spawn(&self, reader: Reader, what: &str, dialect: Dialect) -> io::Result<()> {
        let (lane, meter) = (self.engine.lane(), reader.drops());
        let (stop, filled, path) = (Arc::clone(&self.stop), Arc::clone(&lane), self.address.clone());
        let (engine, guard) = (Arc::clone(&self.engine), Arc::clone(&self.guard));
        let name = format!("nilo-{what}-{}", lock(&lane.shard).number());
        let read = move || reader.run(&stop, |batch| take(&engine, &guard, &filled, batch, &path, dialect));
        let thread = Builder::new().name(name).spawn(read).inspect_err(|_| self.engine.leave(Arc::clone(&lane)))?;
        self.engine.watch(meter.clone());
        lock(&self.running).push(Running { thread, lane, meter });
        Ok(())
    }

    fn end(&self) {
        self.stop.store(true, Ordering::Release);
        for Running { thread, lane, meter } in lock(&self.running).drain(..) {
            if thread.join().is_err() {
                lock(&lane.refused).add(1, None);
            }
            self.engine.unwatch(&meter);
            self.engine.leave(lane);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

/// Takes a batch in: what the guard admits is copied to those who want it, and counted.
fn take(engine: &Engine, guard: &Guard, lane: &Lane, batch: &Batch, path: &str, dialect: Dialect) {
    lane.hear();
    if guard.is_open() {
        engine.copy(|| batch.datagrams());
        return count(lane, batch.datagrams(), path, dialect);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let admitted: Vec<_> = batch.datagrams().filter_map(|datagram| admit(guard, datagram, path, now)).collect();
    engine.copy(|| admitted.iter().copied());
    count(lane, admitted.into_iter(), path, dialect);
}

/// Returns a datagram with what it carries, or counts why it is refused.
fn admit<'a>(guard: &Guard, datagram: Datagram<'a>, path: &str, now: u64) -> Option<Datagram<'a>> {
    match guard.admit(datagram.address(), datagram.bytes, now) {
        Ok(bytes) => Some(datagram.with(bytes)),
        Err(refusal) => {
            guard.refuse(refusal, || datagram.source().unwrap_or_else(|| path.to_owned()));
            None
        }
    }
}

/// Counts datagrams into a lane, some at a time.
fn count<'a>(lane: &Lane, mut datagrams: impl Iterator<Item = Datagram<'a>>, path: &str, dialect: Dialect) {
    loop {
        let group: Vec<_> = datagrams.by_ref().take(SLOTS).collect();
        if group.is_empty() {
            break;
        }
        count_group(lane, &group, path, dialect);
    }
}

/// A sender without a name is called by `path`, the place that it wrote to.
fn count_group(lane: &Lane, group: &[Datagram<'_>], path: &str, dialect: Dialect) {
    let mut packets: [&[u8]; SLOTS] = [&[]; SLOTS];
    let mut cut = Vec::new();
    for (place, datagram) in packets.iter_mut().zip(group) {
        let (whole, rest) = datagram.bytes.split_at(whole_lines(datagram));
        *place = whole;
        if datagram.truncated {
            cut.push(cut_off(datagram.source(), rest, path));
        }
    }
    let source = |place: usize| group[place].source().unwrap_or_else(|| path.to_owned());
    let counted = catch_unwind(AssertUnwindSafe(|| {
        let mut shard = lock(&lane.shard);
        shard.feed_many(&packets[..group.len()], &source, dialect);
        for bad in &cut {
            shard.rank(bad);
        }
    }));
    let panicked = if counted.is_ok() { 0 } else { group.len() };
    if panicked + cut.len() > 0 {
        lock(&lane.refused).add((panicked + cut.len()) as u64, cut);
    }
}

/// Returns how many bytes of a datagram are lines that it holds to their ends.
fn whole_lines(datagram: &Datagram<'_>) -> usize {
    let newline = |bytes: &[u8]| bytes.iter().rposition(|&byte| byte == b'\n');
    if datagram.truncated { newline(datagram.bytes).map_or(0, |at| at + 1) } else { datagram.bytes.len() }
}

fn cut_off(source: Option<String>, line: &[u8], path: &str) -> BadLine {
    BadLine {
        source: source.unwrap_or_else(|| path.to_owned()),
        line: String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned(),
        fields: String::new(),
        reason: "the end of its datagram was cut off: send shorter ones",
    }
}
