//! Whatever bytes arrive, in any dialect, every line is counted once, and every window flushed is well shaped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nilometer_fuzz::{Kernel, assert_well_shaped, dialect, lines, rules, text};

fuzz_target!(|data: &[u8]| {
    let [bits, byte, data @ ..] = data else { return };
    let (rules, dialect, data) = (rules(*bits), dialect(*byte), text(data));
    let mut kernel = Kernel::new(rules.clone());
    for half in [&data[..data.len() / 2], &data[data.len() / 2..], &[]] {
        kernel.feed(half, dialect);
        let explained = nilometer_core::explain(half, dialect, rules.sanitize, rules.max_line);
        let bad = explained.iter().filter(|fields| fields.iter().any(|(name, _)| *name == "error")).count() as u64;
        let (notices, lost) = kernel.shard.notices();
        assert!(notices.len() as u64 + lost + bad <= explained.len() as u64);
        let timed = kernel.shard.timed().values();
        assert!(timed.iter().all(|timed| timed.timestamp > 0 && !timed.key.contains('\n')));
        let aggregates = kernel.flush();
        assert_eq!(aggregates.tally.bad_lines, bad);
        let tally = &aggregates.tally;
        assert_eq!((tally.packets, tally.bytes), (1, half.len() as u64));
        assert_eq!(tally.lines, lines(half, dialect));
        assert!(kernel.shard.bad_lines().len() as u64 <= tally.bad_lines);
        assert_well_shaped(&aggregates, &rules);
    }
});
