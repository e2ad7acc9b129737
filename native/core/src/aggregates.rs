//! What a finished window amounts to: columns of numbers, one block for each kind of series.

/// What a series measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Timer,
    Gauge,
    Set,
}

impl Kind {
    /// All kinds, in the order of their blocks.
    pub const ALL: [Self; 4] = [Self::Counter, Self::Timer, Self::Gauge, Self::Set];

    /// The kind's name in a flush record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Timer => "timer",
            Self::Gauge => "gauge",
            Self::Set => "set",
        }
    }
}

/// One statistic of every series of a block. `present`, where given, has one byte a series; zero says that the series
/// has no such statistic in this window.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub values: Vec<f64>,
    pub present: Option<Vec<u8>>,
}

/// Series of one kind: `names` are their keys, UTF-8, joined by newlines. `sketches`, where not empty, has one for each timer,
/// without bytes for an idle one.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub kind: Kind,
    pub names: Vec<u8>,
    pub count: usize,
    pub columns: Vec<Column>,
    pub sketches: Vec<Vec<u8>>,
}

/// What was counted on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub packets: u64,
    pub bytes: u64,
    /// Lines that are not empty.
    pub lines: u64,
    /// Values that were refused; a line of several values can count several times.
    pub bad_lines: u64,
    /// Values that went to an overflow series, by the bound that their own series exceeded.
    pub series_over_limit: u64,
    pub prefix_over_limit: u64,
    pub source_over_limit: u64,
    pub tags_over_limit: u64,
    pub name_over_limit: u64,
    pub keys_over_limit: u64,
    /// Timer samples that are in no bucket.
    pub samples_over_limit: u64,
    /// Members that are not counted.
    pub members_over_limit: u64,
    /// Values that a rule dropped.
    pub dropped_by_rules: u64,
    pub timed_over_limit: u64,
    /// Series in the flush. Set by the merge.
    pub series: u64,
}

impl Tally {
    /// Add what another shard counted.
    pub fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.bad_lines += other.bad_lines;
        self.series_over_limit += other.series_over_limit;
        self.prefix_over_limit += other.prefix_over_limit;
        self.source_over_limit += other.source_over_limit;
        self.tags_over_limit += other.tags_over_limit;
        self.name_over_limit += other.name_over_limit;
        self.keys_over_limit += other.keys_over_limit;
        self.samples_over_limit += other.samples_over_limit;
        self.members_over_limit += other.members_over_limit;
        self.dropped_by_rules += other.dropped_by_rules;
        self.timed_over_limit += other.timed_over_limit;
        self.series += other.series;
    }
}

/// A finished window: blocks in the order of [`Kind::ALL`], kinds without series left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregates {
    pub blocks: Vec<Block>,
    pub tally: Tally,
}
