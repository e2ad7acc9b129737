//! Signed datagrams, in the format of brubeck's sampler `statsd-secure`.
//!
//! ```text
//! | HMAC-SHA256 of all that follows, 32 bytes | seconds since the epoch, 8 bytes | nonce, 4 bytes | lines |
//! ```
//!
//! Integers are little endian. Signatures of the window are remembered by their first eight bytes; who does not have the key
//! cannot choose those. At most `bound` are: beyond it datagrams are refused, never taken unchecked.
//!
//! Source: `src/samplers/statsd-secure.c` of brubeck, which takes nothing from the future; ours takes both sides of the window,
//! since clocks differ.

use crate::guard::Refusal;
use hmac::digest::Key;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

const SIGNATURE: usize = 32;
const TIME: usize = 8;
const NONCE: usize = 4;

/// Checks signatures and remembers them.
pub struct Signed {
    key: Hmac<Sha256>,
    window: u64,
    bound: usize,
    seen: BTreeMap<u64, HashSet<u64>>,
    held: usize,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("window", &self.window).field("held", &self.held).finish_non_exhaustive()
    }
}

impl Signed {
    /// `window`: seconds that a datagram may be early or late; `bound`: signatures remembered, at most.
    #[must_use]
    pub fn new(key: &[u8], window: u64, bound: usize) -> Self {
        Self { key: prepared(key), window, bound, seen: BTreeMap::new(), held: 0 }
    }

    /// Uses another key; what was remembered stays so.
    pub fn rekey(&mut self, key: &[u8]) {
        self.key = prepared(key);
    }

    /// Returns the lines of a datagram that is signed, timely and new.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn open<'a>(&mut self, data: &'a [u8], now: u64) -> Result<&'a [u8], Refusal> {
        let (signature, rest) = data.split_first_chunk::<SIGNATURE>().ok_or(Refusal::Signature)?;
        let (time, after) = rest.split_first_chunk::<TIME>().ok_or(Refusal::Signature)?;
        let (_, lines) = after.split_first_chunk::<NONCE>().ok_or(Refusal::Signature)?;
        self.key.clone().chain_update(rest).verify_slice(signature).map_err(|_| Refusal::Signature)?;
        let time = u64::from_le_bytes(*time);
        if time.abs_diff(now) > self.window {
            return Err(Refusal::Time);
        }
        self.forget(now);
        self.remember(time, signature)?;
        Ok(lines)
    }

    fn forget(&mut self, now: u64) {
        let first = now.saturating_sub(self.window);
        while let Some(oldest) = self.seen.first_entry().filter(|entry| *entry.key() < first) {
            self.held -= oldest.remove().len();
        }
    }

    fn remember(&mut self, time: u64, signature: &[u8; SIGNATURE]) -> Result<(), Refusal> {
        let mark = signature.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let marks = self.seen.entry(time).or_default();
        if marks.contains(&mark) {
            return Err(Refusal::Replayed);
        }
        if self.held >= self.bound {
            return Err(Refusal::Full);
        }
        marks.insert(mark);
        self.held += 1;
        Ok(())
    }
}

fn prepared(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length (RFC 2104), so the empty one never stands in
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Key::<Hmac<Sha256>>::default()))
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Signed, prepared};
    use hmac::Mac;

    fn sign(key: &[u8], time: u64, nonce: u32, lines: &[u8]) -> Vec<u8> {
        let rest = [&time.to_le_bytes()[..], &nonce.to_le_bytes(), lines].concat();
        [&prepared(key).chain_update(&rest).finalize().into_bytes()[..], &rest].concat()
    }

    #[test]
    fn what_is_signed_timely_and_new_is_taken_once() {
        let mut signed = Signed::new(b"key", 10, 3);
        let data = sign(b"key", 100, 1, b"a:1|c");
        assert_eq!(signed.open(&data, 100), Ok(&b"a:1|c"[..]));
        assert_eq!(signed.open(&data, 110), Err(Refusal::Replayed));
        assert_eq!(signed.open(&data, 111), Err(Refusal::Time));
        assert_eq!(signed.open(&sign(b"key", 100, 2, b"a:1|c"), 90), Ok(&b"a:1|c"[..]));
        assert_eq!(signed.open(&sign(b"key", 100, 2, b""), 89), Err(Refusal::Time));
        assert_eq!(signed.open(&sign(b"key", 100, 3, b""), 100), Ok(&b""[..]));
        assert_eq!(signed.open(&sign(b"key", 100, 4, b""), 100), Err(Refusal::Full));
        assert_eq!(signed.open(&sign(b"key", 111, 4, b""), 111), Ok(&b""[..])); // the others are forgotten by now
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        let mut signed = Signed::new(b"key", 10, 100);
        let data = sign(b"key", 100, 1, b"a:1|c");
        for at in 0..data.len() {
            let mut changed = data.clone();
            changed[at] ^= 1;
            assert_eq!(signed.open(&changed, 100), Err(Refusal::Signature));
            assert_eq!(signed.open(&data[..at], 100), Err(Refusal::Signature));
        }
        assert_eq!(signed.open(&sign(b"other", 100, 1, b""), 100), Err(Refusal::Signature));
        signed.rekey(b"other");
        assert_eq!(signed.open(&data, 100), Err(Refusal::Signature));
        assert_eq!(signed.open(&sign(b"other", u64::MAX, 1, b""), 100), Err(Refusal::Time));
    }
}
