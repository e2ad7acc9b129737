//! A block of columns as Graphite reads it: lines of text, or plain points.
//!
//! Rules:
//!
//! * Series by series, and within a series column by column.
//! * A key is `name;tag=value;…`, split at its first `;`. Its path is what stands before the name, the name, what stands
//!   after it, the tags (with their `;`).
//! * Cleaning touches the name alone. It is statsd's: a run of whitespace becomes `_`, `/` becomes `-`, and all but
//!   `[a-zA-Z_\-0-9.;=]` is dropped.

use crate::decimal;
use std::fmt;

/// One statistic of every series of a block, with what surrounds each series' name.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Bytes before the name.
    pub before: &'a [u8],
    /// Bytes between the name and its tags.
    pub after: &'a [u8],
    /// A value a series.
    pub values: &'a [f64],
    /// A byte a series, zero where the series has no such statistic; none: every series has it.
    pub present: Option<&'a [u8]>,
}

impl Column<'_> {
    fn get(&self, index: usize) -> Option<f64> {
        match self.present {
            Some(present) if present[index] == 0 => None,
            _ => Some(self.values[index]),
        }
    }
}

/// A column, its presence or the names do not have one entry a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    what: &'static str,
    found: usize,
    count: usize,
}

impl fmt::Display for Misshapen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, count } = self;
        write!(formatter, "{what} has {found} entries, the block {count} series")
    }
}

impl std::error::Error for Misshapen {}

