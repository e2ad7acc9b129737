//! The common line, read in one pass: `key:number|type`, with or without `|@rate` and `|#tags`.
//!
//! Rules:
//!
//! * What is read here means exactly what [`crate::value`] or [`crate::dialect`] make of it; whatever is the least unusual
//!   is left to them.
//! * Places are counted from the start of the text.

use crate::aggregates::Kind;
use crate::dialect::Dialect;
use crate::dialect::metric::is_rate;
use crate::number;
use crate::value::Value;
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
    let statsd = dialect.is_statsd();
    let key_length = memchr3(b':', b'|', b'\n', text)?;
    if text[key_length] != b':' || !(statsd || is_usual(&text[..key_length])) {
        return None;
    }
    let spec = &text[key_length + 1..];
    let (number, text_length) = match number::plain(spec) {
        Some((number, length)) if spec.get(length) == Some(&b'|') => (Some(number), length),
        _ => (None, member(spec)?),
    };
    let type_ = &spec[text_length + 1..];
    let (kind, type_length) = kind(type_, statsd)?;
    let number = match number {
        _ if kind == Kind::Set => 0.0,
        Some(number) if kind != Kind::Timer || number >= 0.0 || type_length == 1 => number,
        _ => return None,
    };
    let (weight, rate_length) = weight(&type_[type_length..], statsd)?;
    let length = key_length + text_length + 2 + type_length + rate_length;
    let (mark_length, tags_length) = tags(&text[length..], statsd)?;
    let length = length + mark_length + tags_length;
    let next = length + line_end(&text[length..], statsd)?;
    let change = !dialect.absolute && matches!(spec[0], b'+' | b'-') && (statsd || kind == Kind::Gauge);
    Some(Line { value: Value { kind, number, weight, change }, key_length, text_length, length, tags_length, next })
}

/// Whether all dialects but statsd read a name alike. Looks at every byte without a branch: that goes many at a time.
#[inline]
fn is_usual(name: &[u8]) -> bool {
    let unusual = |byte: u8| !byte.is_ascii() | matches!(byte, b';' | b',' | b'#' | b'[' | b']' | b'{');
    !name.is_empty() && !name.iter().fold(false, |found, byte| found | unusual(*byte))
}

/// The length of a set's member of ASCII, ended by `|`.
#[inline]
fn member(spec: &[u8]) -> Option<usize> {
    let end = spec.iter().position(|byte| !byte.is_ascii() || matches!(byte, b'|' | b':' | b'\n'))?;
    (spec[end] == b'|' && end > 0).then_some(end)
}

#[inline]
fn kind(type_: &[u8], statsd: bool) -> Option<(Kind, usize)> {
    match (type_.first()?, statsd) {
        (b'c', _) => Some((Kind::Counter, 1)),
        (b'm', _) if type_.get(1) == Some(&b's') => Some((Kind::Timer, 2)),
        (b'g', _) => Some((Kind::Gauge, 1)),
        (b's', _) => Some((Kind::Set, 1)),
        (b'h' | b'd', false) => Some((Kind::Timer, 1)),
        _ => None,
    }
}

/// 1 / rate and the length of `|@rate`, or 1 and 0 where there is none.
#[inline]
fn weight(rest: &[u8], statsd: bool) -> Option<(f64, usize)> {
    let Some(rate) = rest.strip_prefix(b"|@") else {
        return Some((1.0, 0));
    };
    let (number, length) = number::plain(rate)?;
    let weight = 1.0 / number;
    let fine = !matches!(rate[0], b'+' | b'-') && (statsd || is_rate(number));
    fine.then_some((weight, length + 2))
}

