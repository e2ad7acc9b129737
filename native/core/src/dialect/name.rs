//! Names with tags in them, and the key of a name and its tags.
//!
//! Rules:
//!
//! * `name[k=v,k=v]rest` is `SignalFx`'s style, `name;k=v;k=v` Graphite's, `name#k=v,k=v` Librato's, `name,k=v,k=v`
//!   `InfluxDB`'s. Where brackets are known and a name has any, only they count; a single one is part of the name. Of the
//!   other marks the first counts; `#` and `,` only when an `=` follows before the next `,`.
//! * Empty tags and those without a name are dropped.
//! * A key is `name;tag=value;tag=value`: tags in order, each once; one without a value has the value `true`. A `;` in the
//!   name or in a tag becomes `_`, so that only tags look like tags.

use std::ops::Range;

/// The value of a tag that has none: Graphite and `InfluxDB` refuse empty ones.
const NO_VALUE: &[u8] = b"true";

/// Tags as written, not cut yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tags<'a> {
    text: &'a str,
    style: Style,
}

#[derive(Clone, Copy, Debug, Default)]
enum Style {
    /// `tag:value,tag`, each perhaps with a `#` before it.
    #[default]
    Field,
    /// `tag=value,tag`
    Commas,
    /// `tag=value;tag`
    Semicolons,
}

/// A tag's name and, where it has a separator, its value.
pub(crate) type Tag<'a> = (&'a str, Option<&'a str>);

impl<'a> Tags<'a> {
    /// The tags of a field `#tag,tag`, without its first `#`.
    pub(crate) fn listed(text: &'a str) -> Self {
        Self { text, style: Style::Field }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Tag<'a>> {
        let separator = if matches!(self.style, Style::Semicolons) { ';' } else { ',' };
        self.text.split(separator).map(move |piece| self.tag(piece)).filter(|(name, _)| !name.is_empty())
    }

    fn tag(self, piece: &'a str) -> Tag<'a> {
        let cut = match self.style {
            Style::Field => piece.strip_prefix('#').unwrap_or(piece).split_once(':'),
            _ => piece.split_once('='),
        };
        let whole = || {
            (if matches!(self.style, Style::Field) { piece.strip_prefix('#').unwrap_or(piece) } else { piece }, None)
        };
        cut.map_or_else(whole, |(name, value)| (name, Some(value)))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// The tags as written, `name:value` or `name`.
    pub(crate) fn texts(self) -> Vec<String> {
        self.iter()
            .map(|(name, value)| value.map_or_else(|| name.to_owned(), |value| format!("{name}:{value}")))
            .collect()
    }
}

/// A name, in two parts where tags stood between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> Name<'a> {
    pub(crate) fn plain(name: &'a str) -> Self {
        Self { before: name, after: "" }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub(crate) fn text(self) -> String {
        [self.before, self.after].concat()
    }
}

/// Parts a name from its tags; `styles` are the marks that count.
pub(crate) fn split<'a>(name: &'a str, styles: &str) -> (Name<'a>, Tags<'a>) {
    if styles.starts_with('[') && name.contains(['[', ']']) {
        return bracketed(name);
    }
    let mut barren = 0; // no tag begins before this place, but for Graphite's
    for (place, mark) in name.match_indices([';', '#', ',']) {
        if !styles.contains(mark) || (mark != ";" && place < barren) {
            continue;
        }
        let text = &name[place + 1..];
        let end = text.find(',').unwrap_or(text.len());
        let style = if mark == ";" { Style::Semicolons } else { Style::Commas };
        if mark == ";" || text[..end].contains('=') {
            return (Name::plain(&name[..place]), Tags { text, style });
        }
        barren = place + 1 + end;
    }
    (Name::plain(name), Tags::default())
}

fn bracketed(name: &str) -> (Name<'_>, Tags<'_>) {
    let cut = name.split_once('[').filter(|(before, _)| !before.contains(']'));
    let parts = cut.and_then(|(before, rest)| rest.split_once(']').map(|(inside, after)| (before, inside, after)));
    parts.map_or((Name::plain(name), Tags::default()), |(before, text, after)| {
        (Name { before, after }, Tags { text, style: Style::Commas })
    })
}

/// Appends the key, not cleaned, to `out`.
pub(crate) fn join<'a>(out: &mut Vec<u8>, name: Name<'a>, tags: impl Iterator<Item = Tag<'a>>) {
    put(out, name.before.as_bytes());
    put(out, name.after.as_bytes());
    join_tags(out, tags.map(|(name, value)| (name.as_bytes(), value.unwrap_or_default().as_bytes())));
}

