//! Numbers as JavaScript's `Number()` reads them, which is how statsd reads them.
//!
//! Source: ECMA-262, `StringNumericLiteral` (7.1.4.1): white space around, a sign, decimals with an exponent, `Infinity`;
//! `0x`, `0o` and `0b` without a sign; nothing else. Rounding is exact.

/// Powers of ten that a float64 holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Above this a whole number may need rounding.
const EXACT: u64 = 1 << 53;
/// Digits that surely fit a `u64`.
const DIGITS: usize = 19;

/// Reads the digits and the point at the start of `text`; also says how many bytes that were. `None` where there is no
/// digit, or where the value needs more care than [`parse`] alone gives.
///
/// A whole number up to 2^53 and a power of ten up to 22 are exact, so their quotient is rounded once (Clinger 1990).
#[inline]
pub(crate) fn plain(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let first = usize::from(negative || text.first() == Some(&b'+'));
    let (whole, length) = digits(0, text.get(first..)?);
    let mut end = first + length;
    let (mut mantissa, mut fraction) = (whole, 0);
    if text.get(end) == Some(&b'.') {
        (mantissa, fraction) = digits(whole, &text[end + 1..]);
        end += 1 + fraction;
    }
    let count = length + fraction;
    if count == 0 || count > DIGITS || mantissa > EXACT {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "up to 2^53 none is lost")]
    let value = mantissa as f64 / TENS[fraction];
    Some((if negative { -value } else { value }, end))
}

/// Reads on after `value`; more than [`DIGITS`] digits wrap around, which the caller refuses.
#[inline]
fn digits(mut value: u64, text: &[u8]) -> (u64, usize) {
    let mut count = 0;
    while let Some(digit) = text.get(count).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (value, count)
}

/// Reads all of `text`; `None` for what JavaScript takes for `NaN`, and for an empty text. White space alone is 0.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    if let Some((value, end)) = plain(text) {
        if end == text.len() {
            return Some(value);
        }
    }
    literal(trim(std::str::from_utf8(text).ok()?))
}

/// Drops what JavaScript's `trim()` drops.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// JavaScript's `\s`.
pub(crate) fn is_space(character: char) -> bool {
    character != '\u{85}' && (character.is_whitespace() || character == '\u{feff}')
}

fn literal(text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    match text.get(..2) {
        Some("0x" | "0X") => return binary(&text[2..], 4),
        Some("0o" | "0O") => return binary(&text[2..], 3),
        Some("0b" | "0B") => return binary(&text[2..], 1),
        _ => {}
    }
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "Infinity" if text.starts_with('-') => Some(f64::NEG_INFINITY),
        "Infinity" => Some(f64::INFINITY),
        digits if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => text.parse().ok(),
        _ => None,
    }
}

/// Reads digits of `bits` bits each, rounding half to even as a whole.
fn binary(text: &str, bits: u8) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    let (mut top, mut scale, mut lost) = (0_u64, 0_i32, false);
    for character in text.chars() {
        let digit = character.to_digit(1 << bits)?;
        if top >> 58 == 0 {
            top = top << bits | u64::from(digit);
        } else {
            lost |= digit != 0;
            scale = scale.saturating_add(i32::from(bits));
        }
    }
    // 58 bits and more are kept, at least 5 more than a float64 has: one more, set where digits were lost, rounds right.
    #[allow(clippy::cast_precision_loss, reason = "this is the rounding")]
    let rounded = (top | u64::from(lost)) as f64;
    Some(rounded * 2_f64.powi(scale.min(2000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_javascript_reads() {
        let cases: &[(&str, f64)] = &[
            ("1", 1.0),
            ("+1", 1.0),
            ("-1", -1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("-.5e-1", -0.05),
            ("0x10", 16.0),
            ("0XfF", 255.0),
            ("0b11", 3.0),
            ("0o17", 15.0),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("+Infinity", f64::INFINITY),
            (" ", 0.0),
            ("\r", 0.0),
            ("\u{a0}1\u{feff}", 1.0),
            ("\u{2003}7\u{3000}", 7.0),
            ("1e400", f64::INFINITY),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("123456789012345678901", 123_456_789_012_345_680_000.0),
            ("1e-400", 0.0),
            ("0.1", 0.1),
            ("0.30000000000000004", 0.300_000_000_000_000_04),
            ("2.2250738585072014e-308", f64::MIN_POSITIVE),
            ("00012", 12.0),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0x20000000000003", 9_007_199_254_740_996.0),
            ("0x200000000000010000000000000001", 1.661_534_994_731_145_2e35),
            ("0x2000000000000100000000000000000000", 1.088_903_574_147_003_1e40),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text.as_bytes()), Some(*value), "{text:?}");
        }
        assert!(parse(b"-0").unwrap().is_sign_negative());
        let huge = format!("0x1{}", "0".repeat(300));
        assert_eq!(parse(huge.as_bytes()), Some(f64::INFINITY));
    }

    #[test]
    fn refuses_what_javascript_refuses() {
        for text in [
            "",
            "NaN",
            "nan",
            "inf",
            "-inf",
            "infinity",
            "INFINITY",
            "1,5",
            "1_000",
            "+0x10",
            "-0b1",
            "0x",
            "0b2",
            "0o8",
            ".",
            "+",
            "-",
            "e5",
            "1e",
            "1e+",
            "--1",
            "1 2",
            "1x",
            ".e1",
            "\u{85}1",
            "0x1p3",
            "1.2.3",
            "+ 1",
            "--Infinity",
            "1\0",
            "0x1_0",
            "++1",
            "0b",
            "0o",
            "0xg",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn plain_decimals_are_exact(text in r"[+-]?[0-9]{0,19}(\.[0-9]{0,20})?") {
            let exact = text.parse::<f64>().ok();
            if let Some((value, end)) = plain(text.as_bytes()) {
                prop_assert_eq!(end, text.len());
                prop_assert_eq!(Some(value.to_bits()), exact.map(f64::to_bits));
            }
            prop_assert_eq!(parse(text.as_bytes()), exact);
        }

        #[test]
        fn any_bytes_are_read_or_refused(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
