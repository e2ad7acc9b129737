//! Receiver threads: each reads one socket into one lane until stopped.

use crate::engine::{Engine, Lane, lock};
use nilometer_core::Dialect;
use nilometer_receive::{Batch, Datagram, Meter, Reader, SLOTS};
use pyo3::prelude::*;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

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
    stop: Arc<AtomicBool>,
    running: Mutex<Vec<Running>>,
}

#[pymethods]
impl Receiver {
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }
}

impl Receiver {
    /// Starts a thread for each reader; `what` goes into the threads' names.
    pub fn start(engine: &Arc<Engine>, readers: Vec<Reader>, what: &str, dialect: Dialect) -> io::Result<Self> {
        let receiver = Self {
            address: readers.first().map(Reader::address_text).unwrap_or_default(),
            buffer_bytes: readers.iter().map(Reader::buffer).min().unwrap_or_default(),
            engine: Arc::clone(engine),
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
        let name = format!("nilo-{what}-{}", lock(&lane.shard).number());
        let read = move || reader.run(&stop, |batch| count(&filled, batch, &path, dialect));
        let thread = match Builder::new().name(name).spawn(read) {
            Ok(thread) => thread,
            Err(error) => {
                self.engine.leave(lane);
                return Err(error);
            }
        };
        self.engine.watch(meter.clone());
        lock(&self.running).push(Running { thread, lane, meter });
        Ok(())
    }

    fn end(&self) {
        self.stop.store(true, Ordering::Release);
        for Running { thread, lane, meter } in lock(&self.running).drain(..) {
            if thread.join().is_err() {
                lane.refused.fetch_add(1, Ordering::Relaxed);
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

/// Counts a batch into a lane. A sender without a name is called by `path`, the place that it wrote to.
fn count(lane: &Lane, batch: &Batch, path: &str, dialect: Dialect) {
    let mut packets: [&[u8]; SLOTS] = [&[]; SLOTS];
    let mut used = 0;
    let mut cut = 0;
    for (place, datagram) in packets.iter_mut().zip(batch.datagrams()) {
        *place = whole_lines(&datagram);
        cut += u64::from(datagram.truncated);
        used += 1;
    }
    let source = |index| {
        let datagram = batch.datagrams().nth(index);
        datagram.and_then(|datagram| datagram.source()).unwrap_or_else(|| path.to_owned())
    };
    let counted = catch_unwind(AssertUnwindSafe(|| {
        lock(&lane.shard).feed_many(&packets[..used], &source, dialect);
    }));
    let lost = if counted.is_ok() { cut } else { cut + used as u64 };
    lane.refused.fetch_add(lost, Ordering::Relaxed);
}

/// Returns a datagram without the line that its end was cut off from.
fn whole_lines<'a>(datagram: &Datagram<'a>) -> &'a [u8] {
    if !datagram.truncated {
        return datagram.bytes;
    }
    let end = datagram.bytes.iter().rposition(|&byte| byte == b'\n');
    &datagram.bytes[..end.map_or(0, |end| end + 1)]
}
