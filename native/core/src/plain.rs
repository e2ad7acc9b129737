//! The common line, read in one pass: `key:number|type`, with or without `|@rate` and `|#tags`.
//!
//! Rules:
//!
//! * What is read here means exactly what [`crate::value`] makes of it; whatever is the least unusual is left to that.
//! * Places are counted from the start of the text.

use crate::aggregates::Kind;
use crate::number;
use crate::value::{Dialect, Value};
use memchr::{memchr2, memchr3};

/// A line that was read. `text` is the value as written.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) value: Value,
    pub(crate) key_length: usize,
    pub(crate) text_length: usize,
    /// Without what ends the line. The tags stand last.
    pub(crate) length: usize,
    pub(crate) tags_length: usize,
    /// Where the next line begins.
    pub(crate) next: usize,
}

/// Reads the first line of `text`; `None` where it is not plain. The key holds no `:`, `|` or newline, yet may need
/// cleaning.
#[inline]
pub(crate) fn read(text: &[u8], dialect: Dialect) -> Option<Line> {
    let key_length = memchr3(b':', b'|', b'\n', text)?;
    if text[key_length] != b':' {
        return None;
    }
    let spec = &text[key_length + 1..];
    let (number, text_length) = match number::plain(spec) {
        Some((number, length)) if spec.get(length) == Some(&b'|') => (Some(number), length),
        _ => (None, member(spec)?),
    };
    let type_ = &spec[text_length + 1..];
    let (kind, type_length) = kind(type_, dialect)?;
    let number = match number {
        _ if kind == Kind::Set => 0.0,
        Some(number) if kind != Kind::Timer || number >= 0.0 => number,
        _ => return None,
    };
    let (weight, rate_length) = weight(&type_[type_length..], dialect)?;
    let length = key_length + text_length + 2 + type_length + rate_length;
    let (mark_length, tags_length) = tags(&text[length..], dialect)?;
    let length = length + mark_length + tags_length;
    let next = length + line_end(&text[length..], dialect)?;
    let change = matches!(spec[0], b'+' | b'-');
    Some(Line { value: Value { kind, number, weight, change }, key_length, text_length, length, tags_length, next })
}

/// The length of a set's member of ASCII, ended by `|`.
#[inline]
fn member(spec: &[u8]) -> Option<usize> {
    let end = spec.iter().position(|byte| !byte.is_ascii() || matches!(byte, b'|' | b':' | b'\n'))?;
    (spec[end] == b'|' && end > 0).then_some(end)
}

#[inline]
fn kind(type_: &[u8], dialect: Dialect) -> Option<(Kind, usize)> {
    match (type_.first()?, dialect) {
        (b'c', _) => Some((Kind::Counter, 1)),
        (b'm', _) if type_.get(1) == Some(&b's') => Some((Kind::Timer, 2)),
        (b'g', _) => Some((Kind::Gauge, 1)),
        (b's', _) => Some((Kind::Set, 1)),
        (b'h' | b'd', Dialect::Nilometer) => Some((Kind::Timer, 1)),
        _ => None,
    }
}

/// 1 / rate and the length of `|@rate`, or 1 and 0 where there is none.
#[inline]
fn weight(rest: &[u8], dialect: Dialect) -> Option<(f64, usize)> {
    let Some(rate) = rest.strip_prefix(b"|@") else {
        return Some((1.0, 0));
    };
    let (number, length) = number::plain(rate)?;
    let weight = 1.0 / number;
    let fine = !matches!(rate[0], b'+' | b'-') && (dialect == Dialect::Statsd || weight.is_finite());
    fine.then_some((weight, length + 2))
}

/// The length of `|#` and of the tags behind it, both 0 where there are none.
#[inline]
fn tags(rest: &[u8], dialect: Dialect) -> Option<(usize, usize)> {
    let Some(tags) = rest.strip_prefix(b"|#") else {
        return Some((0, 0));
    };
    let end = memchr2(b'|', b'\n', tags).unwrap_or(tags.len());
    match tags[..end] {
        _ if tags.get(end) == Some(&b'|') => None,
        [.., b'\r'] if dialect == Dialect::Nilometer => Some((2, end - 1)),
        _ => Some((2, end)),
    }
}

