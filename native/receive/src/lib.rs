//! Datagrams in batches, from UDP and Unix sockets.
//!
//! Rules:
//!
//! * One system call fetches up to [`SLOTS`] messages (recvmmsg). The only unsafe code is the function that makes it.
//! * Datagrams of one sender that the system can hand over joined (`UDP_GRO`) cost it one message; a joined message that
//!   the system drops counts as one.
//! * A datagram is read whole or says that it was not ([`Datagram::truncated`]).
//! * What the operating system dropped, because the receive buffer was full, is counted: [`Reader::drops`].
//! * What arrived can be repeated, before anybody has read it, to other servers ([`Relay`]).
//! * Somebody can look on at what arrived ([`Tap`]).
//! * Who may send can be bounded, by networks and by signatures ([`Guard`]).
//! * [`Reader::run`] ends only after it has read what the socket still held.

#![deny(unsafe_op_in_unsafe_fn)]

mod batch;
mod control;
mod drops;
mod guard;
mod peer;
mod reader;
mod relay;
mod socket;
mod tap;

pub use batch::{Batch, Datagram, SLOTS, Shape};
pub use guard::{Guard, Network, Refusal, Signed};
pub use reader::{Meter, Reader};
pub use relay::{Counts, Mode, Parcel, Relay, Ring, Wire};
pub use socket::{bind_udp, bind_unix};
pub use tap::Tap;
