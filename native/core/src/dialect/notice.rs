//! Events and service checks, as DogStatsD has them.
//!
//! Rules:
//!
//! * `_e{<bytes of title>,<bytes of text>}:title|text`, then fields in any order: `d:timestamp`, `h:hostname`,
//!   `k:aggregation key`, `p:normal` or `low`, `s:source type`, `t:info`, `success`, `warning` or `error`, `#tag,tag`,
//!   `c:`, `e:`, `card:`. A field given twice is bad. The title is not empty.
//! * `_sc|name|status`, then fields in any order: `d:`, `h:`, `#tag,tag`, `m:message`, `c:`, `e:`, `card:`. Of a field
//!   given twice the last counts. The status is 0 (OK), 1 (warning), 2 (critical) or 3 (unknown).
//! * `\n` in a text or message is a newline. Unknown fields are ignored, empty ones are bad.
//! * A service check is a gauge too: `service_check.<name>`, with its tags and the tag `host`.

use crate::dialect::metric::{BAD_FIELD, NO_NAME, TWICE, is_word, timestamp};
use crate::dialect::name::{self, Name, Tags};

const BAD_LENGTHS: &str = "an event begins with _e{title length,text length}:";
const WRONG_LENGTHS: &str = "title or text is not as long as said";
const NO_TITLE: &str = "no title";
const BAD_STATUS: &str = "the status is not 0, 1, 2 or 3";
const BAD_CHOICE: &str = "unknown priority or alert type";
const EMPTY: &str = "empty field";

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    Text(String),
    Texts(Vec<String>),
    Whole(u64),
    Number(f64),
    Numbers(Vec<f64>),
    Yes,
}

/// Names and what they hold, in order.
pub type Fields = Vec<(&'static str, Datum)>;

/// A service check: its fields, and what its gauge is made of.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) fields: Fields,
    name: &'a str,
    tags: Tags<'a>,
    host: Option<&'a str>,
    pub(crate) status: u8,
}

impl Check<'_> {
    /// Appends the key of the gauge, not cleaned, to `out`.
    pub(crate) fn join(&self, out: &mut Vec<u8>) {
        let full = ["service_check.", self.name].concat();
        let host = self.host.map(|host| ("host", Some(host)));
        name::join(out, Name::plain(&full), self.tags.iter().chain(host));
    }
}

/// Reads what follows `_e{`.
pub(crate) fn event(line: &str) -> Result<Fields, &'static str> {
    let (lengths, body) = line.split_once("}:").ok_or(BAD_LENGTHS)?;
    let (title, text) = lengths.split_once(',').ok_or(BAD_LENGTHS)?;
    let (title, text) = (length(title)?, length(text)?);
    if title == 0 {
        return Err(NO_TITLE);
    }
    let (title, rest) = body.split_at_checked(title).ok_or(WRONG_LENGTHS)?;
    let rest = rest.strip_prefix('|').ok_or(WRONG_LENGTHS)?;
    let (text, rest) = rest.split_at_checked(text).ok_or(WRONG_LENGTHS)?;
    let mut found: Fields = vec![
        ("type", Datum::Text("event".to_owned())),
        ("title", Datum::Text(title.to_owned())),
        ("text", Datum::Text(lines(text))),
        ("priority", Datum::Text("normal".to_owned())),
        ("alert_type", Datum::Text("info".to_owned())),
        ("tags", Datum::Texts(Vec::new())),
    ];
    let mut given = Vec::new();
    for field in rest.strip_prefix('|').map(|fields| fields.split('|')).into_iter().flatten() {
        if let Some((name, datum)) = read(field, event_field)? {
            if given.contains(&name) {
                return Err(TWICE);
            }
            given.push(name);
            set(&mut found, name, datum);
        }
    }
    if rest.is_empty() || rest.starts_with('|') { Ok(found) } else { Err(WRONG_LENGTHS) }
}

fn length(text: &str) -> Result<usize, &'static str> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(BAD_LENGTHS)
}

/// Reads what follows `_sc|`.
pub(crate) fn check(line: &str) -> Result<Check<'_>, &'static str> {
    let mut parts = line.split('|');
    let name = parts.next().filter(|name| !name.is_empty()).ok_or(NO_NAME)?;
    let status = match parts.next() {
        Some("0") => 0,
        Some("1") => 1,
        Some("2") => 2,
        Some("3") => 3,
        _ => return Err(BAD_STATUS),
    };
    let (mut tags, mut host) = (Tags::default(), None);
    let mut fields = vec![
        ("type", Datum::Text("service_check".to_owned())),
        ("name", Datum::Text(name.to_owned())),
        ("status", Datum::Whole(u64::from(status))),
        ("tags", Datum::Texts(Vec::new())),
    ];
    for field in parts {
        if let Some((name, datum)) = read(field, check_field)? {
            set(&mut fields, name, datum);
        }
        tags = field.strip_prefix('#').map_or(tags, Tags::listed);
        host = field.strip_prefix("h:").or(host);
    }
    Ok(Check { fields, name, tags, host, status })
}

fn set(fields: &mut Fields, name: &'static str, datum: Datum) {
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some(place) => place.1 = datum,
        None => fields.push((name, datum)),
    }
}

/// Reads a field; `known` gives the names of fields by their words.
fn read(field: &str, known: fn(&str) -> Option<&'static str>) -> Result<Option<(&'static str, Datum)>, &'static str> {
    if field.is_empty() {
        return Err(EMPTY);
    }
    if let Some(tags) = field.strip_prefix('#') {
        return Ok(Some(("tags", Datum::Texts(Tags::listed(tags).texts()))));
    }
    let Some((word, value)) = field.split_once(':') else {
        return if is_word(field) { Err(BAD_FIELD) } else { Ok(None) };
    };
    let datum = match known(word) {
        None => return Ok(None),
        Some("timestamp") => Datum::Whole(timestamp(value)?),
        Some("message") => Datum::Text(lines(value)),
        Some("priority") if !matches!(value, "normal" | "low") => return Err(BAD_CHOICE),
        Some("alert_type") if !matches!(value, "info" | "success" | "warning" | "error") => return Err(BAD_CHOICE),
        Some(_) => Datum::Text(value.to_owned()),
    };
    Ok(known(word).map(|name| (name, datum)))
}

fn common_field(word: &str) -> Option<&'static str> {
    match word {
        "d" => Some("timestamp"),
        "h" => Some("hostname"),
        "c" => Some("container"),
        "e" => Some("external"),
        "card" => Some("cardinality"),
        _ => None,
    }
}

fn event_field(word: &str) -> Option<&'static str> {
    match word {
        "k" => Some("aggregation_key"),
        "p" => Some("priority"),
        "s" => Some("source_type"),
        "t" => Some("alert_type"),
        _ => common_field(word),
    }
}

fn check_field(word: &str) -> Option<&'static str> {
    if word == "m" { Some("message") } else { common_field(word) }
}

/// A text with its newlines, which are written as a backslash and an n.
fn lines(text: &str) -> String {
    text.replace("\\n", "\n")
}