/// Returns `path value timestamp` lines, each ended by a newline.
///
/// # Errors
///
/// [`Misshapen`] when `names` or a column does not have `count` entries.
pub fn lines(
    names: &[u8],
    count: usize,
    columns: &[Column<'_>],
    timestamp: i64,
    sanitize: bool,
) -> Result<Vec<u8>, Misshapen> {
    let end = format!(" {timestamp}\n").into_bytes();
    let mut out = Vec::with_capacity(room(names, count, columns, 20 + end.len()));
    each(names, count, columns, sanitize, |column, name, tags, value| {
        push_path(&mut out, column, name, tags);
        out.push(b' ');
        decimal::push(&mut out, value);
        out.extend_from_slice(&end);
    })?;
    Ok(out)
}

/// Returns the paths joined by newlines, and the value of each.
///
/// # Errors
///
/// [`Misshapen`] when `names` or a column does not have `count` entries.
pub fn points(
    names: &[u8],
    count: usize,
    columns: &[Column<'_>],
    sanitize: bool,
) -> Result<(Vec<u8>, Vec<f64>), Misshapen> {
    let mut paths = Vec::with_capacity(room(names, count, columns, 1));
    let mut values = Vec::with_capacity(count * columns.len());
    each(names, count, columns, sanitize, |column, name, tags, value| {
        if !values.is_empty() {
            paths.push(b'\n');
        }
        push_path(&mut paths, column, name, tags);
        values.push(value);
    })?;
    Ok((paths, values))
}

/// Calls `visit(column, name, tags, value)` for each value that is there.
fn each<'a>(
    names: &[u8],
    count: usize,
    columns: &[Column<'a>],
    sanitize: bool,
    mut visit: impl FnMut(&Column<'a>, &[u8], &[u8], f64),
) -> Result<(), Misshapen> {
    check(names, count, columns)?;
    let mut clean = Vec::new();
    for (index, key) in names.split(|&byte| byte == b'\n').take(count).enumerate() {
        let (mut name, tags) = split(key);
        if sanitize {
            clean.clear();
            push_clean(&mut clean, name);
            name = &clean;
        }
        for column in columns {
            if let Some(value) = column.get(index) {
                visit(column, name, tags, value);
            }
        }
    }
    Ok(())
}

fn check(names: &[u8], count: usize, columns: &[Column<'_>]) -> Result<(), Misshapen> {
    let held = if count == 0 && names.is_empty() { 0 } else { names.split(|&byte| byte == b'\n').count() };
    let fits = |what, found| {
        if found == count { Ok(()) } else { Err(Misshapen { what, found, count }) }
    };
    fits("the list of names", held)?;
    columns.iter().try_for_each(|column| {
        fits("a column", column.values.len())?;
        column.present.map_or(Ok(()), |present| fits("a column's presence", present.len()))
    })
}

/// How many bytes the paths take at most, with `extra` for each.
fn room(names: &[u8], count: usize, columns: &[Column<'_>], extra: usize) -> usize {
    let around: usize = columns.iter().map(|column| column.before.len() + column.after.len() + extra).sum();
    names.len() * columns.len() + around * count
}

fn split(key: &[u8]) -> (&[u8], &[u8]) {
    key.split_at(key.iter().position(|&byte| byte == b';').unwrap_or(key.len()))
}

fn push_path(out: &mut Vec<u8>, column: &Column<'_>, name: &[u8], tags: &[u8]) {
    out.extend_from_slice(column.before);
    out.extend_from_slice(name);
    out.extend_from_slice(column.after);
    out.extend_from_slice(tags);
}

/// Appends `text`, cleaned, to `out`. Bytes that are not UTF-8 are dropped.
fn push_clean(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    let mut in_space = false;
    while let Some(&byte) = rest.first() {
        let space = space_at(rest);
        rest = &rest[space.max(1)..];
        match byte {
            _ if space > 0 && in_space => {}
            _ if space > 0 => out.push(b'_'),
            b'/' => out.push(b'-'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b';' | b'=' => out.push(byte),
            _ => {}
        }
        in_space = space > 0;
    }
}

/// Returns how many bytes the whitespace character at the start of `text` takes, 0 when it starts with another one.
///
/// Whitespace is what JavaScript's `\s` matches (ECMA-262, `WhiteSpace` and `LineTerminator`).
fn space_at(text: &[u8]) -> usize {
    match text {
        [b'\t'..=b'\r' | b' ', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE1, 0x9A, 0x80, ..]
        | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Misshapen, lines, points, push_clean};

    const NAMES: &[u8] = b"a\nb;host=x/1\n";

    fn columns<'a>() -> [Column<'a>; 2] {
        [
            Column { before: b"stats.", after: b".rate", values: &[0.5, 1.0, -0.0], present: None },
            Column { before: b"n.", after: b"", values: &[5.0, 1e21, f64::NAN], present: Some(&[1, 0, 1]) },
        ]
    }

    fn clean(text: &str) -> String {
        let mut out = Vec::new();
        push_clean(&mut out, text.as_bytes());
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn lines_go_series_by_series() {
        let text = lines(NAMES, 3, &columns(), 1_700_000_000, false).expect("well shaped");
        let expected: &[u8] = b"stats.a.rate 0.5 1700000000\nn.a 5 1700000000\n\
            stats.b.rate;host=x/1 1 1700000000\nstats..rate 0 1700000000\nn. NaN 1700000000\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn points_say_the_same_as_lines() {
        let (paths, values) = points(NAMES, 3, &columns(), false).expect("well shaped");
        assert_eq!(paths, b"stats.a.rate\nn.a\nstats.b.rate;host=x/1\nstats..rate\nn.");
        assert_eq!(values[..4], [0.5, 5.0, 1.0, -0.0]);
        assert!(values[4].is_nan());
    }

    #[test]
    fn an_empty_path_is_a_path() {
        let column = Column { before: b"", after: b"", values: &[1.0, 2.0], present: None };
        assert_eq!(points(b"\n", 2, &[column], false), Ok((b"\n".to_vec(), vec![1.0, 2.0])));
    }

    #[test]
    fn nothing_renders_to_nothing() {
        let none = Column { before: b"x", after: b"y", values: &[], present: None };
        assert_eq!(lines(b"", 0, &[none], 1, true), Ok(Vec::new()));
        assert_eq!(points(b"", 0, &[], true), Ok((Vec::new(), Vec::new())));
    }

    #[test]
    fn cleaning_leaves_tags_alone() {
        let column = Column { before: b"", after: b".s", values: &[1.0], present: None };
        let text = lines("a b/ü!;t=x y/ü".as_bytes(), 1, &[column], 7, true);
        assert_eq!(text, Ok("a_b-.s;t=x y/ü 1 7\n".as_bytes().to_vec()));
    }

    #[test]
    fn cleaning_is_statsds() {
        assert_eq!(clean("a \t\u{a0}\u{3000}b"), "a_b");
        assert_eq!(clean("a é b"), "a__b");
        assert_eq!(clean("\u{1680}\u{2028}\u{feff}x\u{200b}\u{85}y"), "_xy");
        assert_eq!(clean("p/q.r;s=t-u_v%w+x,y[z]"), "p-q.r;s=t-u_vwxyz");
    }

    #[test]
    fn wrong_shapes_are_refused() {
        let short = Column { before: b"", after: b"", values: &[1.0], present: None };
        let unsure = Column { values: &[1.0, 2.0], present: Some(&[1]), ..short };
        let refused = |what, found, count| Misshapen { what, found, count };
        assert_eq!(lines(b"a\nb", 2, &[short], 1, false), Err(refused("a column", 1, 2)));
        assert_eq!(lines(b"a\nb", 2, &[unsure], 1, false), Err(refused("a column's presence", 1, 2)));
        assert_eq!(points(b"a\nb", 1, &[short], false), Err(refused("the list of names", 2, 1)));
        assert_eq!(refused("a column", 1, 2).to_string(), "a column has 1 entries, the block 2 series");
    }
}
