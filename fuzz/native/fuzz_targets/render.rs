//! Lines and points of a block say the same, and every number that is printed reads back as the float64 that it was.

#![no_main]
#![allow(clippy::float_cmp, reason = "what is read back must be equal")]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use nilometer_core::decimal;
use nilometer_core::render::{Column, lines, points};

#[derive(Arbitrary, Debug)]
struct Input {
    series: Vec<(Vec<u8>, f64, bool, f64)>,
    before: Vec<u8>,
    after: Vec<u8>,
    timestamp: i64,
    sanitize: bool,
}

fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|&byte| byte != b'\n').collect()
}

fuzz_target!(|input: Input| {
    let count = input.series.len();
    let names: Vec<_> = input.series.iter().map(|(name, ..)| one_line(name)).collect();
    let names = names.join(&b'\n');
    let first: Vec<_> = input.series.iter().map(|&(_, value, ..)| value).collect();
    let second: Vec<_> = input.series.iter().map(|&(.., value)| value).collect();
    let present: Vec<_> = input.series.iter().map(|&(_, _, present, _)| u8::from(present)).collect();
    let (before, after) = (one_line(&input.before), one_line(&input.after));
    let sure = Column { before: &before, after: b"", values: &first, present: None };
    let columns = [sure, Column { before: b"", after: &after, values: &second, present: Some(&present) }];

    let text = lines(&names, count, &columns, input.timestamp, input.sanitize).expect("well shaped");
    let (paths, values) = points(&names, count, &columns, input.sanitize).expect("well shaped");
    let mut expected = Vec::new();
    for (path, &value) in paths.split(|&byte| byte == b'\n').zip(&values) {
        let number = decimal::text(value);
        let read: f64 = number.parse().expect("a number");
        assert!(read == value || (read.is_nan() && value.is_nan()), "{value:?} was printed as {number}");
        expected.extend_from_slice(&[path, format!(" {number} {}\n", input.timestamp).as_bytes()].concat());
    }
    assert_eq!(text, expected);
    assert_eq!(values.len(), count + present.iter().filter(|&&byte| byte != 0).count());
});
