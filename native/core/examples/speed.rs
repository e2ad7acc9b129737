//! How long the kernel takes: nanoseconds a line, milliseconds a merge, microseconds a swap.
//!
//! `cargo run --release --example speed [seconds a case [start of a case's label]]`. Lines of 40 bytes, 60 % counters, 20 % timers, 10 % gauges,
//! 10 % sets, packed into datagrams of 1432 bytes that are fed in batches of 32.

use nilometer_core::{Action, Dialect, FORGET_AT_ONCE, Master, Pattern, Profile, Rule, Rules, Shard, Window};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const BATCH: usize = 32;
const PACKET: usize = 1432;

/// A small generator of numbers that look random (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0)
    }
}

/// The time that this thread has had on a processor, where the system tells it (Linux), else the time of day: other work
/// on the machine counts for nothing.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let busy = line.split(' ').next().and_then(|text| text.parse().ok());
    busy.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// How lines look.
#[derive(Clone, Copy)]
struct Mix {
    label: &'static str,
    series: usize,
    tags: &'static str,
}

fn line(mix: Mix, number: usize, value: usize) -> String {
    let kind = match number % 10 {
        0..=5 => "c",
        6 | 7 => "ms",
        8 => "g",
        _ => "s",
    };
    let key = format!("service.{:06}.host.{:04}.requests", number, number % 997);
    format!("{key}:{}|{kind}{}", value % 1000, mix.tags)
}

/// Datagrams of lines over random series.
fn packets(mix: Mix, bytes: usize) -> Vec<Vec<u8>> {
    let mut random = Random(88_172_645_463_325_252);
    let mut packets = Vec::new();
    let mut packet = String::new();
    let mut total = 0;
    while total < bytes {
        let line = line(mix, random.next() % mix.series, random.next());
        if packet.len() + line.len() + 1 > PACKET {
            total += packet.len();
            packets.push(std::mem::take(&mut packet).into_bytes());
        }
        if !packet.is_empty() {
            packet.push('\n');
        }
        packet.push_str(&line);
    }
    packets
}

fn lines_in(packets: &[Vec<u8>]) -> usize {
    packets.iter().map(|packet| packet.split(|byte| *byte == b'\n').count()).sum()
}

fn feed(shard: &mut Shard, packets: &[Vec<u8>]) {
    for batch in packets.chunks(BATCH) {
        let batch: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        shard.feed_many(&batch, &|_| String::new(), Dialect::AUTO);
    }
}

fn swap(master: &mut Master, shard: &mut Shard) -> (Vec<Window>, Duration) {
    let spare = master.spare(0);
    let start = Instant::now();
    let finished = shard.swap(spare);
    (vec![finished], start.elapsed())
}

/// The longest of the pauses that a merge causes, and the time that the merge takes.
fn flush(master: &mut Master, shard: &mut Shard) -> (Duration, Duration, u64) {
    let (finished, mut pause) = swap(master, shard);
    let start = now();
    let aggregates = master.merge(finished, 10.0, false);
    let merge = now().saturating_sub(start);
    for (_, ids) in master.dead() {
        for ids in ids.chunks(FORGET_AT_ONCE) {
            let start = Instant::now();
            shard.forget(ids);
            pause = pause.max(start.elapsed());
        }
    }
    (pause, merge, aggregates.tally.series)
}

fn measure(mix: Mix, rules: &Rules, seconds: f64) {
    let packets = packets(mix, 64 << 20);
    let lines = lines_in(&packets);
    let mut master = Master::new(rules.clone(), 42);
    let mut shard = master.shard();
    let start = now();
    feed(&mut shard, &packets);
    let first = now().saturating_sub(start);
    let (mut pause, _, _) = flush(&mut master, &mut shard);
    let mut rounds = 0;
    let mut spent = Duration::ZERO;
    let mut merged = Duration::MAX;
    let mut series = 0;
    while spent.as_secs_f64() < seconds {
        let start = now();
        feed(&mut shard, &packets);
        spent += now().saturating_sub(start);
        rounds += 1;
        let (longest, merge, seen) = flush(&mut master, &mut shard);
        pause = pause.max(longest);
        merged = merged.min(merge);
        series = seen;
    }
    println!(
        "{:<24} {series:>8} series: first {:>6.1} ns a line, then {:>6.1}; merge {:>6.1} ms ({} lines); longest pause {:>7.1} us",
        mix.label,
        nanoseconds(first, lines),
        nanoseconds(spent, lines * rounds),
        merged.as_secs_f64() * 1e3,
        lines,
        pause.as_secs_f64() * 1e6,
    );
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn nanoseconds(spent: Duration, lines: usize) -> f64 {
    spent.as_secs_f64() * 1e9 / lines as f64
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let tags = "|#env:prod,region:eu-west-1,version:1.2.3";
    let rules = Rules::default();
    let only = std::env::args().nth(2).unwrap_or_default();
    for mix in [
        Mix { label: "1 k", series: 1_000, tags: "" },
        Mix { label: "1 k, three tags", series: 1_000, tags },
        Mix { label: "100 k", series: 100_000, tags: "" },
        Mix { label: "100 k, three tags", series: 100_000, tags },
        Mix { label: "1 M", series: 1_000_000, tags: "" },
    ] {
        if mix.label.starts_with(&only) {
            measure(mix, &rules, seconds);
        }
    }
    let delete = Rules { delete_counters: true, delete_timers: true, delete_sets: true, delete_gauges: true, ..rules };
    let mix = Mix { label: "100 k, deleted", series: 100_000, tags: "" };
    if mix.label.starts_with(&only) {
        measure(mix, &delete, seconds);
    }
    let change = |rule: &Rule| Rule { scale: 2.0, ..rule.clone() };
    let globs: Vec<Rule> = (0..100).map(|number| rule(&format!(r"^other{number}\.([^.]*)\.host\.([^.]*)$"))).collect();
    let fits = rule(r"^service\.([^.]*)\.host\.([^.]*)\.requests$");
    for (label, last) in [("100 k, 100 rules", None), ("100 k, 100 rules, scaled", Some(change(&fits)))] {
        let mix = Mix { label, series: 100_000, tags: "" };
        let rules = Rules { rules: globs.iter().cloned().chain(last).collect(), ..Rules::default() };
        if mix.label.starts_with(&only) {
            measure(mix, &rules, seconds);
        }
    }
}

fn rule(pattern: &str) -> Rule {
    Rule {
        pattern: Pattern::new(pattern).expect("a pattern"),
        kind: None,
        with_tags: Vec::new(),
        action: Action::Map,
        rename: None,
        tags: Vec::new(),
        remove_tags: Vec::new(),
        honor_tags: false,
        escape: false,
        scale: 1.0,
        sample: 1.0,
        profile: Profile::default(),
    }
}
