//! What holds for any input.

use super::{Kernel, fed, no_deletes, rows};
use crate::Dialect;
use crate::{Aggregates, Rules};
use proptest::prelude::*;

/// A line of any kind, good or bad, over few keys so that they meet.
fn any_line() -> impl Strategy<Value = String> {
    let value = prop_oneof!["[-+]?[0-9]{1,3}", "[-+]?[0-9]{1,3}\\.5", "x", "", "0x1F", "1e2"];
    let spec = (
        value,
        prop_oneof!["c", "ms", "g", "s", "h", "ms\r"],
        prop_oneof![Just(""), Just("|@0.5"), Just("|@"), Just("|#k:v")],
    );
    prop_oneof![
        9 => ("[ab ]", spec).prop_map(|(key, (value, kind, rest))| format!("{key}:{value}|{kind}{rest}")),
        1 => "[a:|#@1cgms\r]{0,8}",
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_counted_or_refused(packets in any::<Vec<Vec<u8>>>(), dialect in 0..Dialect::NAMES.len(), sanitize in any::<bool>()) {
        let mut kernel = Kernel::new(Rules { sanitize, ..Rules::default() }, 1);
        let packets: Vec<_> = packets.iter().map(Vec::as_slice).collect();
        kernel.shards[0].feed_many(&packets, &|place| place.to_string(), Dialect::named(Dialect::NAMES[dialect]).unwrap());
        let aggregates = kernel.flush();
        rows(&aggregates);
        prop_assert!(aggregates.tally.lines >= aggregates.tally.series.min(1));
    }

    /// However lines are cut into packets and calls, the outcome is the same.
    #[test]
    fn packets_do_not_matter(lines in proptest::collection::vec(any_line(), 0..150), cut in 1_usize..20) {
        let mut whole = fed(no_deletes(), &lines.join("\n"));
        let mut split = Kernel::new(no_deletes(), 1);
        let packets: Vec<_> = lines.chunks(cut).map(|lines| lines.join("\n")).collect();
        let packets: Vec<_> = packets.iter().map(String::as_bytes).collect();
        for batch in packets.chunks(3) {
            split.shards[0].feed_many(batch, &|_| String::new(), Dialect::STATSD);
        }
        prop_assert_eq!(rows(&whole.flush()), rows(&split.flush()));
    }

    /// Shards merged are one shard, for lines that come one after another and sums that are exact.
    #[test]
    fn shards_do_not_matter(lines in proptest::collection::vec((any_line(), 0_usize..3), 0..150), flush_after in 0_usize..150) {
        let mut one = Kernel::new(no_deletes(), 1);
        let mut three = Kernel::new(no_deletes(), 3);
        let sorted = |aggregates: Aggregates| {
            let mut rows = rows(&aggregates);
            rows.sort();
            rows
        };
        let mut touched = std::collections::HashMap::new();
        for (number, (line, shard)) in lines.iter().enumerate() {
            // A gauge stays with one shard: what several do to it between two flushes is only ordered by batch.
            let shard = if line.contains("|g") { *touched.entry(line.chars().next()).or_insert(*shard) } else { *shard };
            one.feed(line);
            three.feed_to(shard, line);
            if number == flush_after {
                prop_assert_eq!(sorted(one.flush()), sorted(three.flush()));
                touched.clear();
            }
        }
        prop_assert_eq!(sorted(one.flush()), sorted(three.flush()));
    }

    /// Tags mean the same whether their spelling is known or read with every care, whatever is deleted in between.
    #[test]
    fn spellings_do_not_matter(
        steps in proptest::collection::vec((0..3_usize, "[ab]", r"[#;:,/ab]{0,6}", "[cgs]", 0..8_usize, any::<bool>()), 0..150),
        most in 1_usize..6,
    ) {
        let rules = Rules { max_series: most, delete_counters: true, ..no_deletes() };
        let (mut quick, mut careful) = (Kernel::new(rules.clone(), 1), Kernel::new(rules, 1));
        for (number, (step, name, tags, kind, which, sanitize)) in steps.into_iter().enumerate() {
            match (step, which) {
                (0, 0) => prop_assert_eq!(rows(&quick.flush()), rows(&careful.flush())),
                (0, 1) => {
                    let rules = Rules { sanitize, ..quick.master.rules().clone() };
                    quick.configure(&rules);
                    careful.configure(&rules);
                }
                _ => {
                    let line = format!("{name}:{number}|{kind}|#{tags}");
                    for (kernel, line) in [(&mut quick, line.clone()), (&mut careful, format!("{line}|X"))] {
                        kernel.shards[0].feed(line.as_bytes(), &String::new, Dialect::AUTO, 1);
                    }
                }
            }
        }
        prop_assert_eq!(rows(&quick.flush()), rows(&careful.flush()));
    }
}
