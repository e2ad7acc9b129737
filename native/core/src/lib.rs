//! The aggregation kernel: bytes in, columns out.
//!
//! Rules:
//!
//! * No sockets, no clock, no unsafe code.
//! * A [`Shard`] holds what one reader ingests and is used by one thread at a time, behind its owner's lock. A [`Master`]
//!   makes the shards, merges their finished [`Window`]s and owns what lives longer than a window.
//! * A flush is: for each shard, under its lock, `finished = shard.swap(master.spare(shard.number()))`; then, without
//!   any shard's lock, `master.merge(finished, seconds, false)`; then for each `(shard, ids)` of `master.dead()`, under that
//!   shard's lock, `shard.forget(ids)` in slices of at most [`FORGET_AT_ONCE`], so that no lock is held long.
//! * Every byte from outside is hostile: whatever grows has a bound in [`Rules`]; what a bound refuses is counted.

#![forbid(unsafe_code)]

mod aggregates;
mod chunks;
pub mod decimal;
mod dialect;
mod explain;
mod family;
mod gate;
mod hll;
mod index;
mod key;
mod limit;
mod master;
mod number;
mod peek;
mod plain;
mod profile;
pub mod render;
mod rule;
mod rules;
mod shard;
mod sidecar;
mod sketch;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod timer;
mod top;
mod value;
mod window;

pub use aggregates::{Aggregates, Block, Column, Kind, Tally};
pub use dialect::Dialect;
pub use dialect::notice::{Datum, Fields};
pub use explain::explain;
pub use gate::{Limit, Overflowed};
pub use master::Master;
pub use peek::{Hold, Peeked};
pub use rule::{Action, Part, Pattern, Profile, Rule};
pub use rules::{Expire, Histogram, Rules};
pub use shard::{BadLine, FORGET_AT_ONCE, Shard};
pub use sidecar::Notice;
pub use store::{Timed, Timeline};
pub use top::{Name, Refused, Top};
pub use window::Window;
