//! One value of a line: `value|type|@rate`, judged as statsd judges it.
//!
//! Rules:
//!
//! * Without a type it is bad. Fields behind the rate are ignored.
//! * The rate is `@` and a number as a whole, of which only the leading digits and points count: `@2e-1` is a rate of 2.
//! * Every type but `ms`, `g` and `s` is a counter, and a value is judged by its type as written, before white space around
//!   the type is dropped.
//!
//! Source: `stats.js` and `lib/helpers.js` of statsd 0.10.

use crate::aggregates::Kind;
use crate::number;

pub(crate) const TOO_LONG: &str = "line too long";
pub(crate) const NO_TYPE: &str = "no type";
pub(crate) const BAD_RATE: &str = "bad sample rate";
pub(crate) const NOT_A_NUMBER: &str = "not a number";
pub(crate) const NEGATIVE: &str = "negative time";
pub(crate) const INFINITE: &str = "not finite";
pub(crate) const UNKNOWN_TYPE: &str = "unknown type";

/// A good value. `weight` is 1 / sample rate; `change` says that a gauge is moved rather than set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) number: f64,
    pub(crate) weight: f64,
    pub(crate) change: bool,
}

/// Reads a value, or says why it is refused. With `absolute` a gauge with a sign is set.
pub(crate) fn read(text: &[u8], absolute: bool) -> Result<Value, &'static str> {
    let mut fields = text.split(|byte| *byte == b'|');
    let value = fields.next().unwrap_or_default();
    let type_ = fields.next().ok_or(NO_TYPE)?;
    let weight = 1.0 / rate(fields.next())?;
    let (kind, number) = judge(value, type_)?;
    Ok(Value { kind, number, weight, change: !absolute && matches!(value.first(), Some(b'+' | b'-')) })
}

/// The rate of a field `@rate`; 1 where there is no field.
pub(crate) fn rate(field: Option<&[u8]>) -> Result<f64, &'static str> {
    let Some(field) = field else { return Ok(1.0) };
    let rate = field.strip_prefix(b"@").ok_or(BAD_RATE)?;
    let length = rate.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    number::parse(rate).ok_or(BAD_RATE)?;
    number::parse(&rate[..length]).ok_or(BAD_RATE)
}

fn judge(value: &[u8], type_: &[u8]) -> Result<(Kind, f64), &'static str> {
    let kind = match trim(type_) {
        b"ms" => Kind::Timer,
        b"g" => Kind::Gauge,
        b"s" => Kind::Set,
        _ => Kind::Counter,
    };
    if type_ == b"s" {
        return Ok((kind, 0.0));
    }
    let number = number::parse(value).ok_or(NOT_A_NUMBER)?;
    if type_ == b"ms" && number < 0.0 {
        return Err(NEGATIVE);
    }
    Ok((kind, number))
}

fn trim(type_: &[u8]) -> &[u8] {
    std::str::from_utf8(type_).map_or(type_, |text| number::trim(text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> (Kind, f64, f64) {
        let value = read(text.as_bytes(), false).unwrap_or_else(|reason| panic!("{text:?} is refused: {reason}"));
        (value.kind, value.number, value.weight)
    }

    #[test]
    fn good_values() {
        let cases = [
            ("3|c", Kind::Counter, 3.0, 1.0),
            ("3|c|@0.5", Kind::Counter, 3.0, 2.0),
            ("1|c|@2e-1", Kind::Counter, 1.0, 0.5),
            ("1|c|@0.5\r", Kind::Counter, 1.0, 2.0),
            ("1|c|@0.5|rest|of", Kind::Counter, 1.0, 2.0),
            (" 1 | c ", Kind::Counter, 1.0, 1.0),
            (" |c", Kind::Counter, 0.0, 1.0),
            ("5|ms", Kind::Timer, 5.0, 1.0),
            ("-5|g", Kind::Gauge, -5.0, 1.0),
            ("|s", Kind::Set, 0.0, 1.0),
            ("any thing|s", Kind::Set, 0.0, 1.0),
        ];
        for (text, kind, number, weight) in cases {
            assert_eq!(good(text), (kind, number, weight), "{text:?}");
        }
    }

    #[test]
    fn bad_values() {
        let cases = [
            ("1", NO_TYPE),
            ("", NO_TYPE),
            ("1|c|", BAD_RATE),
            ("1|c|@", BAD_RATE),
            ("1|c|@.", BAD_RATE),
            ("1|c|@blah", BAD_RATE),
            ("1|c|0.1", BAD_RATE),
            ("1|c|@-0.5", BAD_RATE),
            ("1|c|@+0.5", BAD_RATE),
            ("1|c|@ 0.5", BAD_RATE),
            ("1|c|@Infinity", BAD_RATE),
            ("1|c|@.1.2.3", BAD_RATE),
            ("x|s|@", BAD_RATE),
            ("|c", NOT_A_NUMBER),
            ("|g", NOT_A_NUMBER),
            ("NaN|g", NOT_A_NUMBER),
            ("1,5|ms", NOT_A_NUMBER),
            ("-1|ms", NEGATIVE),
        ];
        for (text, reason) in cases {
            assert_eq!(read(text.as_bytes(), false), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn unknown_types_count_and_values_are_judged_before_types_are_trimmed() {
        for text in ["7|x", "7|", "7|h", "7|d", "7|MS", "7|kv"] {
            assert_eq!(good(text), (Kind::Counter, 7.0, 1.0));
        }
        assert_eq!(good("-5|ms\r"), (Kind::Timer, -5.0, 1.0));
        assert_eq!(good("5|s\r").0, Kind::Set);
        assert_eq!(read(b"x|s\r", false), Err(NOT_A_NUMBER));
        assert_eq!(good("1|c|@0x10"), (Kind::Counter, 1.0, f64::INFINITY));
        assert!(good("Infinity|g").1.is_infinite());
    }

    #[test]
    fn a_sign_moves_a_gauge() {
        let change = |text: &[u8]| read(text, false).unwrap().change;
        assert!(change(b"+1|g") && change(b"-1|g"));
        assert!(!change(b"1|g") && !change(b" -1|g"));
    }
}
