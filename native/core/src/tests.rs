//! The kernel as a whole: shards, their master, and flushes.

mod limits;
mod looks;
mod properties;

use crate::shard::FORGET_AT_ONCE;
use crate::{Aggregates, BadLine, Column, Dialect, Histogram, Master, Rules, Shard, Tally};

struct Kernel {
    master: Master,
    shards: Vec<Shard>,
}

impl Kernel {
    fn new(rules: Rules, shards: usize) -> Self {
        let mut master = Master::new(rules, 7);
        let shards = (0..shards).map(|_| master.shard()).collect();
        Self { master, shards }
    }

    fn feed(&mut self, lines: &str) {
        self.feed_to(0, lines);
    }

    fn feed_to(&mut self, shard: usize, lines: &str) {
        self.shards[shard].feed(lines.as_bytes(), &|| "peer".to_owned(), Dialect::STATSD, 1);
    }

    fn configure(&mut self, rules: &Rules) {
        self.master.configure(rules.clone());
        self.shards.iter_mut().for_each(|shard| shard.configure(rules));
    }

    fn flush_for(&mut self, seconds: f64) -> Aggregates {
        let Self { master, shards } = self;
        let finished = shards.iter_mut().map(|shard| shard.swap(master.spare(shard.number()))).collect();
        let aggregates = master.merge(finished, seconds, false);
        for (shard, ids) in master.dead() {
            ids.chunks(FORGET_AT_ONCE).for_each(|ids| shards[shard].forget(ids));
        }
        aggregates
    }

    fn flush(&mut self) -> Aggregates {
        self.flush_for(1.0)
    }

    /// Flush; every statistic as `kind key statistic=value`, in order.
    fn lines(&mut self) -> Vec<String> {
        rows(&self.flush())
    }
}

fn rows(aggregates: &Aggregates) -> Vec<String> {
    let mut rows = Vec::new();
    for block in &aggregates.blocks {
        let names = std::str::from_utf8(&block.names).unwrap();
        assert_eq!(names.split('\n').count(), block.count);
        for (row, name) in names.split('\n').enumerate() {
            for Column { name: statistic, values, present } in &block.columns {
                assert_eq!(values.len(), block.count);
                if present.as_ref().is_none_or(|present| present[row] != 0) {
                    rows.push(format!(
                        "{} {name} {statistic}={}",
                        block.kind.name(),
                        crate::decimal::text(values[row])
                    ));
                }
            }
        }
    }
    rows
}

fn no_deletes() -> Rules {
    Rules { percentiles: Vec::new(), ..Rules::default() }
}

/// A kernel with one shard that was fed `lines`.
fn fed(rules: Rules, lines: &str) -> Kernel {
    let mut kernel = Kernel::new(rules, 1);
    kernel.feed(lines);
    kernel
}

