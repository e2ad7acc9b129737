//! What becomes of values beyond a bound.

use super::{Kernel, fed, no_deletes, rows, values};
use crate::{Dialect, Limit, Rules, Tally};

fn tiny(rules: Rules) -> Rules {
    Rules { overflow: "more".to_owned(), ..rules }
}

#[test]
fn values_of_refused_series_go_to_the_overflow_of_their_kind() {
    let rules = tiny(Rules { max_series: 2, timer_statistics: vec!["count".to_owned()], ..no_deletes() });
    let lines = "a:1|c\nb:2|c\nc:3|c\na:1|c\nd:4|c\nt:1|ms|@0.5\nu:1|ms\ng:+7|g\nh:-2|g\ns:x|s\nr:x|s\nr:y|s";
    let aggregates = fed(rules, lines).flush();
    assert_eq!((aggregates.tally.series_over_limit, aggregates.tally.series), (9, 6));
    let counts: Vec<_> = rows(&aggregates).into_iter().filter(|row| !row.contains("rate=")).collect();
    let expected = [
        "counter a count=2",
        "counter b count=2",
        "counter more count=7",
        "timer more count=3",
        "gauge more value=5",
        "set more count=2",
    ];
    assert_eq!(counts, expected);
}

#[test]
fn each_bound_has_its_count() {
    let rules = tiny(Rules {
        max_series: 6,
        max_series_per_prefix: 2,
        prefix_parts: 2,
        max_series_per_source: 4,
        max_tags: 1,
        max_name: 5,
        max_key_bytes: 30,
        ..no_deletes()
    });
    let mut kernel = Kernel::new(rules, 2);
    kernel.feed("toolong:1|c\na:1|c|#k:v,l:w\na.b.c:1|c\na.b.d:1|c\na.b.e:1|c\na.b:1|c\na.c:1|c\nb:1|c\nc:1|c");
    kernel.shards[1].feed(b"d:1|c", &|| "other:1".to_owned(), Dialect::STATSD, 1);
    kernel.shards[1].feed(b"e:1|c", &|| "other:2".to_owned(), Dialect::STATSD, 1);
    kernel.configure(&tiny(Rules { max_key_bytes: 30, ..no_deletes() }));
    kernel.feed("f:1|c|#k:0123456789\nz:1|c");
    let tally = kernel.flush().tally;
    let counts = [tally.name_over_limit, tally.tags_over_limit, tally.prefix_over_limit, tally.source_over_limit];
    assert_eq!(counts, [1, 1, 2, 1], "{tally:?}");
    assert_eq!((tally.series_over_limit, tally.keys_over_limit), (1, 1), "{tally:?}");
    let shown: Vec<_> = kernel.shards[0].overflowed().into_iter().map(|refused| (refused.key, refused.limit)).collect();
    let expected = [
        ("toolong", Limit::Name),
        ("a;k=v;l=w", Limit::Tags),
        ("a.b.e", Limit::Prefix),
        ("a.b", Limit::Prefix),
        ("c", Limit::Source),
        ("f;k=0123456789", Limit::Keys),
    ];
    assert_eq!(shown, expected.map(|(key, limit)| (key.to_owned(), limit)));
    assert!(kernel.shards[0].overflowed().is_empty());
}

#[test]
fn a_deleted_series_makes_room_for_another() {
    let rules = tiny(Rules {
        max_series_per_prefix: 1,
        max_series_per_source: 1,
        max_key_bytes: 3,
        delete_counters: true,
        ..no_deletes()
    });
    let mut kernel = Kernel::new(rules, 1);
    for name in ["a.b", "a.c", "a.d"] {
        kernel.feed(&format!("{name}:1|c"));
        assert_eq!(kernel.lines(), [format!("counter {name} rate=1"), format!("counter {name} count=1")]);
    }
}