/// The length of `|#` and of the tags behind it, both 0 where there are none.
#[inline]
fn tags(rest: &[u8], statsd: bool) -> Option<(usize, usize)> {
    let Some(tags) = rest.strip_prefix(b"|#") else {
        return Some((0, 0));
    };
    let end = memchr2(b'|', b'\n', tags).unwrap_or(tags.len());
    match tags[..end] {
        _ if tags.get(end) == Some(&b'|') => None,
        _ if statsd => Some((2, end)),
        _ if !tags[..end].is_ascii() => None,
        [.., b'\r'] => Some((2, end - 1)),
        _ => Some((2, end)),
    }
}

/// The length of what ends a line: nothing at the end of all text.
#[inline]
fn line_end(rest: &[u8], statsd: bool) -> Option<usize> {
    match (rest, statsd) {
        ([], _) => Some(0),
        ([b'\n', ..], _) | ([b'\r'], false) => Some(1),
        ([b'\r', b'\n', ..], false) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{self, Reading};
    use crate::{key, value};
    use proptest::prelude::*;

    const STATSD: Dialect = Dialect::STATSD;
    const AUTO: Dialect = Dialect::AUTO;

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
            "a:1|c|#k:v,w",
            "a:1|g|@0.5|#",
            "a:1|c|#a b",
        ] {
            for dialect in [STATSD, AUTO] {
                let read = line(text, dialect).unwrap_or_else(|| panic!("{text:?} is plain"));
                assert_eq!((read.length, read.next), (text.len(), text.len()));
                assert_eq!(line(&format!("{text}\nb:1|c"), dialect).map(|read| read.next), Some(text.len() + 1));
            }
        }
        assert_eq!(line("a:1|h\r\nb", AUTO).map(|read| (read.length, read.next)), Some((5, 7)));
        let tagged = |dialect| line("a:1|c|#k:v\r\nb", dialect).map(|read| (read.length, read.tags_length, read.next));
        assert_eq!(tagged(AUTO), Some((10, 3, 12)));
        assert_eq!(tagged(STATSD), Some((11, 4, 12)));
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
            assert_eq!(line(text, AUTO), None, "{text:?}");
        }
        assert_eq!(line("a:1|c\r\n", STATSD), None);
        assert_eq!(line("a:1|h", STATSD), None);
        assert_eq!(line("a:1|c|@0", AUTO), None);
    }

    proptest! {
        /// Whatever is read in one pass is read alike by the careful path.
        #[test]
        fn agrees_with_the_careful_path(
            key in "[a-z. /;=,#{é]{0,4}", body in r"[-+]?[0-9x.]{0,3}\|?(c|g|ms|s|h|d|x)?(\|@?[0-9.]{0,3})?(\|#[a:;,é#]{0,3})?[\r:|]?",
            mode in proptest::sample::select(vec!["statsd", "auto", "dogstatsd", "influx/absolute"]),
        ) {
            let dialect = Dialect::named(mode).unwrap();
            let text = format!("{key}:{body}");
            let Some(read) = read(text.as_bytes(), dialect) else { return Ok(()) };
            let line = &text.as_bytes()[..read.length];
            let Some(styles) = dialect.styles else {
                let (body, tags) = key::split_tags(line);
                prop_assert_eq!(tags.len(), read.tags_length);
                let spec = &body[read.key_length + 1..];
                prop_assert_eq!(value::read(spec, false), Ok(read.value));
                return Ok(());
            };
            let Ok(Reading::Metric(metric)) = dialect::read(line, styles, dialect.absolute) else { panic!("{text} is bad") };
            let [Ok(item)] = &metric.items[..] else { panic!("{text} has one value") };
            prop_assert_eq!(item.values().collect::<Vec<_>>(), vec![read.value]);
            let (mut fast, mut careful) = (Vec::new(), Vec::new());
            dialect::name::join_listed(&mut fast, &line[..read.key_length], &line[read.length - read.tags_length..]);
            dialect::name::join(&mut careful, metric.name, metric.tags.iter());
            prop_assert_eq!(fast, careful);
            prop_assert_eq!(item.text.len(), read.text_length);
        }
    }
}
