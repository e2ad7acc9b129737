//! Which series may be made: bounds on their number, in all, by prefix and by source, and on their keys.
//!
//! Rules:
//!
//! * Bounds are looked at when a series would be made, in the order of [`Limit::ALL`]; a series that there is costs nothing.
//! * A series is counted with the prefix and the source that it had then, until it is forgotten, whatever the rules say by
//!   then. One that was made while there was no such bound is in no group.
//! * At most [`KEPT`] refused keys are kept until they are taken; all are counted.

use crate::aggregates::{Kind, Tally};
use crate::chunks::Chunks;
use crate::limit::Shared;
use crate::rules::Rules;
use crate::table::Hash;
use memchr::{memchr, memchr_iter};

/// Refused keys kept.
const KEPT: usize = 32;
/// Bytes of a key shown.
const SHOWN: usize = 512;
/// Not in any group.
const NOBODY: u64 = 0;

/// Why a value went to the overflow series of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Name,
    Tags,
    Series,
    Keys,
    Prefix,
    Source,
}

impl Limit {
    /// All limits, in the order in which they are looked at.
    pub const ALL: [Self; 6] = [Self::Name, Self::Tags, Self::Series, Self::Keys, Self::Prefix, Self::Source];

    /// The limit's name in a tally, before `_over_limit`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Tags => "tags",
            Self::Series => "series",
            Self::Keys => "keys",
            Self::Prefix => "prefix",
            Self::Source => "source",
        }
    }

    pub(crate) const fn count(self, tally: &mut Tally) {
        let count = match self {
            Self::Name => &mut tally.name_over_limit,
            Self::Tags => &mut tally.tags_over_limit,
            Self::Series => &mut tally.series_over_limit,
            Self::Keys => &mut tally.keys_over_limit,
            Self::Prefix => &mut tally.prefix_over_limit,
            Self::Source => &mut tally.source_over_limit,
        };
        *count += 1;
    }
}

/// A key that got no series. It is cut at 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflowed {
    pub source: String,
    pub key: String,
    pub kind: Kind,
    pub limit: Limit,
}

/// The groups that a series is in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Groups {
    prefix: u64,
    source: u64,
}

impl Groups {
    fn are_some(self) -> bool {
        self.prefix != NOBODY || self.source != NOBODY
    }

    /// Count a series of these groups that was made.
    pub(crate) fn enter(self, key: &[u8], shared: &Shared) {
        shared.series.take(1);
        shared.keys.take(key.len());
        if self.prefix != NOBODY {
            shared.prefixes.join(self.prefix);
        }
        if self.source != NOBODY {
            shared.sources.join(self.source);
        }
    }

    /// Count a series of these groups that is gone.
    pub(crate) fn leave(self, key: &[u8], shared: &Shared) {
        shared.series.give(1);
        shared.keys.give(key.len());
        if self.prefix != NOBODY {
            shared.prefixes.leave(self.prefix);
        }
        if self.source != NOBODY {
            shared.sources.leave(self.source);
        }
    }
}

/// Which series may be made in one shard.
#[derive(Debug)]
pub(crate) struct Gate {
    series: usize,
    per_prefix: usize,
    parts: usize,
    per_source: usize,
    tags: usize,
    name: usize,
    keys: usize,
    pub(crate) overflow: Vec<u8>,
    /// By id the groups of a series.
    groups: Chunks<Groups>,
    refused: Vec<Overflowed>,
}