#[test]
fn a_timer_beyond_its_bound_is_sketched() {
    let rules = Rules { max_samples_per_timer: 2, percentiles: vec![50.0, -50.0], ..Rules::default() };
    let mut kernel = fed(rules, "t:1|ms:2|ms:3|ms:1000|ms|@0.5");
    let expected = [
        "timer t count_50=2",
        "timer t mean_50=1.5078125",
        "timer t upper_50=2.015625",
        "timer t sum_50=3.015625",
        "timer t sum_squares_50=5.062744140625",
        "timer t count_top50=2",
        "timer t mean_top50=501.4921875",
        "timer t lower_top50=3.015625",
        "timer t sum_top50=1002.984375",
        "timer t sum_squares_top50=1000008.937255859375",
        "timer t std=430.95707444152435",
        "timer t upper=1000",
        "timer t lower=1",
        "timer t count=5",
        "timer t count_ps=5",
        "timer t sum=1006",
        "timer t sum_squares=1000014",
        "timer t mean=251.5",
        "timer t median=2.515625",
    ];
    let rows = kernel.lines();
    for (row, expected) in rows.iter().zip(expected) {
        assert_eq!(row.split('=').next(), expected.split('=').next());
        let number = |row: &str| row.rsplit('=').next().unwrap().parse::<f64>().unwrap();
        let (value, expected) = (number(row), number(expected));
        assert!((value - expected).abs() <= expected * 0.008, "{row} is not {expected}");
    }
    assert_eq!(rows.len(), expected.len());
    kernel.feed("t:1|ms:2|ms");
    assert!(kernel.lines().contains(&"timer t upper_50=1".to_owned()), "the next window is exact again");
}

#[test]
fn samples_in_all_are_bounded() {
    let rules = Rules { max_samples: 2, ..no_deletes() };
    let mut kernel = fed(rules, "t:1|ms:2|ms:3|ms\nu:5|ms");
    let aggregates = kernel.flush();
    assert_eq!(aggregates.tally.samples_over_limit, 1);
    let rows = rows(&aggregates);
    for expected in
        ["timer t count=3", "timer t median=2.015625", "timer u count=1", "timer u mean=5", "timer u upper=5"]
    {
        assert!(rows.contains(&expected.to_owned()), "{expected} in {rows:?}");
    }
    assert!(!rows.iter().any(|row| row.starts_with("timer u median")));
    kernel.feed("t:1|ms:2|ms");
    assert_eq!(kernel.flush().tally.samples_over_limit, 0);
}

#[test]
fn a_set_beyond_its_bound_is_estimated() {
    let rules = Rules { max_members_per_set: 100, ..no_deletes() };
    let mut kernel = Kernel::new(rules, 2);
    let lines: Vec<_> = (0..3000).map(|number| format!("s:{number}|s")).collect();
    kernel.feed_to(0, &lines[..2000].join("\n"));
    kernel.feed_to(1, &lines[1950..].join("\n"));
    kernel.feed_to(1, "few:1|s:2|s");
    kernel.feed_to(0, "few:2|s:3|s");
    let rows = kernel.lines();
    let count: f64 = rows[0].strip_prefix("set s count=").unwrap().parse().unwrap();
    assert!((count - 3000.0).abs() < 75.0, "{count}");
    assert_eq!(rows[1], "set few count=3");
    kernel.feed("s:1|s");
    assert_eq!(kernel.lines()[0], "set s count=1");
}

#[test]
fn set_members_in_all_are_bounded() {
    let rules = Rules { max_set_members: 2, ..no_deletes() };
    let mut kernel = fed(rules, "a:1|s\nb:1|s\na:1|s\na:2|s\na:3|s\nb:2|s");
    let aggregates = kernel.flush();
    assert_eq!(aggregates.tally.members_over_limit, 1);
    assert_eq!(rows(&aggregates), ["set a count=3", "set b count=1"]);
    kernel.feed("a:1|s\na:2|s");
    assert_eq!(kernel.flush().tally.members_over_limit, 0);
}

#[test]
fn the_line_is_bounded() {
    let mut kernel = fed(Rules { max_line: 5, ..no_deletes() }, "d:1|c\nlong:1|c\na b:1|c");
    let expected = Tally { packets: 1, bytes: 22, lines: 3, bad_lines: 2, series: 1, ..Tally::default() };
    assert_eq!(kernel.flush().tally, expected);
    assert_eq!(values(no_deletes(), "long:1|c", &["count"]), ["long count=1"]);
}

#[test]
fn sketches_are_given_where_they_are_asked_for() {
    let rules = Rules { sketch: true, max_samples_per_timer: 2, ..no_deletes() };
    let mut kernel = fed(rules, "t:1|ms:2|ms:3|ms\nu:1|ms\nc:1|c");
    let blocks = kernel.flush().blocks;
    assert!(blocks[0].sketches.is_empty());
    let lengths: Vec<_> = blocks[1].sketches.iter().map(Vec::len).collect();
    assert_eq!(lengths, [50, 45]);
    let Some([first, second]) =
        kernel.flush().blocks.get(1).map(|block| [block.sketches[0].len(), block.sketches[1].len()])
    else {
        panic!("idle timers have a block");
    };
    assert_eq!((first, second), (0, 0));
}
