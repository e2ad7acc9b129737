//! Numbers as JavaScript prints them, which is what statsd sends.
//!
//! Source: ECMA-262, `Number::toString` (6.1.6.1.20): the shortest digits that read back as the same float64, plain
//! between 1e-6 and 1e21, with an exponent outside; `-0` is `0`; `Infinity`, `-Infinity` and `NaN` are spelled out.

use ryu_js::Buffer;

/// Below this every whole float64 fits an `i64` and has no shorter digits than its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Appends `value` to `out`.
pub fn push(out: &mut Vec<u8>, value: f64) {
    if value.abs() < WHOLE && value.fract() == 0.0 {
        if value < 0.0 {
            out.push(b'-');
        }
        push_whole(out, to_u64(value.abs()));
    } else {
        out.extend_from_slice(Buffer::new().format(value).as_bytes());
    }
}

/// Returns `value` as text.
#[must_use]
pub fn text(value: f64) -> String {
    Buffer::new().format(value).to_owned()
}

/// Appends a whole number.
pub fn push_whole(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + low_digit(value);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of 10 fits a byte")]
const fn low_digit(value: u64) -> u8 {
    (value % 10) as u8
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has checked: whole, not negative, below 2^53"
)]
const fn to_u64(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::{push, text};

    fn pushed(value: f64) -> String {
        let mut out = Vec::new();
        push(&mut out, value);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn prints_as_javascript_does() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (-12.0, "-12"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.0 / 0.3, "3.3333333333333335"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (123_456_789.5, "123456789.5"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (-9_007_199_254_740_993.0, "-9007199254740992"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(pushed(value), expected);
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn the_quick_way_for_whole_numbers_agrees_with_the_general_one() {
        for power in 0..54 {
            for near in [-1.0, 0.0, 1.0] {
                let value = 2_f64.powi(power) + near;
                assert_eq!(pushed(value), text(value));
                assert_eq!(pushed(-value), text(-value));
            }
        }
    }
}
