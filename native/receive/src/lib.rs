//! Datagrams in batches, from UDP and Unix sockets.
//!
//! Rules:
//!
//! * One system call fetches up to [`SLOTS`] datagrams (recvmmsg). The only unsafe code is the function that makes it.
//! * A datagram is read whole or says that it was not ([`Datagram::truncated`]).
//! * What the operating system dropped, because the receive buffer was full, is counted: [`Reader::drops`].
//! * [`Reader::run`] ends only after it has read what the socket still held.

#![deny(unsafe_op_in_unsafe_fn)]

mod batch;
mod drops;
mod peer;
mod reader;
mod socket;

pub use batch::{Batch, Datagram, SLOTS, Shape};
pub use reader::{Meter, Reader};
pub use socket::{bind_udp, bind_unix};
