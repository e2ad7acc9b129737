//! What one system call fetches, up to 64 messages, and the memory that they lie in.
//!
//! Rules:
//!
//! * The headers that the system call reads and writes are built anew for every call, so no length that an earlier call
//!   left behind is ever used again.
//! * A message is one datagram, or several of one sender and one length that the system joined (`UDP_GRO`); they are taken
//!   apart here.
//! * A slot holds the largest UDP message; those for a Unix socket, where the sender's buffer is the bound, hold 1 MiB.
//!   Memory that no datagram has reached yet costs nothing.
//! * Slots stand 33 cache lines further apart than they are long, because at a power of two the starts of all slots would
//!   compete for the same few lines of the cache.

use crate::control::{Control, Notes};
use crate::peer::Peer;
use libc::{c_int, c_uint, c_void};
use std::array::from_fn;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Messages in a batch at most.
pub const SLOTS: usize = HEADERS as usize;
const HEADERS: c_uint = 64;
const APART: usize = 33 * 64;

/// How many messages a batch takes at most, and how long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    slots: c_uint,
    slot_bytes: usize,
}

impl Shape {
    /// For UDP, whose datagrams have less than 64 KiB.
    pub const UDP: Self = Self { slots: HEADERS, slot_bytes: 64 << 10 };
    /// For Unix sockets.
    pub const UNIX: Self = Self { slots: 16, slot_bytes: 1 << 20 };

    const fn stride(self) -> usize {
        self.slot_bytes + APART
    }
}

/// What the system call says of one message.
#[derive(Clone, Copy, Default)]
struct Arrival {
    bytes: usize,
    peer_bytes: usize,
    truncated: bool,
    notes: Notes,
}

/// Datagrams fetched together.
pub struct Batch {
    shape: Shape,
    memory: Box<[u8]>,
    peers: Box<[Peer; SLOTS]>,
    controls: Box<[Control; SLOTS]>,
    arrivals: [Arrival; SLOTS],
    used: usize,
}

impl Batch {
    /// Returns an empty batch.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            memory: vec![0; shape.slots as usize * shape.stride()].into_boxed_slice(),
            peers: Box::new([Peer::default(); SLOTS]),
            controls: Box::new([Control::default(); SLOTS]),
            arrivals: [Arrival::default(); SLOTS],
            used: 0,
        }
    }

    /// Fetches what the socket holds, as much as fits, in place of the batch's former messages; returns how many.
    ///
    /// With `wait` it waits for the first message, at most as long as the socket's read timeout says. No message
    /// in that time, or a signal, is no error: the batch is then empty.
    ///
    /// # Errors
    ///
    /// What recvmmsg(2) answers.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, wait: bool) -> io::Result<usize> {
        self.used = 0;
        match self.recvmmsg(socket, if wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT }) {
            Ok(used) => self.used = used,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        Ok(self.used)
    }

    fn recvmmsg(&mut self, socket: BorrowedFd<'_>, flags: c_int) -> io::Result<usize> {
        let Shape { slots: count, slot_bytes } = self.shape;
        let mut slots = self.memory.chunks_exact_mut(self.shape.stride());
        let mut parts: [libc::iovec; SLOTS] = from_fn(|_| libc::iovec {
            iov_base: slots.next().map_or(ptr::null_mut(), |slot| slot.as_mut_ptr().cast::<c_void>()),
            iov_len: slot_bytes,
        });
        let (mut peers, mut controls, mut parts) = (self.peers.iter_mut(), self.controls.iter_mut(), parts.iter_mut());
        let mut headers: [libc::mmsghdr; SLOTS] = from_fn(|_| {
            // SAFETY: all fields of the C struct are integers and pointers, for which zero is a value.
            let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
            if let (Some(peer), Some(control), Some(part)) = (peers.next(), controls.next(), parts.next()) {
                header.msg_hdr.msg_name = ptr::from_mut(peer).cast();
                header.msg_hdr.msg_namelen = Peer::BYTES;
                header.msg_hdr.msg_iov = ptr::from_mut(part);
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = ptr::from_mut(control).cast();
                header.msg_hdr.msg_controllen = Control::BYTES;
            }
            header
        });
        // SAFETY: each header points to memory that is borrowed mutably from `self` or lies in this frame, outlives the
        // call, is as long as the header says, and may hold any bytes.
        let answer = unsafe { libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags, ptr::null_mut()) };
        let used = usize::try_from(answer).map_err(|_| io::Error::last_os_error())?;
        for ((arrival, header), control) in self.arrivals.iter_mut().zip(&headers).zip(self.controls.iter()).take(used)
        {
            *arrival = Arrival::read(header, control, slot_bytes);
        }
        Ok(used)
    }

    /// The datagrams, in the order of arrival.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let slots = self.memory.chunks_exact(self.shape.stride()).zip(self.peers.iter());
        self.arrivals[..self.used].iter().zip(slots).flat_map(|(arrival, (slot, peer))| arrival.datagrams(slot, peer))
    }

    /// The socket's count of dropped datagrams as of the newest datagram that came with one.
    #[must_use]
    pub fn dropped(&self) -> Option<u32> {
        self.arrivals[..self.used].iter().rev().find_map(|arrival| arrival.notes.dropped)
    }
}

