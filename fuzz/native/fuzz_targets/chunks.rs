//! However a stream of lines is cut between lines, all at once, line by line or in batches, the windows are alike.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nilometer_core::{Aggregates, Dialect, Rules};
use nilometer_fuzz::{Kernel, assert_alike, dialect, rules, text};

type Way = fn(&mut Kernel, &[&[u8]], Dialect);

const WAYS: [Way; 3] = [
    |kernel, lines, dialect| kernel.feed(&lines.concat(), dialect),
    |kernel, lines, dialect| lines.iter().for_each(|line| kernel.feed(line, dialect)),
    |kernel, lines, dialect| kernel.shard.feed_many(lines, &|_| "peer".to_owned(), dialect),
];

fn windows(way: Way, lines: &[&[u8]], rules: &Rules, dialect: Dialect) -> [Aggregates; 2] {
    let mut kernel = Kernel::new(rules.clone());
    let (first, second) = lines.split_at(lines.len() / 2);
    [first, second].map(|lines| {
        way(&mut kernel, lines, dialect);
        kernel.flush()
    })
}

fuzz_target!(|data: &[u8]| {
    let [bits, byte, data @ ..] = data else { return };
    let (rules, dialect, data) = (rules(*bits), dialect(*byte), text(data));
    let lines: Vec<_> = data.split_inclusive(|&byte| byte == b'\n').collect();
    let [whole, each, batches] = WAYS.map(|way| windows(way, &lines, &rules, dialect));
    for other in [each, batches] {
        whole.iter().zip(&other).for_each(|(whole, other)| assert_alike(whole, other));
    }
});
