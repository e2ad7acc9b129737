//! Reads one socket until told to stop.

use crate::drops::Drops;
use crate::socket::File;
use crate::{Batch, Shape};
use socket2::{SockAddr, Socket};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// No datagram takes less than this of the receive buffer, whatever its length.
const LEAST_CHARGE: usize = 256;
/// A pause after a failed read, so that a lasting failure does not take a whole processor.
const RESPITE: Duration = Duration::from_millis(50);

/// A bound socket and what is known of it.
#[derive(Debug)]
pub struct Reader {
    socket: Arc<Socket>,
    address: SockAddr,
    buffer: usize,
    drops: Arc<Drops>,
    _file: Option<File>,
}

/// A reader's drops, for another thread to ask for.
#[derive(Clone, Debug)]
pub struct Meter {
    socket: Arc<Socket>,
    drops: Arc<Drops>,
}

impl Meter {
    /// Tells whether both measure one socket.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.drops, &other.drops)
    }

    /// Returns the datagrams that the system dropped since the last call, up to now.
    #[must_use]
    pub fn take(&self) -> u64 {
        self.drops.read(&*self.socket);
        self.drops.take()
    }
}

impl Reader {
    pub(crate) fn new(socket: Socket, file: Option<File>) -> io::Result<Self> {
        let (address, buffer) = (socket.local_addr()?, socket.recv_buffer_size()?);
        Ok(Self { socket: Arc::new(socket), address, buffer, drops: Arc::default(), _file: file })
    }

    /// The address that the socket is bound to.
    #[must_use]
    pub const fn address(&self) -> &SockAddr {
        &self.address
    }

    /// The address as text: `host:port` or a path.
    #[must_use]
    pub fn address_text(&self) -> String {
        let path = || self.address.as_pathname().map(|path| path.to_string_lossy().into_owned());
        self.address.as_socket().map(|address| address.to_string()).or_else(path).unwrap_or_default()
    }

    /// The receive buffer that the system granted, in bytes as it counts them (twice what was asked for, at most).
    #[must_use]
    pub const fn buffer(&self) -> usize {
        self.buffer
    }

    /// A way to ask for this socket's drops, even after the reader has ended.
    #[must_use]
    pub fn drops(&self) -> Meter {
        Meter { socket: Arc::clone(&self.socket), drops: Arc::clone(&self.drops) }
    }

    /// Hands each batch to `take` until `stop` is set, then what the socket still holds.
    ///
    /// A sender that goes on sending does not keep it from ending: at most as many datagrams are read after `stop` as
    /// the receive buffer can hold.
    pub fn run(&self, stop: &AtomicBool, mut take: impl FnMut(&Batch)) {
        let mut batch = Batch::new(self.shape());
        while !stop.load(Ordering::Acquire) {
            if self.read(&mut batch, true, &mut take).is_err() {
                thread::sleep(RESPITE);
            }
        }
        let mut most = self.buffer / LEAST_CHARGE;
        while let Ok(read @ 1..) = self.read(&mut batch, false, &mut take) {
            most = most.saturating_sub(read);
            if most == 0 {
                break;
            }
        }
    }

    fn shape(&self) -> Shape {
        if self.address.is_unix() { Shape::UNIX } else { Shape::UDP }
    }

    fn read(&self, batch: &mut Batch, wait: bool, take: &mut impl FnMut(&Batch)) -> io::Result<usize> {
        let read = batch.receive(self.socket.as_fd(), wait)?;
        if let Some(count) = batch.dropped() {
            self.drops.reading(count);
        }
        if read > 0 {
            take(batch);
        }
        Ok(read)
    }
}
