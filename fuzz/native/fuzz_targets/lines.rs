//! Whatever bytes arrive, in either dialect, every line is counted once, and every window flushed is well shaped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nilometer_fuzz::{Kernel, assert_well_shaped, dialect, lines, rules, text};

fuzz_target!(|data: &[u8]| {
    let Some((&bits, data)) = data.split_first() else { return };
    let (rules, dialect, data) = (rules(bits), dialect(bits), text(data));
    let mut kernel = Kernel::new(rules.clone());
    for half in [&data[..data.len() / 2], &data[data.len() / 2..], &[]] {
        kernel.feed(half, dialect);
        let aggregates = kernel.flush();
        let tally = &aggregates.tally;
        assert_eq!((tally.packets, tally.bytes), (1, half.len() as u64));
        assert_eq!(tally.lines, lines(half, dialect));
        assert!(kernel.shard.bad_lines().len() as u64 <= tally.bad_lines);
        assert_well_shaped(&aggregates, &rules);
    }
});
