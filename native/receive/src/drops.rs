//! How many datagrams the operating system dropped before we saw them.
//!
//! Rules:
//!
//! * The system keeps a 32-bit count a socket, since the socket was made; it wraps. `SO_RXQ_OVFL` sends it along with
//!   datagrams, once it is above zero; `SO_MEMINFO` reads it at any time, so that drops after the last datagram count too.
//! * Both readings may come late and out of order. A reading counts by its distance from the newest one before it; what
//!   lies behind that is old.

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetStruct;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The socket option `SO_MEMINFO`: nine numbers on a socket's memory, the last of them the datagrams dropped.
///
/// Source: `sock_get_meminfo` of Linux, since 4.12.
#[derive(Clone, Copy)]
struct MemoryInfo;
nix::getsockopt_impl!(MemoryInfo, libc::SOL_SOCKET, libc::SO_MEMINFO, [u32; 9], GetStruct<[u32; 9]>);

/// A socket's dropped datagrams. Shared by the thread that reads the socket and the one that reports.
#[derive(Debug, Default)]
pub struct Drops {
    seen: AtomicU32,
    total: AtomicU64,
}

impl Drops {
    /// Takes a reading of the socket's own count.
    pub fn reading(&self, count: u32) {
        let newer = |seen| (count.wrapping_sub(seen) < 1 << 31).then_some(count);
        if let Ok(seen) = self.seen.fetch_update(Ordering::Relaxed, Ordering::Relaxed, newer) {
            self.total.fetch_add(count.wrapping_sub(seen).into(), Ordering::Relaxed);
        }
    }

    /// Reads the socket's count now; a system that does not tell it leaves what is known.
    pub fn read<Socket: AsFd>(&self, socket: &Socket) {
        if let Ok([.., count]) = getsockopt(socket, MemoryInfo) {
            self.reading(count);
        }
    }

    /// Returns the drops since the last call.
    pub fn take(&self) -> u64 {
        self.total.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Drops;

    #[test]
    fn differences_add_up_over_the_wrap() {
        let drops = Drops::default();
        for count in [5, 5, 7, 3, 7, 1 << 30, 2 << 30, 3 << 30, u32::MAX, 4] {
            drops.reading(count);
        }
        assert_eq!(drops.take(), (1 << 32) + 4);
        assert_eq!(drops.take(), 0);
    }
}