/// The length of what ends a line: nothing at the end of all text.
#[inline]
fn line_end(rest: &[u8], dialect: Dialect) -> Option<usize> {
    match (rest, dialect) {
        ([], _) => Some(0),
        ([b'\n', ..], _) | ([b'\r'], Dialect::Nilometer) => Some(1),
        ([b'\r', b'\n', ..], Dialect::Nilometer) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect::{Nilometer, Statsd};
    use super::*;
    use crate::{key, value};
    use proptest::prelude::*;

    fn line(text: &str, dialect: Dialect) -> Option<Line> {
        read(text.as_bytes(), dialect)
    }

    #[test]
    fn reads_common_lines() {
        for text in [
            "a.b:1|c",
            "a:-1.5|g",
            "a:+1|g",
            "a:1|ms|@0.25",
            "a:x y|s",
            "a:12|s|@0.1",
            "a;k=v:3|c",
            "a:1|c|#k:v,w",
            "a:1|g|@0.5|#",
            "a:1|c|#a b",
        ] {
            for dialect in [Statsd, Nilometer] {
                let read = line(text, dialect).unwrap_or_else(|| panic!("{text:?} is plain"));
                assert_eq!((read.length, read.next), (text.len(), text.len()));
                assert_eq!(line(&format!("{text}\nb:1|c"), dialect).map(|read| read.next), Some(text.len() + 1));
            }
        }
        assert_eq!(line("a:1|h\r\nb", Nilometer).map(|read| (read.length, read.next)), Some((5, 7)));
        let tagged = |dialect| line("a:1|c|#k:v\r\nb", dialect).map(|read| (read.length, read.tags_length, read.next));
        assert_eq!(tagged(Nilometer), Some((10, 3, 12)));
        assert_eq!(tagged(Statsd), Some((11, 4, 12)));
    }

    #[test]
    fn leaves_the_rest() {
        for text in [
            "",
            "a",
            "a:",
            "a:1",
            "a:1|",
            "a\nb:1|c",
            "a:1|cc",
            "a:-1|ms",
            "a:1e3|c",
            "a:1|c:2|c",
            "a:1|c|#k:v|@0.5",
            "a:1|c|@",
            "a:|s",
            "a:1|c ",
            "a:\u{e9}|s",
            "a:1|c|@0.5|x",
            "a|b:1|c",
            "a:1|c|@-1",
            "a:x|c",
            "a:1|c\rb",
        ] {
            assert_eq!(line(text, Nilometer), None, "{text:?}");
        }
        assert_eq!(line("a:1|c\r\n", Statsd), None);
        assert_eq!(line("a:1|h", Statsd), None);
        assert_eq!(line("a:1|c|@0", Nilometer), None);
    }

    proptest! {
        /// Whatever is read in one pass is read alike by the careful path.
        #[test]
        fn agrees_with_the_careful_path(
            key in "[a-z. /;=]{0,4}", body in r"[-+]?[0-9x.]{0,3}\|?(c|g|ms|s|h|d|x)?(\|@?[0-9.]{0,3})?(\|#[a:;,]{0,3})?[\r:|]?", statsd: bool,
        ) {
            let dialect = if statsd { Statsd } else { Nilometer };
            let text = format!("{key}:{body}");
            if let Some(read) = read(text.as_bytes(), dialect) {
                let (body, tags) = key::split_tags(&text.as_bytes()[..read.length]);
                prop_assert_eq!(tags.len(), read.tags_length);
                let spec = &body[read.key_length + 1..];
                prop_assert_eq!(value::read(spec, dialect), Ok(read.value));
                prop_assert_eq!(key.as_bytes(), &text.as_bytes()[..read.key_length]);
            }
        }
    }
}
