//! What lines mean, said rather than counted.

use crate::aggregates::Kind;
use crate::dialect::metric::{Bad, Item, Metric};
use crate::dialect::notice::{Datum, Fields};
use crate::dialect::{self, Dialect, Reading, name};
use crate::key;
use crate::shard::shown;
use crate::value::{self, TOO_LONG, Value};

/// Returns what each line means: fields for each value, event, service check or error, with the number of its line counted
/// from 1. Keys are cleaned with `sanitize`; a line of more than `max_line` bytes is bad.
#[must_use]
pub fn explain(data: &[u8], dialect: Dialect, sanitize: bool, max_line: usize) -> Vec<Fields> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
        let line = dialect.trim_end(line);
        if !line.is_empty() {
            for mut fields in explained(line, dialect, sanitize, max_line) {
                fields.insert(0, ("line", Datum::Whole(number)));
                found.push(fields);
            }
        }
    }
    found
}

fn explained(line: &[u8], dialect: Dialect, sanitize: bool, max_line: usize) -> Vec<Fields> {
    if line.len() > max_line {
        return vec![refused(line, "", TOO_LONG)];
    }
    let Some(styles) = dialect.styles else {
        return statsd(line, dialect.absolute, sanitize);
    };
    match dialect::read(line, styles, dialect.absolute) {
        Err(reason) => vec![refused(line, "", reason)],
        Ok(Reading::Event(fields)) => vec![fields],
        Ok(Reading::Check(check)) => vec![check.fields],
        Ok(Reading::Metric(metric)) => {
            let item = |item: &Result<Item, Bad>| match item {
                Ok(item) => described(&metric, item, sanitize),
                Err((fields, reason)) => refused(line, fields, reason),
            };
            metric.items.iter().map(item).collect()
        }
    }
}

fn refused(line: &[u8], fields: &str, reason: &str) -> Fields {
    vec![
        ("error", Datum::Text(reason.to_owned())),
        ("fields", Datum::Text(fields.replace('|', ","))),
        ("text", Datum::Text(shown(line))),
    ]
}

fn described(metric: &Metric, item: &Item, sanitize: bool) -> Fields {
    let mut key = Vec::new();
    name::join(&mut key, metric.name, metric.tags.iter());
    let values: Vec<Value> = item.values().collect();
    let mut fields = start(metric.name.text().as_bytes(), item.word, item.text, &values, sanitize);
    fields.push(("rate", Datum::Number(item.rate)));
    fields.push(("tags", Datum::Texts(metric.tags.texts())));
    fields.push(("key", Datum::Text(key::clean(&key, sanitize))));
    if values.iter().any(|value| value.change) {
        fields.push(("relative", Datum::Yes));
    }
    let text = |text: &str| Datum::Text(text.to_owned());
    let extras = &metric.extras;
    fields.extend(extras.timestamp.map(|time| ("timestamp", Datum::Whole(time))));
    fields.extend(extras.container.map(|id| ("container", text(id))));
    fields.extend(extras.external.map(|data| ("external", text(data))));
    fields.extend(extras.cardinality.map(|word| ("cardinality", text(word))));
    fields
}

fn start(name: &[u8], word: &str, text: &str, values: &[Value], sanitize: bool) -> Fields {
    let mut fields = vec![("name", Datum::Text(key::clean(name, sanitize))), ("type", Datum::Text(word.to_owned()))];
    if word == Kind::Set.name() {
        let member = if text.is_empty() { "0" } else { text };
        fields.push(("set_value", Datum::Text(member.to_owned())));
    } else {
        fields.push(("values", Datum::Numbers(values.iter().map(|value| value.number).collect())));
    }
    fields
}

fn statsd(line: &[u8], absolute: bool, sanitize: bool) -> Vec<Fields> {
    let (body, tags) = key::split_tags(line);
    let mut pieces = body.split(|byte| *byte == b':');
    let name = pieces.next().unwrap_or_default();
    let mut joined = Vec::new();
    key::join(&mut joined, name, tags);
    let text = String::from_utf8_lossy(tags);
    let tags: Vec<String> = text.split(',').filter(|_| !tags.is_empty()).map(str::to_owned).collect();
    let bare = (name.len() == body.len()).then_some(&b"1"[..]);
    let described = |piece: &[u8]| {
        let text = String::from_utf8_lossy(piece);
        let value = value::read(piece, absolute);
        let rate = value::rate(piece.split(|byte| *byte == b'|').nth(2));
        let (Ok(value), Ok(rate)) = (value, rate) else {
            return refused(line, &text, value.err().unwrap_or_default());
        };
        let text = text.split('|').next().unwrap_or_default();
        let mut fields = start(name, value.kind.name(), text, &[value], sanitize);
        fields.push(("rate", Datum::Number(rate)));
        fields.push(("tags", Datum::Texts(tags.clone())));
        fields.push(("key", Datum::Text(key::clean(&joined, sanitize))));
        if value.change && value.kind == Kind::Gauge {
            fields.push(("relative", Datum::Yes));
        }
        fields
    };
    pieces.chain(bare).map(described).collect()
}