impl Gate {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self {
            series: rules.max_series,
            per_prefix: rules.max_series_per_prefix,
            parts: rules.prefix_parts,
            per_source: rules.max_series_per_source,
            tags: rules.max_tags,
            name: rules.max_name,
            keys: rules.max_key_bytes,
            overflow: rules.overflow.clone().into_bytes(),
            groups: Chunks::new(),
            refused: Vec::new(),
        }
    }

    pub(crate) fn configure(&mut self, rules: &Rules) {
        let (groups, refused) = (std::mem::take(&mut self.groups), std::mem::take(&mut self.refused));
        *self = Self { groups, refused, ..Self::new(rules) };
    }

    /// The groups of a series to be made, or why it may not. `source` names the peer.
    pub(crate) fn admit(
        &self,
        key: &[u8],
        source: &dyn Fn() -> String,
        hash: &Hash,
        shared: &Shared,
    ) -> Result<Groups, Limit> {
        let name = &key[..memchr(b';', key).unwrap_or(key.len())];
        let tags = memchr_iter(b';', &key[name.len()..]).count();
        let bounds = [
            (Limit::Name, name.len() > self.name),
            (Limit::Tags, tags > self.tags),
            (Limit::Series, shared.series.full(self.series)),
            (Limit::Keys, shared.keys.full((self.keys + 1).saturating_sub(key.len()))),
        ];
        if let Some((limit, _)) = bounds.into_iter().find(|(_, over)| *over) {
            return Err(limit);
        }
        let mut groups = Groups::default();
        if self.per_prefix > 0 {
            groups.prefix = group(hash, prefix(name, self.parts));
            if shared.prefixes.full(groups.prefix, self.per_prefix) {
                return Err(Limit::Prefix);
            }
        }
        if self.per_source > 0 {
            groups.source = group(hash, address(&source()).as_bytes());
            if shared.sources.full(groups.source, self.per_source) {
                return Err(Limit::Source);
            }
        }
        Ok(groups)
    }

    /// Count a series that was made.
    pub(crate) fn enter(&mut self, id: u32, key: &[u8], groups: Groups, shared: &Shared) {
        groups.enter(key, shared);
        if groups.are_some() {
            *self.groups.at(id) = groups;
        }
    }

    /// Count a series that is forgotten.
    pub(crate) fn leave(&mut self, id: u32, key: &[u8], shared: &Shared) {
        let groups = self.groups.get(id).copied().unwrap_or_default();
        groups.leave(key, shared);
        if groups.are_some() {
            *self.groups.at(id) = Groups::default();
        }
    }

    /// Keep a refused key, to be shown.
    pub(crate) fn note(&mut self, key: &[u8], kind: Kind, source: &dyn Fn() -> String, limit: Limit) {
        if self.refused.len() < KEPT {
            let key = String::from_utf8_lossy(&key[..key.len().min(SHOWN)]).into_owned();
            self.refused.push(Overflowed { source: source(), key, kind, limit });
        }
    }

    pub(crate) fn refused(&mut self) -> Vec<Overflowed> {
        std::mem::take(&mut self.refused)
    }
}

fn group(hash: &Hash, text: &[u8]) -> u64 {
    hash.text(text).max(1)
}

/// The first parts of a name, without the dot behind them.
fn prefix(name: &[u8], parts: usize) -> &[u8] {
    let end = memchr_iter(b'.', name).nth(parts.saturating_sub(1));
    &name[..end.unwrap_or(name.len())]
}

/// A peer without its port: `host:port`, `[host]:port`; anything else is as it is.
fn address(source: &str) -> &str {
    match source.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_the_first_parts() {
        for (name, parts, expected) in
            [("a.b.c", 1, "a"), ("a.b.c", 2, "a.b"), ("a.b", 2, "a.b"), ("a", 3, "a"), ("", 1, "")]
        {
            assert_eq!(prefix(name.as_bytes(), parts), expected.as_bytes());
        }
    }

    #[test]
    fn an_address_has_no_port() {
        for (source, expected) in [
            ("10.0.0.1:99", "10.0.0.1"),
            ("[::1]:99", "[::1]"),
            ("/run/x", "/run/x"),
            ("", ""),
            ("a:b", "a:b"),
            ("a:", "a:"),
        ] {
            assert_eq!(address(source), expected);
        }
    }
}