/// What remains of `lines` in the first flush, of the statistics in `only`.
fn values(rules: Rules, lines: &str, only: &[&str]) -> Vec<String> {
    let rows = fed(rules, lines).lines();
    let wanted = |row: &String| {
        row.rsplit(' ').next().and_then(|last| last.split('=').next()).is_some_and(|name| only.contains(&name))
    };
    rows.into_iter().filter(wanted).map(|row| row.split(' ').skip(1).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn counters_add_up() {
    let cases = [
        ("a:3|c|@0.5", "a count=6"),
        ("a:1|c|@0.3", "a count=3.3333333333333335"),
        ("a:1|c|@0.1\na:1|c|@0.25\na:1|c", "a count=15"),
        ("a:0x10|c", "a count=16"),
        ("a:1e400|c", "a count=Infinity"),
        ("a:1|c|@0x10", "a count=Infinity"),
        ("a:9007199254740993|c", "a count=9007199254740992"),
        ("a:7|foo", "a count=7"),
        ("a:1|c\r\n", "a count=1"),
        ("a b:1|c\na_b:2|c", "a_b count=3"),
        ("a:1|c:2|c|#k:v", "a;k=v count=3"),
        (":1|c", " count=1"),
        ("__proto__:1|c", "__proto__ count=1"),
        ("a:0|c|@0\na:1|c", "a count=1"),
    ];
    for (lines, expected) in cases {
        assert_eq!(values(no_deletes(), lines, &["count"]), [expected], "{lines:?}");
    }
    assert_eq!(rows(&fed(no_deletes(), "a:3|c").flush_for(2.0)), ["counter a rate=1.5", "counter a count=3"]);
}

#[test]
fn idle_series_report_zero_and_gauges_repeat() {
    let mut kernel = fed(no_deletes(), "c:4|c\nt:4|ms\ng:4|g\ns:4|s");
    assert_eq!(kernel.flush().tally.series, 4);
    let idle = [
        "counter c rate=0",
        "counter c count=0",
        "timer t count_ps=0",
        "timer t count=0",
        "gauge g value=4",
        "set s count=0",
    ];
    assert_eq!(kernel.lines(), idle);
    kernel.feed("u:1|ms");
    let columns: Vec<_> = kernel.flush().blocks[1].columns.iter().map(|column| column.name.clone()).collect();
    let names = ["std", "upper", "lower", "count_ps", "count", "count_ps", "sum", "sum_squares", "mean", "median"];
    assert_eq!(columns, names);
}

#[test]
fn gauges_are_set_and_moved() {
    let cases = [
        ("g:70|g", "70"),
        ("g:+10|g", "10"),
        ("g:5|g\ng:-7|g", "-2"),
        ("g:0|g\ng:-5|g", "-5"),
        ("g:5|g\ng: -7|g", "-7"),
        ("g:Infinity|g\ng:-Infinity|g\ng:+3|g", "3"),
        ("g:+1|g\ng:+2|g\ng:5|g\ng:+0.1|g", "5.1"),
    ];
    for (lines, expected) in cases {
        assert_eq!(values(no_deletes(), lines, &["value"]), [format!("g value={expected}")], "{lines:?}");
    }
}

#[test]
fn changes_apply_one_by_one_to_the_value_of_earlier_windows() {
    let mut kernel = fed(no_deletes(), "g:1e16|g");
    kernel.flush();
    kernel.feed("g:+1|g\ng:+1|g");
    assert_eq!(kernel.lines(), ["gauge g value=10000000000000000"]);
    kernel.feed("g:+1|g\ng:2|g\ng:-0.5|g");
    assert_eq!(kernel.lines(), ["gauge g value=1.5"]);
}

#[test]
fn sets_count_distinct_members() {
    let long = "x".repeat(300);
    let cases = [
        ("s:765|s\ns:765|s\ns:766|s".to_owned(), 2),
        ("s:1|s\ns:1.0|s\ns:01|s".to_owned(), 3),
        ("s:|s\ns:0|s".to_owned(), 1),
        ("s:\u{e9}|s\ns:e|s\ns:__proto__|s".to_owned(), 3),
        (format!("s:{long}|s\ns:{long}|s\ns:{long}y|s"), 2),
        ("s:a:b|s".to_owned(), 1),
    ];
    for (lines, count) in cases {
        assert_eq!(values(no_deletes(), &lines, &["count"]), [format!("s count={count}")], "{lines:?}");
    }
    let mut kernel = Kernel::new(no_deletes(), 1);
    kernel.shards[0].feed(b"s:\xff|s\ns:\xfe|s", &String::new, Dialect::STATSD, 1);
    assert_eq!(kernel.lines(), ["set s count=1"]);
    kernel.feed("s:x|s");
    assert_eq!(kernel.lines(), ["set s count=1"]);
}

#[test]
fn timers_of_one_sample() {
    let rows = values(
        Rules { percentiles: vec![90.0, 0.0, -10.0, 99.9], ..Rules::default() },
        "t:5|ms|@0.1",
        &["count", "sum", "lower_0"],
    );
    assert_eq!(rows, ["t lower_0=5", "t count=10", "t sum=5"]);
}

#[test]
fn series_come_in_order_of_first_arrival() {
    let mut kernel = fed(no_deletes(), "zz:1|g\naa:2|g\n10:3|g");
    assert_eq!(kernel.flush().blocks[0].names, b"zz\naa\n10");
    kernel.feed("bb:1|g\naa:1|g");
    assert_eq!(kernel.flush().blocks[0].names, b"zz\naa\n10\nbb");
}

#[test]
fn deleted_series_start_anew() {
    let all =
        Rules { delete_counters: true, delete_timers: true, delete_sets: true, delete_gauges: true, ..no_deletes() };
    let mut kernel = fed(
        Rules { keep: vec!["bad_lines".to_owned()], ..all },
        "a:1|c\nx.bad_lines.y:1|c\nt:1|ms\ns:1|s\ng:10|g\nb:1|c",
    );
    assert_eq!(kernel.flush().tally.series, 6);
    kernel.feed("b:1|c\na:1|c\ng:+5|g");
    let rows = kernel.lines();
    let order: Vec<_> = rows.iter().filter(|row| row.contains("count=")).map(String::as_str).collect();
    assert_eq!(order, ["counter x.bad_lines.y count=0", "counter b count=1", "counter a count=1"]);
    assert!(rows.contains(&"gauge g value=5".to_owned()));
    assert_eq!(kernel.lines(), ["counter x.bad_lines.y rate=0", "counter x.bad_lines.y count=0"]);
}

#[test]
fn gauges_live_for_as_many_flushes_as_they_may() {
    let mut kernel = fed(Rules { delete_gauges: true, gauge_ttl: 2, ..no_deletes() }, "g:1|g");
    assert_eq!(kernel.lines(), ["gauge g value=1"]);
    kernel.feed("g:2|g");
    assert_eq!(kernel.lines(), ["gauge g value=2"]);
    assert_eq!(kernel.lines(), ["gauge g value=2"]);
    assert!(kernel.lines().is_empty());
}

#[test]
fn a_series_updated_before_it_is_forgotten_is_a_new_one() {
    let Kernel { mut master, mut shards } = fed(Rules { delete_counters: true, ..no_deletes() }, "a:1|c\nb:1|c");
    let finished = shards[0].swap(master.spare(0));
    assert_eq!(master.merge(vec![finished], 1.0, false).blocks[0].names, b"a\nb");
    shards[0].feed(b"b:5|c", &String::new, Dialect::STATSD, 1);
    for (_, ids) in master.dead() {
        shards[0].forget(&ids);
    }
    shards[0].feed(b"b:5|c\na:2|c", &String::new, Dialect::STATSD, 1);
    let mut kernel = Kernel { master, shards };
    assert_eq!(kernel.lines(), ["counter b rate=10", "counter b count=10", "counter a rate=2", "counter a count=2"]);
}

#[test]
fn churn_leaves_nothing_behind() {
    let rules = Rules {
        delete_counters: true,
        delete_timers: true,
        delete_gauges: true,
        delete_sets: true,
        max_series: 4000,
        ..no_deletes()
    };
    let mut kernel = Kernel::new(rules, 2);
    for round in 0..200 {
        let kinds = ["c", "ms", "g", "s"];
        let lines: Vec<_> = (0..4000).map(|number| format!("name.{round}.{number}:1|{}", kinds[number % 4])).collect();
        kernel.feed_to(round % 2, &lines.join("\n"));
        let tally = kernel.flush().tally;
        assert_eq!((tally.series, tally.series_over_limit), (4000, 0));
    }
    assert!(kernel.shards.iter().all(|shard| shard.known() <= 4000));
    assert_eq!(kernel.flush().tally.series, 0);
}

#[test]
fn everything_is_tallied() {
    let mut kernel = Kernel::new(no_deletes(), 1);
    kernel.shards[0].feed_many(&[b"a:1|c\n\nbad\n", b"", b"a:1:2:3|c"], &|place| place.to_string(), Dialect::STATSD);
    kernel.shards[0].feed(b"a:1|c\r\n\r\n", &String::new, Dialect::AUTO, 0);
    let tally = kernel.flush().tally;
    assert_eq!(tally, Tally { packets: 3, bytes: 29, lines: 4, bad_lines: 3, series: 1, ..Tally::default() });
    let kept: Vec<_> = kernel.shards[0].bad_lines().into_iter().map(|bad| (bad.source, bad.line, bad.fields)).collect();
    let bad = |source: &str, line: &str, fields: &str| (source.to_owned(), line.to_owned(), fields.to_owned());
    assert_eq!(kept, [bad("0", "bad", "1"), bad("2", "a:1:2:3|c", "1"), bad("2", "a:1:2:3|c", "2")]);
}

#[test]
fn refused_lines_are_shown() {
    let mut kernel = fed(no_deletes(), "foo:bar|c");
    let bad = |line: &str, fields: &str, reason| BadLine {
        source: "peer".to_owned(),
        line: line.to_owned(),
        fields: fields.to_owned(),
        reason,
    };
    assert_eq!(kernel.shards[0].bad_lines(), [bad("foo:bar|c", "bar,c", "not a number")]);
    kernel.feed(&"x\n".repeat(100));
    assert_eq!(kernel.shards[0].bad_lines().len(), 32);
    assert!(kernel.shards[0].bad_lines().is_empty());
    kernel.feed(&"y".repeat(70_000));
    assert_eq!(kernel.shards[0].bad_lines(), [bad(&"y".repeat(512), "", "line too long")]);
    assert_eq!(kernel.flush().tally.bad_lines, 102);
}

#[test]
fn keys_stay_as_they_are_where_the_rules_say_so() {
    let rules = Rules { sanitize: false, ..no_deletes() };
    assert_eq!(
        values(rules, "b ar/x+y:1|c\nn;t=a+b:1|c|#k:\u{e9}", &["count"]),
        ["b ar/x+y count=1", "n;t=a+b;k=\u{e9} count=1"]
    );
}

#[test]
fn cleaning_begins_at_once() {
    let rules = Rules { sanitize: false, ..no_deletes() };
    let mut kernel = fed(rules.clone(), "a b:1|c\nc\u{e9}:1|c\nd/:1|c|#x");
    kernel.shards[0].feed(b"\xff:1|c", &String::new, Dialect::STATSD, 1);
    kernel.configure(&Rules { sanitize: true, ..rules });
    kernel.feed("a b:2|c\nc\u{e9}:2|c\nd/:2|c|#x\n\u{fffd}:2|c");
    let names = "a b\nc\u{e9}\nd/;x\n\u{fffd}\na_b\nc\nd-;x\n";
    assert_eq!(String::from_utf8(kernel.flush().blocks[0].names.clone()).unwrap(), names);
}

#[test]
fn gauges_survive_a_restart() {
    let mut kernel = fed(no_deletes(), "a:1|g\nb:2|g");
    kernel.flush();
    let (keys, values) = kernel.master.gauges();
    assert_eq!((keys.as_slice(), values.as_slice()), (&b"a\nb"[..], &[1.0, 2.0][..]));
    let mut next = Kernel::new(Rules { max_series: 4, ..no_deletes() }, 1);
    next.feed("b:7|g");
    next.master.restore_gauges([("a", 1.0), ("b", 2.0), ("c", 3.0), ("d\ne", 4.0)]);
    next.feed("a:+1|g");
    assert_eq!(next.lines(), ["gauge a value=2", "gauge b value=7", "gauge c value=3"]);
    next.master.restore_gauges([("a", 9.0), ("c", 3.0), ("d", 4.0), ("e", 5.0)]);
    let aggregates = next.flush();
    assert_eq!(aggregates.tally.series_over_limit, 1);
    assert_eq!(rows(&aggregates), ["gauge a value=2", "gauge b value=7", "gauge c value=3", "gauge d value=4"]);
}

#[test]
fn the_latest_batch_of_any_shard_sets_a_gauge() {
    let mut kernel = Kernel::new(no_deletes(), 2);
    kernel.feed_to(1, "g:+100|g");
    kernel.feed_to(0, "g:1|g");
    kernel.feed_to(1, "g:2|g");
    kernel.feed_to(0, "g:+10|g");
    assert_eq!(kernel.lines(), ["gauge g value=2"]);
    kernel.feed_to(1, "g:+100|g");
    kernel.feed_to(0, "g:5|g");
    kernel.feed_to(1, "g:+1|g");
    assert_eq!(kernel.lines(), ["gauge g value=6"]);
}

#[test]
fn histograms_count_by_bin() {
    let histogram = |pattern: &str, bins: &[f64]| Histogram { pattern: pattern.to_owned(), bins: bins.to_vec() };
    let rules = Rules {
        histograms: vec![
            histogram("foo", &[]),
            histogram("abcd", &[1.0, 5.0, f64::INFINITY]),
            histogram("a", &[50.0, 2.5]),
        ],
        timer_statistics: vec!["histogram".to_owned()],
        ..no_deletes()
    };
    let lines = "foo.abcd:0|ms\nabcd:0|ms:1|ms:7|ms|@0.1\na:49|ms:50|ms:1|ms\nz:1|ms";
    let expected = [
        "timer abcd histogram.bin_1=1",
        "timer abcd histogram.bin_5=1",
        "timer abcd histogram.bin_inf=1",
        "timer a histogram.bin_50=2",
        "timer a histogram.bin_2_5=0",
    ];
    assert_eq!(fed(rules, lines).lines(), expected);
}
