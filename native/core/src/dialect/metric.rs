//! A metric: `name:value|type` with fields in any order behind it, and more values behind those.
//!
//! Rules:
//!
//! * The name ends at the first `:`. A value ends at `|`, its type at `|` or `:`, a rate `@r` too; other fields end at `|`.
//!   What follows a `:` is the next value: `name:1|c:2|ms|@0.5:3|g`.
//! * Several numbers may be packed into a value, `1:2:3`; empty ones are skipped. A set's member is one text, colons
//!   included.
//! * Fields: `@rate` (above 0, at most 1), `#tag,tag`, `Ttimestamp`, `c:container`, `e:external data`, `card:cardinality`.
//!   Each may be given once; all but the rate belong to the whole line.
//! * Unknown fields are ignored. A word in lower case without a `:` is no field of a future version but a mistake; so is a
//!   line that ends in `|` with no field at all.
//! * Numbers are read as statsd reads them, but finite; only `ms` may not be negative.

use crate::aggregates::Kind;
use crate::dialect::name::{self, Name, Tags};
use crate::number;
use crate::value::{BAD_RATE, INFINITE, NEGATIVE, NO_TYPE, NOT_A_NUMBER, UNKNOWN_TYPE, Value};

/// The end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;
const NO_VALUE: &str = "no value";
pub(crate) const NO_NAME: &str = "no name";
const MIXED: &str = "tags in two styles";
const NO_FIELD: &str = "nothing behind the |";
pub(crate) const TWICE: &str = "a field is given twice";
const BAD_TIMESTAMP: &str = "bad timestamp";
pub(crate) const BAD_FIELD: &str = "bad field";

/// A line's fields but for rates.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras<'a> {
    tags: Option<Tags<'a>>,
    pub(crate) timestamp: Option<u64>,
    pub(crate) container: Option<&'a str>,
    pub(crate) external: Option<&'a str>,
    pub(crate) cardinality: Option<&'a str>,
}

/// A good value. `text` holds the numbers packed into it, or a set's member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) word: &'static str,
    pub(crate) kind: Kind,
    pub(crate) rate: f64,
    pub(crate) text: &'a str,
    absolute: bool,
}

impl<'a> Item<'a> {
    /// The values as the store takes them.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> + use<'a> {
        let (kind, weight, absolute) = (self.kind, 1.0 / self.rate, self.absolute);
        pieces(kind, self.text).map(move |piece| {
            let number = if kind == Kind::Set { 0.0 } else { number::parse(piece.as_bytes()).unwrap_or_default() };
            let change = kind == Kind::Gauge && !absolute && piece.starts_with(['+', '-']);
            Value { kind, number, weight, change }
        })
    }
}

/// A bad value as written, and why it is.
pub(crate) type Bad<'a> = (&'a str, &'static str);

/// A line that was read.
#[derive(Debug)]
pub(crate) struct Metric<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) tags: Tags<'a>,
    pub(crate) extras: Extras<'a>,
    pub(crate) items: Vec<Result<Item<'a>, Bad<'a>>>,
}

/// Reads a metric, or says why all of it is bad.
pub(crate) fn read<'a>(line: &'a str, styles: &str, absolute: bool) -> Result<Metric<'a>, &'static str> {
    let mut scanner = Scanner { text: line, at: 0, mark: None };
    let written = scanner.until(b":|");
    if scanner.mark != Some(b':') {
        return Err(NO_VALUE);
    }
    let (name, own_tags) = name::split(written, styles);
    if name.is_empty() {
        return Err(NO_NAME);
    }
    let mut extras = Extras::default();
    let mut items = Vec::with_capacity(1);
    while scanner.mark == Some(b':') {
        items.push(item(&mut scanner, &mut extras, absolute)?);
    }
    let listed = extras.tags.unwrap_or_default();
    let tags = match (own_tags.is_empty(), listed.is_empty()) {
        (false, false) => return Err(MIXED),
        (false, true) => own_tags,
        _ => listed,
    };
    Ok(Metric { name, tags, extras, items })
}

/// Cuts a text at marks. `mark` is the last one found, `at` stands behind it.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    mark: Option<u8>,
}

