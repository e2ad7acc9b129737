//! What the fuzz targets share: a small kernel, and what must hold of every window that it flushes.
//!
//! `cargo fuzz run -s none --fuzz-dir . TARGET` runs a target, here, until it finds something.

use nilometer_core::{Aggregates, Block, Dialect, Histogram, Master, Rules, Shard, Tally};
use std::collections::HashSet;

/// What one byte from 128 on stands for in [`text`].
const WORDS: [&str; 48] = [
    "a:1|c\n",
    "a:",
    "keep:",
    "1",
    "-2.5",
    "+3",
    "1e3",
    "0x1F",
    "Infinity",
    "NaN",
    " ",
    "|c",
    "|g",
    "|ms",
    "|s",
    "|h",
    "|d",
    "|",
    "|@0.5",
    "|@.1",
    "|@",
    "|#",
    "tag:value",
    ",",
    ";",
    "=",
    "/",
    "\r\n",
    "\u{a0}",
    "\u{3000}",
    "é",
    "__proto__",
    "_e{1,1}:a|b",
    "_e{",
    "_sc|a|1",
    "|c:id",
    "|T1656581400",
    "|T",
    "|e:x",
    "|card:low",
    "|d:1",
    "|t:error",
    "[k=v]",
    "[",
    "]",
    ";b=1;a=2",
    "#k=v",
    ",k=v",
];

/// Series that take what limits refuse: one of each kind.
const OVERFLOW: usize = 4;

/// Returns the text that fuzz data stands for: the bytes from 128 to 175 are words of the protocol, the rest themselves.
#[must_use]
pub fn text(data: &[u8]) -> Vec<u8> {
    let word = |byte: u8| byte.checked_sub(128).and_then(|number| WORDS.get(usize::from(number)));
    let mut out = Vec::new();
    for &byte in data {
        match word(byte) {
            Some(word) => out.extend_from_slice(word.as_bytes()),
            None => out.push(byte),
        }
    }
    out
}

/// A kernel with one shard.
pub struct Kernel {
    master: Master,
    pub shard: Shard,
}

impl Kernel {
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let mut master = Master::new(rules, 1);
        Self { shard: master.shard(), master }
    }

    /// Counts whole lines.
    pub fn feed(&mut self, data: &[u8], dialect: Dialect) {
        self.shard.feed(data, &|| "peer".to_owned(), dialect, 1);
    }

    /// Ends the window.
    pub fn flush(&mut self) -> Aggregates {
        let spare = self.master.spare(self.shard.number());
        let aggregates = self.master.merge(vec![self.shard.swap(spare)], 10.0, false);
        for (_, ids) in self.master.dead() {
            self.shard.forget(&ids);
        }
        aggregates
    }
}

/// Returns the rules that eight bits ask for: cleaning, idle series deleted, limits so small that they are reached.
#[must_use]
pub fn rules(bits: u8) -> Rules {
    let has = |bit: u8| bits & (1 << bit) != 0;
    let limit = |bit, small, large| if has(bit) { small } else { large };
    Rules {
        percentiles: vec![90.0, 99.9, -10.0, 0.0, 150.0],
        histograms: vec![Histogram { pattern: "a".to_owned(), bins: vec![0.5, 10.0, f64::INFINITY] }],
        sanitize: has(0),
        cumulative: has(0),
        sketch: has(1),
        delete_counters: has(1),
        delete_timers: has(1),
        delete_sets: has(1),
        delete_gauges: has(1),
        keep: vec!["keep".to_owned()],
        max_series: limit(2, 3, 1000),
        max_samples: limit(3, 4, 1000),
        max_set_members: limit(4, 2, 1000),
        max_line: limit(5, 24, 65_536),
        max_series_per_prefix: limit(6, 2, 0),
        max_name: limit(7, 3, 4096),
        ..Rules::default()
    }
}

/// Returns the dialect that a byte asks for, with gauges moved or set.
#[must_use]
pub fn dialect(byte: u8) -> Dialect {
    let name = Dialect::NAMES[usize::from(byte) % Dialect::NAMES.len()];
    let gauges = if byte & 128 == 0 { "delta" } else { "absolute" };
    Dialect::named(&format!("{name}/{gauges}")).unwrap_or(Dialect::AUTO)
}

/// Returns how many lines the data holds.
#[must_use]
pub fn lines(data: &[u8], dialect: Dialect) -> u64 {
    data.split(|&byte| byte == b'\n').filter(|line| !dialect.trim_end(line).is_empty()).count() as u64
}

/// Checks that every block is well shaped: a value of every statistic for every series, and keys that are text and unique.
///
/// # Panics
///
/// When one is not.
pub fn assert_well_shaped(aggregates: &Aggregates, rules: &Rules) {
    let mut series = 0;
    for block in &aggregates.blocks {
        let keys: Vec<&str> = keys(block);
        assert_eq!(keys.len(), block.count);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), block.count, "a key stands twice in {keys:?}");
        assert!(!rules.sanitize || keys.iter().all(|key| clean(key)), "a key is not clean: {keys:?}");
        for column in &block.columns {
            assert_eq!(column.values.len(), block.count);
            assert!(column.present.as_ref().is_none_or(|present| present.len() == block.count));
        }
        series += block.count;
    }
    assert_eq!(aggregates.tally.series, series as u64);
    assert!(series <= rules.max_series + OVERFLOW, "{series} series");
}

fn keys(block: &Block) -> Vec<&str> {
    std::str::from_utf8(&block.names).expect("keys are text").split('\n').collect()
}

fn clean(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.;=".contains(&byte))
}

/// Checks that both windows hold the same series with the same values, and count the same but for packets.
///
/// # Panics
///
/// When they do not.
pub fn assert_alike(left: &Aggregates, right: &Aggregates) {
    let tally = |aggregates: &Aggregates| Tally { packets: 0, ..aggregates.tally };
    assert_eq!(tally(left), tally(right));
    assert_eq!(left.blocks.len(), right.blocks.len());
    for (left, right) in left.blocks.iter().zip(&right.blocks) {
        assert_eq!((left.kind, keys(left)), (right.kind, keys(right)));
        assert_eq!(numbers(left), numbers(right));
    }
}

/// A statistic's name, the bits of its values, which of them exist.
type Bits<'a> = (&'a str, Vec<u64>, Option<&'a [u8]>);

/// Returns a block's statistics bit by bit, as NaN is not even equal to itself.
fn numbers(block: &Block) -> Vec<Bits<'_>> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let columns = block.columns.iter();
    columns.map(|column| (column.name.as_str(), bits(&column.values), column.present.as_deref())).collect()
}