impl Arrival {
    fn read(header: &libc::mmsghdr, control: &Control, slot_bytes: usize) -> Self {
        let message = &header.msg_hdr;
        Self {
            bytes: usize::try_from(header.msg_len).map_or(slot_bytes, |bytes| bytes.min(slot_bytes)),
            peer_bytes: message.msg_namelen.min(Peer::BYTES) as usize,
            truncated: message.msg_flags & libc::MSG_TRUNC != 0,
            notes: control.read(message.msg_controllen),
        }
    }

    fn datagrams<'a>(&self, slot: &'a [u8], peer: &'a Peer) -> impl Iterator<Item = Datagram<'a>> {
        let (peer_bytes, bytes) = (self.peer_bytes, &slot[..self.bytes]);
        let segment = self.notes.segment.unwrap_or(self.bytes).max(1);
        let cut = self.truncated.then(|| self.bytes.saturating_sub(1) / segment);
        let empty = bytes.is_empty().then_some(bytes);
        let parts = bytes.chunks(segment).chain(empty).enumerate();
        parts.map(move |(place, bytes)| Datagram { bytes, truncated: cut == Some(place), peer, peer_bytes })
    }
}

/// One datagram of a batch.
#[derive(Clone, Copy)]
pub struct Datagram<'a> {
    /// What arrived.
    pub bytes: &'a [u8],
    /// More arrived than a slot holds; the rest is lost.
    pub truncated: bool,
    peer: &'a Peer,
    peer_bytes: usize,
}

impl<'a> Datagram<'a> {
    /// The address of its sender, where that is one of IP; an IPv4 one inside IPv6 as IPv4.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.peer.socket(self.peer_bytes).map(|address| address.ip())
    }

    /// The same datagram with other bytes.
    #[must_use]
    pub const fn with(self, bytes: &'a [u8]) -> Self {
        Self { bytes, ..self }
    }

    /// Who sent it: `192.0.2.1:4242`, `[2001:db8::1]:4242`, a socket's path; none when the sender has no name.
    #[must_use]
    pub fn source(&self) -> Option<String> {
        self.peer.text(self.peer_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Batch, Notes, Shape};
    use crate::peer::Peer;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    const SMALL: Shape = Shape { slots: 3, slot_bytes: 8 };

    #[test]
    fn a_datagram_that_is_cut_says_so() {
        let (sender, receiver) = UnixDatagram::pair().expect("two sockets");
        let mut batch = Batch::new(SMALL);
        for data in ["12345678", "123456789", "", "last"] {
            sender.send(data.as_bytes()).expect("sent");
        }
        let mut found = Vec::new();
        while batch.receive(receiver.as_fd(), false).expect("received") > 0 {
            found.push(batch.datagrams().map(|one| (one.bytes.to_vec(), one.truncated)).collect::<Vec<_>>());
        }
        let first = vec![(b"12345678".to_vec(), false), (b"12345678".to_vec(), true), (Vec::new(), false)];
        assert_eq!(found, [first, vec![(b"last".to_vec(), false)]]);
    }

    #[test]
    fn of_joined_datagrams_the_last_is_the_shorter_and_the_cut_one() {
        let notes = Notes { dropped: None, segment: Some(3) };
        for (bytes, expected) in [
            (7, vec![("123", false), ("456", false), ("7", true)]),
            (6, vec![("123", false), ("456", true)]),
            (2, vec![("12", true)]),
            (0, vec![("", true)]),
        ] {
            let arrival = Arrival { bytes, peer_bytes: 0, truncated: true, notes };
            let peer = Peer::default();
            let found = arrival.datagrams(b"1234567890", &peer).map(|one| (one.bytes, one.truncated));
            assert!(found.eq(expected.iter().map(|&(text, cut)| (text.as_bytes(), cut))), "of {bytes} bytes");
        }
    }

    #[test]
    fn nothing_to_read_is_an_empty_batch_and_a_wrong_socket_an_error() {
        let (_sender, receiver) = UnixDatagram::pair().expect("two sockets");
        let mut batch = Batch::new(SMALL);
        assert_eq!(batch.receive(receiver.as_fd(), false).expect("no error"), 0);
        assert_eq!(batch.datagrams().count(), 0);
        let file = std::fs::File::open("/dev/null").expect("opened");
        assert!(batch.receive(file.as_fd(), false).is_err());
    }
}