impl<'a> Scanner<'a> {
    fn until(&mut self, marks: &[u8]) -> &'a str {
        let rest = &self.text[self.at.min(self.text.len())..];
        let end = rest.bytes().position(|byte| marks.contains(&byte)).unwrap_or(rest.len());
        self.mark = rest.as_bytes().get(end).copied();
        self.at += end + 1;
        &rest[..end]
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Reads a value with its fields; a bad field spoils the line.
fn item<'a>(
    scanner: &mut Scanner<'a>,
    extras: &mut Extras<'a>,
    absolute: bool,
) -> Result<Result<Item<'a>, Bad<'a>>, &'static str> {
    let start = scanner.at;
    let text = scanner.until(b"|");
    if scanner.mark.is_none() {
        return Ok(Err((text, NO_TYPE)));
    }
    let type_ = number::trim(scanner.until(b"|:"));
    let rate = if scanner.mark == Some(b'|') { fields(scanner, extras)? } else { None };
    let judged = judge(text, type_, rate.map_or(Some(1.0), sample_rate), absolute);
    Ok(judged.map_err(|reason| (&scanner.text[start..scanner.at - 1], reason)))
}

/// Reads the fields of a value. Returns its rate as written.
fn fields<'a>(scanner: &mut Scanner<'a>, extras: &mut Extras<'a>) -> Result<Option<&'a str>, &'static str> {
    let (mut rate, mut any) = (None, false);
    while scanner.mark == Some(b'|') {
        if scanner.next() == Some(b'@') {
            once(&mut rate, &scanner.until(b"|:")[1..])?;
            any = true;
        } else {
            let field = scanner.until(b"|");
            extras.take(field)?;
            any |= !field.is_empty();
        }
    }
    if any { Ok(rate) } else { Err(NO_FIELD) }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    if place.replace(value).is_some() { Err(TWICE) } else { Ok(()) }
}

impl<'a> Extras<'a> {
    fn take(&mut self, field: &'a str) -> Result<(), &'static str> {
        if let Some(tags) = field.strip_prefix('#') {
            return once(&mut self.tags, Tags::listed(tags));
        }
        if let Some(time) = field.strip_prefix('T') {
            return once(&mut self.timestamp, timestamp(time)?);
        }
        let Some((word, value)) = field.split_once(':') else {
            return if is_word(field) { Err(BAD_FIELD) } else { Ok(()) };
        };
        let place = match word {
            "c" => &mut self.container,
            "e" => &mut self.external,
            "card" => &mut self.cardinality,
            _ => return Ok(()),
        };
        if value.is_empty() { Err(BAD_FIELD) } else { once(place, value) }
    }
}

/// Whether a field without a `:` looks like the name of one with it.
pub(crate) fn is_word(field: &str) -> bool {
    field.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Reads seconds since the epoch.
pub(crate) fn timestamp(text: &str) -> Result<u64, &'static str> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits && (1..=LAST_SECOND).contains(seconds));
    seconds.ok_or(BAD_TIMESTAMP)
}

fn sample_rate(text: &str) -> Option<f64> {
    let plain = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    number::parse(text.as_bytes()).filter(|rate| plain && is_rate(*rate))
}

/// Whether a number can be a sample rate.
#[inline]
pub(crate) fn is_rate(rate: f64) -> bool {
    rate > 0.0 && rate <= 1.0 && (1.0 / rate).is_finite()
}

/// The numbers packed into a value; a set's member is whole.
fn pieces(kind: Kind, text: &str) -> impl Iterator<Item = &str> {
    let packed = kind != Kind::Set && text.contains(':');
    let whole = (!packed).then_some(text).into_iter();
    whole.chain(if packed { text } else { "" }.split(':').filter(|piece| !piece.is_empty()))
}

fn judge<'a>(text: &'a str, type_: &str, rate: Option<f64>, absolute: bool) -> Result<Item<'a>, &'static str> {
    let (word, kind) = match type_ {
        "c" => ("counter", Kind::Counter),
        "g" => ("gauge", Kind::Gauge),
        "ms" | "h" => ("timer", Kind::Timer),
        "d" => ("distribution", Kind::Timer),
        "s" => ("set", Kind::Set),
        _ => return Err(UNKNOWN_TYPE),
    };
    let rate = rate.ok_or(BAD_RATE)?;
    for piece in pieces(kind, text).filter(|_| kind != Kind::Set) {
        let number = number::parse(piece.as_bytes()).ok_or(NOT_A_NUMBER)?;
        if !number.is_finite() {
            return Err(INFINITE);
        }
        if type_ == "ms" && number < 0.0 {
            return Err(NEGATIVE);
        }
    }
    Ok(Item { word, kind, rate, text, absolute })
}
