//! One value of a line: `value|type|@rate`, judged as statsd judges it.
//!
//! Rules:
//!
//! * Without a type it is bad. Fields behind the rate are ignored.
//! * The rate is `@` and a number as a whole, of which only the leading digits and points count: `@2e-1` is a rate of 2.
//! * Dialect statsd: every type but `ms`, `g` and `s` is a counter, and a value is judged by its type as written, before
//!   white space around the type is dropped. Dialect nilometer: white space is dropped first, the known types are `c`,
//!   `g`, `ms`, `h`, `d` and `s`, and a value or a rate that is not finite is bad.
//!
//! Source: `stats.js` and `lib/helpers.js` of statsd 0.10.

use crate::aggregates::Kind;
use crate::number;

/// Whose reading of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Lines mean what they mean to statsd/statsd.
    Statsd,
    /// `h` and `d` are timers, an unknown type is bad, `\r\n` ends a line, infinite values are bad.
    Nilometer,
}

pub(crate) const TOO_LONG: &str = "line too long";
const NO_TYPE: &str = "no type";
const BAD_RATE: &str = "bad sample rate";
const NOT_A_NUMBER: &str = "not a number";
const NEGATIVE: &str = "negative time";
const INFINITE: &str = "not finite";
const UNKNOWN_TYPE: &str = "unknown type";

/// A good value. `weight` is 1 / sample rate; `change` says that a gauge is moved rather than set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) number: f64,
    pub(crate) weight: f64,
    pub(crate) change: bool,
}

/// Reads a value, or says why it is refused.
pub(crate) fn read(text: &[u8], dialect: Dialect) -> Result<Value, &'static str> {
    let mut fields = text.split(|byte| *byte == b'|');
    let value = fields.next().unwrap_or_default();
    let type_ = fields.next().ok_or(NO_TYPE)?;
    let weight = fields.next().map_or(Some(1.0), weight).ok_or(BAD_RATE)?;
    let (kind, number) = match dialect {
        Dialect::Statsd => statsd(value, type_)?,
        Dialect::Nilometer => nilometer(value, type_, weight)?,
    };
    Ok(Value { kind, number, weight, change: matches!(value.first(), Some(b'+' | b'-')) })
}

/// 1 / rate of a field `@rate`.
fn weight(field: &[u8]) -> Option<f64> {
    let rate = field.strip_prefix(b"@")?;
    let length = rate.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    number::parse(rate)?;
    Some(1.0 / number::parse(&rate[..length])?)
}

fn statsd(value: &[u8], type_: &[u8]) -> Result<(Kind, f64), &'static str> {
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

fn nilometer(value: &[u8], type_: &[u8], weight: f64) -> Result<(Kind, f64), &'static str> {
    let kind = match trim(type_) {
        b"c" => Kind::Counter,
        b"ms" | b"h" | b"d" => Kind::Timer,
        b"g" => Kind::Gauge,
        b"s" => Kind::Set,
        _ => return Err(UNKNOWN_TYPE),
    };
    if !weight.is_finite() {
        return Err(BAD_RATE);
    }
    if kind == Kind::Set {
        return Ok((kind, 0.0));
    }
    let number = number::parse(value).ok_or(NOT_A_NUMBER)?;
    if !number.is_finite() {
        return Err(INFINITE);
    }
    if kind == Kind::Timer && number < 0.0 {
        return Err(NEGATIVE);
    }
    Ok((kind, number))
}

fn trim(type_: &[u8]) -> &[u8] {
    std::str::from_utf8(type_).map_or(type_, |text| number::trim(text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::Dialect::{Nilometer, Statsd};
    use super::*;

    fn good(text: &str, dialect: Dialect) -> (Kind, f64, f64) {
        let value = read(text.as_bytes(), dialect).unwrap_or_else(|reason| panic!("{text:?} is refused: {reason}"));
        (value.kind, value.number, value.weight)
    }

    #[test]
    fn both_dialects_read() {
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
            for dialect in [Statsd, Nilometer] {
                assert_eq!(good(text, dialect), (kind, number, weight), "{text:?}");
            }
        }
    }

    #[test]
    fn both_dialects_refuse() {
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
            for dialect in [Statsd, Nilometer] {
                assert_eq!(read(text.as_bytes(), dialect), Err(reason), "{text:?}");
            }
        }
    }

    #[test]
    fn statsd_counts_unknown_types_and_judges_before_it_trims() {
        for text in ["7|x", "7|", "7|h", "7|d", "7|MS", "7|kv"] {
            assert_eq!(good(text, Statsd), (Kind::Counter, 7.0, 1.0));
        }
        assert_eq!(good("-5|ms\r", Statsd), (Kind::Timer, -5.0, 1.0));
        assert_eq!(good("5|s\r", Statsd).0, Kind::Set);
        assert_eq!(read(b"x|s\r", Statsd), Err(NOT_A_NUMBER));
        assert_eq!(good("1|c|@0x10", Statsd), (Kind::Counter, 1.0, f64::INFINITY));
        assert!(good("Infinity|g", Statsd).1.is_infinite());
    }

    #[test]
    fn nilometer_knows_its_types_and_wants_finite_numbers() {
        for text in ["7|h", "7|d", "7| ms\t"] {
            assert_eq!(good(text, Nilometer), (Kind::Timer, 7.0, 1.0));
        }
        assert_eq!(good("x| s", Nilometer).0, Kind::Set);
        let cases = [
            ("7|x", UNKNOWN_TYPE),
            ("7|", UNKNOWN_TYPE),
            ("x|kv", UNKNOWN_TYPE),
            ("-7|h", NEGATIVE),
            ("-7|ms ", NEGATIVE),
            ("1e400|c", INFINITE),
            ("1|c|@0", BAD_RATE),
            ("x|s|@0", BAD_RATE),
        ];
        for (text, reason) in cases {
            assert_eq!(read(text.as_bytes(), Nilometer), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn a_sign_moves_a_gauge() {
        let change = |text: &[u8]| read(text, Statsd).unwrap().change;
        assert!(change(b"+1|g") && change(b"-1|g"));
        assert!(!change(b"1|g") && !change(b" -1|g"));
    }
}
