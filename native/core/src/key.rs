//! Keys as they are kept: cleaned like statsd's `sanitizeKeyName`, with DogStatsD tags behind.
//!
//! Rules:
//!
//! * Cleaning turns a run of white space into `_` and `/` into `-`, then drops all but `[a-zA-Z_\-0-9.;=]`.
//! * Without cleaning, bytes that are not UTF-8 become U+FFFD; a kept key is UTF-8 without a newline.
//! * A tag `name:value` joins the key as `;name=value`: its first `;` becomes `_`, its first `:` becomes `=`.

use crate::number::is_space;
use memchr::{memchr, memchr_iter};

/// Whether a key may stay as it is.
pub(crate) fn is_kept(key: &[u8], sanitize: bool) -> bool {
    if sanitize { clean_length(key) == key.len() } else { std::str::from_utf8(key).is_ok() }
}

/// How many bytes at the start need no cleaning.
#[inline]
fn clean_length(text: &[u8]) -> usize {
    text.iter().position(|byte| !CLEAN[usize::from(*byte)]).unwrap_or(text.len())
}

const CLEAN: [bool; 256] = {
    let mut clean = [false; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        clean[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b';' | b'=');
        byte += 1;
    }
    clean
};

/// Splits a line at the first `|#`: what stands before, and the tags up to the next `|#`.
pub(crate) fn split_tags(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = mark(line) else {
        return (line, &[]);
    };
    let tags = &line[at + 2..];
    (&line[..at], &tags[..mark(tags).unwrap_or(tags.len())])
}

/// Where the first `|#` stands.
fn mark(text: &[u8]) -> Option<usize> {
    memchr_iter(b'|', text).find(|at| text.get(at + 1) == Some(&b'#'))
}

/// Appends the key of `name` with `tags` to `out`.
pub(crate) fn push(out: &mut Vec<u8>, name: &[u8], tags: &[u8], sanitize: bool) {
    let mut writer = Writer { out, sanitize, in_space: false };
    writer.push(name);
    if tags.is_empty() {
        return;
    }
    for tag in tags.split(|byte| *byte == b',') {
        writer.push(b";");
        push_tag(&mut writer, tag);
    }
}

fn push_tag(writer: &mut Writer, tag: &[u8]) {
    let mut places = [(memchr(b';', tag), b"_"), (memchr(b':', tag), b"=")];
    places.sort_unstable();
    let mut done = 0;
    for (place, replacement) in places {
        if let Some(place) = place {
            writer.push(&tag[done..place]);
            writer.push(replacement);
            done = place + 1;
        }
    }
    writer.push(&tag[done..]);
}

/// Writes a key piece by piece. Pieces end at ASCII bytes, so that no character is torn.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    sanitize: bool,
    in_space: bool,
}

impl Writer<'_> {
    fn push(&mut self, text: &[u8]) {
        let clean = if self.sanitize { clean_length(text) } else { 0 };
        self.out.extend_from_slice(&text[..clean]);
        self.in_space &= clean == 0;
        for chunk in text[clean..].utf8_chunks() {
            self.push_valid(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.push_valid("\u{fffd}");
            }
        }
    }

    fn push_valid(&mut self, text: &str) {
        if !self.sanitize {
            self.out.extend_from_slice(text.as_bytes());
            return;
        }
        for character in text.chars() {
            let space = is_space(character);
            match u8::try_from(character) {
                Ok(byte) if CLEAN[usize::from(byte)] => self.out.push(byte),
                Ok(b'/') => self.out.push(b'-'),
                _ if space && !self.in_space => self.out.push(b'_'),
                _ => {}
            }
            self.in_space = space;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &[u8], tags: &[u8], sanitize: bool) -> String {
        let mut out = Vec::new();
        push(&mut out, name, tags, sanitize);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_are_cleaned() {
        let cases: &[(&[u8], &str)] = &[
            (b"a.b-c_D9;k=v", "a.b-c_D9;k=v"),
            (b" a \t b ", "_a_b_"),
            (b"a//b", "a--b"),
            (b"foo+bar", "foobar"),
            ("caf\u{e9}".as_bytes(), "caf"),
            (b"a\xffb", "ab"),
            ("a\u{a0}\u{2003} b".as_bytes(), "a_b"),
            (b" + ", "__"),
            ("a\u{85}b".as_bytes(), "ab"),
            (b"a\0b|c", "abc"),
            (b"", ""),
        ];
        for (raw, clean) in cases {
            assert_eq!(key(raw, b"", true), *clean, "{raw:?}");
        }
    }

    #[test]
    fn keys_are_kept_as_they_are_without_cleaning() {
        assert_eq!(key(b"b ar/x+y", b"", false), "b ar/x+y");
        assert_eq!(key(b"a\xff\xe2\x82b", b"", false), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn a_key_is_kept_when_cleaning_would_not_change_it() {
        let cases: &[&[u8]] = &[b"", b"a.b;c=d", b"a b", b"a/b", b"a|b", "\u{e9}".as_bytes(), b"\xff"];
        for raw in cases {
            for sanitize in [true, false] {
                assert_eq!(is_kept(raw, sanitize), key(raw, b"", sanitize).as_bytes() == *raw, "{raw:?} {sanitize}");
            }
        }
    }

    #[test]
    fn tags_join_the_key() {
        let cases: &[(&[u8], &str)] = &[
            (b"k:v", "a;k=v"),
            (b"prod", "a;prod"),
            (b"url:http://x", "a;url=http--x"),
            (b"x:1,,y:2", "a;x=1;;y=2"),
            (b"a;b;c:d:e", "a;a_b;c=de"),
            (b"a:b;c;d", "a;a=b_c;d"),
            (b"k:v|@0.5", "a;k=v0.5"),
        ];
        for (tags, joined) in cases {
            assert_eq!(key(b"a", tags, true), *joined, "{tags:?}");
        }
        assert_eq!(key(b"a ", b" k:v w", true), "a_;_k=v_w");
    }

    #[test]
    fn a_third_part_is_dropped() {
        assert_eq!(split_tags(b"a:1|c|#k:v|#z"), (&b"a:1|c"[..], &b"k:v"[..]));
        assert_eq!(split_tags(b"a:1|c"), (&b"a:1|c"[..], &b""[..]));
        assert_eq!(split_tags(b"a:1|c|#"), (&b"a:1|c"[..], &b""[..]));
    }
}
