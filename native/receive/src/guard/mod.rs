//! Who may send: networks, and signatures with a window against replays.
//!
//! Rules:
//!
//! * A datagram from outside the networks is refused before anything of it is looked at. No networks: everybody may send.
//! * With a key, only what is signed with it is taken, at most `window` seconds early or late by our clock, and once.
//! * What is refused is counted by reason; one sender of each is kept, for somebody to show.

mod network;
mod signed;

pub use crate::guard::network::Network;
pub use crate::guard::signed::Signed;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Why a datagram was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its sender is outside the networks.
    Address,
    /// It has no signature, or a wrong one.
    Signature,
    /// It was signed too long ago, or too far ahead.
    Time,
    /// It came before.
    Replayed,
    /// No room is left to remember it.
    Full,
}

impl Refusal {
    /// All of them, in the order of `Guard::refused`.
    pub const ALL: [Self; 5] = [Self::Address, Self::Signature, Self::Time, Self::Replayed, Self::Full];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Signature => "signature",
            Self::Time => "time",
            Self::Replayed => "replayed",
            Self::Full => "full",
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    number: AtomicU64,
    last: Mutex<String>,
}

/// Lets datagrams in, or refuses them; for all the threads of a listener.
#[derive(Debug, Default)]
pub struct Guard {
    networks: Vec<Network>,
    signed: Option<Mutex<Signed>>,
    counts: [Count; 5],
}

impl Guard {
    /// Makes a guard; no networks let everybody in.
    #[must_use]
    pub fn new(networks: Vec<Network>, signed: Option<Signed>) -> Self {
        Self { networks, signed: signed.map(Mutex::new), counts: Default::default() }
    }

    /// Whether it lets everything in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.networks.is_empty() && self.signed.is_none()
    }

    /// Returns what a datagram carries, or why it is refused. `now`: seconds since the epoch.
    ///
    /// # Errors
    ///
    /// The reason.
    pub fn admit<'a>(&self, sender: Option<IpAddr>, data: &'a [u8], now: u64) -> Result<&'a [u8], Refusal> {
        let inside = |sender: IpAddr| self.networks.iter().any(|network| network.holds(sender));
        if !self.networks.is_empty() && !sender.is_some_and(inside) {
            return Err(Refusal::Address);
        }
        match &self.signed {
            Some(signed) => signed.lock().unwrap_or_else(PoisonError::into_inner).open(data, now),
            None => Ok(data),
        }
    }

    /// Counts a refusal.
    pub fn refuse(&self, refusal: Refusal, sender: impl FnOnce() -> String) {
        let count = &self.counts[refusal as usize];
        if count.number.fetch_add(1, Ordering::Relaxed) == 0 {
            *count.last.lock().unwrap_or_else(PoisonError::into_inner) = sender();
        }
    }

    /// Returns how often each reason came up since the last call, and the first sender of each.
    pub fn refused(&self) -> Vec<(Refusal, u64, String)> {
        let counts = Refusal::ALL.iter().zip(&self.counts);
        let found = counts.map(|(&refusal, count)| {
            let number = count.number.swap(0, Ordering::Relaxed);
            (refusal, number, count.last.lock().unwrap_or_else(PoisonError::into_inner).clone())
        });
        found.filter(|(_, number, _)| *number > 0).collect()
    }

    /// Uses another key from now on, where there was one.
    pub fn rekey(&self, key: &[u8]) {
        if let Some(signed) = &self.signed {
            signed.lock().unwrap_or_else(PoisonError::into_inner).rekey(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Guard, Network, Refusal};

    #[test]
    fn senders_outside_the_networks_are_refused_and_counted() {
        let guard = Guard::new(vec![Network::new("10.0.0.0".parse().expect("an address"), 8)], None);
        assert!(!guard.is_open());
        assert_eq!(guard.admit("10.1.2.3".parse().ok(), b"a", 0), Ok(&b"a"[..]));
        assert_eq!(guard.admit("11.1.2.3".parse().ok(), b"a", 0), Err(Refusal::Address));
        assert_eq!(guard.admit(None, b"a", 0), Err(Refusal::Address));
        guard.refuse(Refusal::Address, || "first".to_owned());
        guard.refuse(Refusal::Address, || "second".to_owned());
        assert_eq!(guard.refused(), [(Refusal::Address, 2, "first".to_owned())]);
        assert_eq!(guard.refused(), []);
    }
}