/// Appends the key of a name without `;` and of tags of ASCII as in a field `#tag,tag`, without its first `#`.
#[inline]
pub(crate) fn join_listed(out: &mut Vec<u8>, name: &[u8], tags: &[u8]) {
    out.extend_from_slice(name);
    let tags = tags.split(|byte| *byte == b',').map(|tag| {
        let tag = tag.strip_prefix(b"#").unwrap_or(tag);
        let end = memchr::memchr(b':', tag).unwrap_or(tag.len());
        (&tag[..end], tag.get(end + 1..).unwrap_or_default())
    });
    join_tags(out, tags.filter(|(name, _)| !name.is_empty()));
}

/// Appends tags in order. Most come in order, so that they are sorted only where they do not.
#[inline]
fn join_tags<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    let first = out.len();
    let mut before: Option<Range<usize>> = None;
    let mut sorted = true;
    for (name, value) in tags {
        out.push(b';');
        let start = out.len();
        put(out, name);
        out.push(b'=');
        put(out, if value.is_empty() { NO_VALUE } else { value });
        let pair = start..out.len();
        sorted &= before.is_none_or(|before| out[before] < out[pair.clone()]);
        before = Some(pair);
    }
    if !sorted {
        sort(out, first);
    }
}

/// Sorts the tags from `first` on, and drops those that are there already.
fn sort(out: &mut Vec<u8>, first: usize) {
    let written = out.split_off(first);
    let mut tags: Vec<&[u8]> = written.split(|byte| *byte == b';').skip(1).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        out.push(b';');
        out.extend_from_slice(tag);
    }
}

fn put(out: &mut Vec<u8>, text: &[u8]) {
    let start = out.len();
    out.extend_from_slice(text);
    for at in memchr::memchr_iter(b';', text) {
        out[start + at] = b'_';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, styles: &str) -> String {
        let (name, tags) = split(name, styles);
        let mut out = Vec::new();
        join(&mut out, name, tags.iter());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tags_in_names() {
        for (name, key_) in [
            ("a", "a"),
            ("a;k=v;b=w", "a;b=w;k=v"),
            ("a;k", "a;k=true"),
            ("a;k=;=v;;", "a;k=true"),
            ("a#k=v,k=v,b=1", "a;b=1;k=v"),
            ("a,k=v,x", "a;k=v;x=true"),
            ("a,b", "a,b"),
            ("a#b,k=v", "a#b;k=v"),
            ("a.[k=v,l=w]b", "a.b;k=v;l=w"),
            ("[k=v]a", "a;k=v"),
            ("a[k;l=v];b", "a_b;k_l=v"),
            ("a.[]b", "a.b"),
            ("[k=v,ab", "[k=v,ab"),
            ("k=v]a,b=c", "k=v]a,b=c"),
            ("a]b[c=d]", "a]b[c=d]"),
        ] {
            assert_eq!(key(name, "[;#,"), key_, "{name}");
        }
        assert_eq!(key("a;k=v,b=c", ","), "a_k=v;b=c");
        assert_eq!(key("a[k=v]", ";"), "a[k=v]");
        assert_eq!(key("a;b#c=d,e=f", ""), "a_b#c=d,e=f");
    }

    #[test]
    fn listed_tags_join_alike_on_both_ways() {
        for tags in ["", ",", "k:v", "b,a:1", "#a:1,#a:1", ":v,k:", "a:b:c,a", "x;y:z"] {
            let (mut fast, mut careful) = (Vec::new(), Vec::new());
            join_listed(&mut fast, b"n", tags.as_bytes());
            join(&mut careful, Name::plain("n"), Tags::listed(tags).iter());
            assert_eq!(String::from_utf8(fast), String::from_utf8(careful), "{tags}");
        }
    }
}
