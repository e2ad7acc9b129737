//! Repeats packets, as they came in and before anybody has read them, to other servers.
//!
//! Rules:
//!
//! * Who offers packets never waits: they are copied into a queue of at most `bound` bytes, and what does not fit is
//!   counted. A thread of its own empties it.
//! * To a UDP target a packet goes as a datagram, unless none can hold it: then it is cut at newlines. For a stream target
//!   packets, each with a newline put after it, wait in an outbox of at most `bound` bytes until somebody takes them.
//! * With a ring, each line goes alone, to the target that its name falls to; without one, everything goes to all.
//! * Every packet is counted once for each target that it was meant for: sent, refused by the system, or dropped.

mod outbox;
mod pieces;
mod queue;
mod ring;

pub use crate::relay::outbox::{Outbox, Parcel};
use crate::relay::pieces::{LONGEST, pieces};
use crate::relay::queue::Queue;
pub use crate::relay::ring::Ring;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Pieces of a stream go to UDP targets in datagrams of about this many bytes: one Ethernet frame with every header.
const FRAME: usize = 1432;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How packets find their targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything to all targets.
    All,
    /// Each line to one target, by its name.
    Ring,
}

/// What kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Datagrams, to the address that `point` names.
    Datagrams,
    /// A stream, which somebody else writes to.
    Stream,
}

/// What became of a target's packets since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed to the system, or taken from the outbox.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Refused by the system: nobody listens there, too long.
    pub refused: u64,
    /// Dropped: the outbox was full, or the target has no address.
    pub dropped: u64,
}

#[derive(Debug)]
enum Way {
    Datagrams(Mutex<Option<UdpSocket>>),
    Stream(Outbox),
}

#[derive(Debug)]
struct Target {
    way: Way,
    sent: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    mode: Mode,
    queue: Queue,
    targets: Vec<Target>,
    ring: Mutex<Arc<Ring>>,
    unrouted: AtomicU64,
}

/// A running relay.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Relay {
    /// Starts the thread that sends.
    ///
    /// # Errors
    ///
    /// What the system answers when it grants no thread.
    pub fn start(mode: Mode, wires: &[Wire], bound: usize) -> io::Result<Self> {
        let targets = wires.iter().map(|&wire| Target::new(wire, bound)).collect();
        let (queue, ring, unrouted) = (Queue::new(bound), Mutex::default(), AtomicU64::new(0));
        let shared = Arc::new(Shared { mode, queue, targets, ring, unrouted });
        let sender = Arc::clone(&shared);
        let thread = Builder::new().name("nilo-relay".to_owned()).spawn(move || sender.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Takes datagrams; never waits.
    pub fn offer<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) {
        self.shared.queue.push(packets);
    }

    /// Takes whole lines of a stream, as many as there are.
    pub fn offer_lines(&self, lines: &[u8]) {
        self.shared.queue.push(pieces(lines, FRAME));
    }

    /// Names the address that a UDP target has from now on; `None` for none.
    ///
    /// # Errors
    ///
    /// What socket(2) and connect(2) answer.
    pub fn point(&self, target: usize, address: Option<SocketAddr>) -> io::Result<()> {
        if let Some(Target { way: Way::Datagrams(socket), .. }) = self.shared.targets.get(target) {
            let connected = address.map(connected).transpose()?;
            *lock(socket) = connected;
        }
        Ok(())
    }

    /// Uses another ring from now on.
    pub fn route(&self, ring: Ring) {
        *lock(&self.shared.ring) = Arc::new(ring);
    }

    /// Waits for at most `patience` for something to write to a stream target.
    ///
    /// An empty parcel: nothing has come. `None`: nothing will come any more.
    #[must_use]
    pub fn take(&self, target: usize, patience: Duration) -> Option<Parcel> {
        match self.shared.targets.get(target) {
            Some(Target { way: Way::Stream(outbox), .. }) => outbox.take(patience),
            _ => None,
        }
    }

    /// What became of each target's packets.
    #[must_use]
    pub fn counts(&self) -> Vec<Counts> {
        self.shared.targets.iter().map(Target::counts).collect()
    }

    /// How many packets the queue had no room for, and how many lines had no target at all.
    #[must_use]
    pub fn lost(&self) -> (u64, u64) {
        (self.shared.queue.dropped(), self.shared.unrouted.load(Ordering::Relaxed))
    }

    /// Sends what the queue holds and ends the thread; outboxes can still be emptied. Stopping twice does nothing.
    pub fn stop(&self) {
        self.shared.queue.close();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join(); // a panic has told of itself on standard error
        }
        for target in &self.shared.targets {
            if let Way::Stream(outbox) = &target.way {
                outbox.close();
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn run(&self) {
        let mut held = queue::Held::default();
        while self.queue.take(&mut held) {
            match self.mode {
                Mode::All => self.targets.iter().for_each(|target| target.send_all(held.packets())),
                Mode::Ring => self.send_lines(held.packets()),
            }
        }
    }

    fn send_lines<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) {
        let ring = Arc::clone(&lock(&self.ring));
        for line in packets.flat_map(|packet| packet.split(|&byte| byte == b'\n')).filter(|line| !line.is_empty()) {
            match ring.target(line).and_then(|target| self.targets.get(target)) {
                Some(target) => target.send_all(std::iter::once(line)),
                None => _ = self.unrouted.fetch_add(1, Ordering::Relaxed),
            }
        }
    }
}

impl Target {
    fn new(wire: Wire, bound: usize) -> Self {
        let way = match wire {
            Wire::Datagrams => Way::Datagrams(Mutex::default()),
            Wire::Stream => Way::Stream(Outbox::new(bound)),
        };
        Self { way, sent: 0.into(), bytes: 0.into(), refused: 0.into(), dropped: 0.into() }
    }

    fn send_all<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) {
        let mut counts = Counts::default();
        match &self.way {
            Way::Datagrams(socket) => match &*lock(socket) {
                Some(socket) => packets.for_each(|packet| send(socket, packet, &mut counts)),
                None => counts.dropped = packets.count() as u64,
            },
            Way::Stream(outbox) => outbox.push(packets, &mut counts),
        }
        self.sent.fetch_add(counts.sent, Ordering::Relaxed);
        self.bytes.fetch_add(counts.bytes, Ordering::Relaxed);
        self.refused.fetch_add(counts.refused, Ordering::Relaxed);
        self.dropped.fetch_add(counts.dropped, Ordering::Relaxed);
    }

    fn counts(&self) -> Counts {
        Counts {
            sent: self.sent.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

fn connected(address: SocketAddr) -> io::Result<UdpSocket> {
    let any = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind::<SocketAddr>(any)?;
    socket.connect(address)?;
    Ok(socket)
}

/// Sends one packet. The first try may only tell of an earlier datagram that was refused: then that one is counted, and
/// not as sent any more; it may be of an earlier batch, so the batch's count wraps.
fn send(socket: &UdpSocket, packet: &[u8], counts: &mut Counts) {
    for part in pieces(packet, LONGEST) {
        let sent = socket.send(part).or_else(|error| {
            if error.kind() != io::ErrorKind::ConnectionRefused {
                return Err(error);
            }
            counts.refused += 1;
            counts.sent = counts.sent.wrapping_sub(1);
            socket.send(part)
        });
        if sent.is_ok() {
            counts.sent = counts.sent.wrapping_add(1);
            counts.bytes += part.len() as u64;
        } else {
            counts.refused += 1;
        }
    }
}
