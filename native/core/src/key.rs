//! Keys as they are kept: cleaned like statsd's `sanitizeKeyName`, with DogStatsD tags behind.
//!
//! Rules:
//!
//! * Cleaning turns a run of white space into `_` and `/` into `-`, then drops all but `[a-zA-Z_\-0-9.;=]`.
//! * Without cleaning, bytes that are not UTF-8 become U+FFFD; a kept key is UTF-8 without a newline.
//! * A tag `name:value` joins the key as `;name=value`: its first `;` becomes `_`, its first `:` becomes `=`.

use crate::number::is_space;
use memchr::{memchr_iter, memchr3_iter};

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

/// Appends `name` with its tags to `out`, not cleaned yet.
pub(crate) fn join(out: &mut Vec<u8>, name: &[u8], tags: &[u8]) {
    out.extend_from_slice(name);
    if tags.is_empty() {
        return;
    }
    out.push(b';');
    let start = out.len();
    out.extend_from_slice(tags);
    let (mut colon, mut semicolon) = (b'=', b'_');
    for at in memchr3_iter(b',', b':', b';', tags) {
        let byte = &mut out[start + at];
        match *byte {
            b':' => *byte = std::mem::replace(&mut colon, b':'),
            b';' => *byte = std::mem::replace(&mut semicolon, b';'),
            _ => (*byte, colon, semicolon) = (b';', b'=', b'_'),
        }
    }
}

/// A key as it is kept.
pub(crate) fn clean(key: &[u8], sanitize: bool) -> String {
    let text = String::from_utf8_lossy(key);
    if !sanitize {
        return text.into_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut in_space = false;
    for character in text.chars() {
        let space = is_space(character);
        match character {
            '/' => clean.push('-'),
            _ if is_clean(character) => clean.push(character),
            _ if space && !in_space => clean.push('_'),
            _ => {}
        }
        in_space = space;
    }
    clean
}

fn is_clean(character: char) -> bool {
    u8::try_from(character).is_ok_and(|byte| CLEAN[usize::from(byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &[u8], tags: &[u8], sanitize: bool) -> String {
        let mut out = Vec::new();
        join(&mut out, name, tags);
        clean(&out, sanitize)
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
