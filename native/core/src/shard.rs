//! What one reader ingests: lines in, values into the shard's store.
//!
//! Rules:
//!
//! * Common lines are read in one pass; the rest on a path that takes every care. Both mean the same.
//! * Values wait until there are [`BATCH`] of them, or the call ends; then they are applied in order.
//! * At most [`KEPT`] refused lines are kept until they are taken; all are counted.

use crate::aggregates::{Kind, Tally};
use crate::dialect::metric::Metric;
use crate::dialect::notice::{Check, Fields};
use crate::dialect::{self, Dialect, Reading, name};
use crate::gate::Overflowed;
use crate::key;
use crate::limit::Shared;
use crate::rules::Rules;
use crate::sidecar::{Notice, Sidecar};
use crate::store::{BATCH, Sample, Source, Span, Store, Tags, Timeline};
use crate::table::{Hash, owned};
use crate::value::{TOO_LONG, Value};
use crate::window::Window;
use crate::{plain, value};
use memchr::memchr;
use std::sync::Arc;

/// How many series one call of [`Shard::forget`] should be given at most: a fraction of a millisecond's work.
pub const FORGET_AT_ONCE: usize = 1024;
/// Refused lines kept.
const KEPT: usize = 32;
/// Bytes of a text shown in a refused line.
const SHOWN: usize = 512;
/// A span's place for texts that were rewritten.
const REWRITTEN: usize = usize::MAX;
/// Rewritten bytes that may wait.
const ROOM: usize = 1 << 16;

/// A value that was refused. Texts are cut at 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    pub source: String,
    pub line: String,
    /// The value's parts joined by commas.
    pub fields: String,
    pub reason: &'static str,
}

/// The packets at hand, and which of them.
#[derive(Clone, Copy)]
struct Input<'a> {
    packets: &'a [&'a [u8]],
    place: usize,
    source: Source<'a>,
    dialect: Dialect,
}

impl<'a> Input<'a> {
    fn text(&self) -> &'a [u8] {
        self.packets[self.place]
    }
}

/// The ingest state of one reader.
#[derive(Debug)]
pub struct Shard {
    number: usize,
    store: Store,
    max_line: usize,
    waiting: Vec<Sample>,
    /// Keys and members that could not stay as they came.
    rewritten: Vec<u8>,
    bad: Vec<BadLine>,
    sidecar: Sidecar,
}

impl Shard {
    pub(crate) fn new(number: usize, rules: &Rules, hash: Hash, shared: Arc<Shared>) -> Self {
        Self {
            number,
            store: Store::new(number, rules, hash, shared),
            max_line: rules.max_line,
            waiting: Vec::with_capacity(BATCH),
            rewritten: Vec::new(),
            bad: Vec::new(),
            sidecar: Sidecar::default(),
        }
    }

    /// The shard's number at its master, counted from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Use the limits and `sanitize` of other rules at once.
    pub fn configure(&mut self, rules: &Rules) {
        self.store.configure(rules);
        self.max_line = rules.max_line;
    }

    /// Count whole lines, separated by newlines; the last needs none. `source` names the peer, asked for bad lines that
    /// are kept. `packets` is how many packets this counts for.
    pub fn feed(&mut self, data: &[u8], source: &dyn Fn() -> String, dialect: Dialect, packets: u64) {
        self.store.tally().packets += packets;
        let before = self.store.tally().lines;
        self.read(&[data], &|_| source(), dialect, false);
        let lines = self.store.tally().lines - before;
        if lines > 0 {
            self.store.window.talkers.add_source(&source(), lines);
        }
    }

    /// Count several packets of whole lines. `source` names a packet's peer by the packet's place in `packets`.
    pub fn feed_many(&mut self, packets: &[&[u8]], source: Source, dialect: Dialect) {
        self.store.tally().packets += packets.len() as u64;
        self.read(packets, source, dialect, true);
    }

    /// `sample` says to count the sources of some packets; else the caller counts.
    fn read(&mut self, packets: &[&[u8]], source: Source, dialect: Dialect, sample: bool) {
        self.store.begin();
        for (place, packet) in packets.iter().enumerate() {
            self.store.tally().bytes += packet.len() as u64;
            let before = self.store.tally().lines;
            self.packet(&Input { packets, place, source, dialect });
            if sample {
                self.count_source(self.store.window.tally.lines - before, &|| source(place));
            }
        }
        self.apply(packets, source);
    }

    #[inline]
    fn count_source(&mut self, lines: u64, source: &dyn Fn() -> String) {
        let talkers = &mut self.store.window.talkers;
        let times = talkers.stands_for();
        if times > 0 && lines > 0 {
            talkers.add_source(&source(), lines * times);
        }
    }

    fn packet(&mut self, input: &Input) {
        let text = input.text();
        let mut start = 0;
        let mut lines = 0;
        while start < text.len() {
            if self.rewritten.len() > ROOM {
                self.apply(input.packets, input.source);
            }
            let rest = &text[start..];
            if rest[0] == b'\n' {
                start += 1;
                continue;
            }
            match plain::read(rest, input.dialect) {
                Some(line) if line.length <= self.max_line => {
                    lines += 1;
                    self.plain_line(input, start, &line);
                    start += line.next;
                }
                _ => {
                    let end = memchr(b'\n', rest).unwrap_or(rest.len());
                    lines += self.any_line(input, input.dialect.trim_end(&rest[..end]));
                    start += end + 1;
                }
            }
        }
        self.store.tally().lines += lines;
    }

    #[inline]
    fn plain_line(&mut self, input: &Input, start: usize, line: &plain::Line) {
        let place = input.place;
        let name = &input.text()[start..start + line.key_length];
        let key = Span { place, start, length: line.key_length };
        let text = Span { place, start: start + line.key_length + 1, length: line.text_length };
        if line.tags_length == 0 {
            return self.push(input, self.store.hash(name), line.value, key, text);
        }
        let tags = Span { place, start: start + line.length - line.tags_length, length: line.tags_length };
        let hash = self.store.hash_spelled(name, &input.text()[tags.start..tags.start + tags.length]);
        let tags = Tags { text: tags, statsd: input.dialect.is_statsd() };
        self.wait(input, Sample { hash, value: line.value, key, tags: Some(tags), text, packet: place });
    }

    fn joined(&self, start: usize) -> (Span, u64) {
        (self.written(start), self.store.hash(&self.rewritten[start..]))
    }

    /// Read a line with every care. Says how many lines that was: an empty one is none.
    fn any_line(&mut self, input: &Input, line: &[u8]) -> u64 {
        if line.is_empty() {
            return 0;
        }
        if line.len() > self.max_line {
            self.refuse(input, line, b"", TOO_LONG);
            return 1;
        }
        let Some(styles) = input.dialect.styles else {
            self.statsd_line(input, line);
            return 1;
        };
        match dialect::read(line, styles, input.dialect.absolute) {
            Ok(Reading::Metric(metric)) => self.metric(input, line, &metric),
            Ok(Reading::Event(fields)) => self.note(input, line, fields),
            Ok(Reading::Check(check)) => self.check(input, line, check),
            Err(reason) => self.refuse(input, line, b"", reason),
        }
        1
    }

    fn statsd_line(&mut self, input: &Input, line: &[u8]) {
        let (body, tags) = key::split_tags(line);
        let mut pieces = body.split(|byte| *byte == b':');
        let name = pieces.next().unwrap_or_default();
        let start = self.rewritten.len();
        key::join(&mut self.rewritten, name, tags);
        let (key, hash) = self.joined(start);
        let bare = (name.len() == body.len()).then_some(&b"1"[..]);
        for piece in pieces.chain(bare) {
            match value::read(piece, input.dialect.absolute) {
                Ok(value) => {
                    let text = if value.kind == Kind::Set { self.member(piece) } else { Span::default() };
                    self.push(input, hash, value, key, text);
                }
                Err(reason) => self.refuse(input, line, piece, reason),
            }
        }
    }

    fn metric(&mut self, input: &Input, line: &[u8], metric: &Metric) {
        let start = self.rewritten.len();
        name::join(&mut self.rewritten, metric.name, metric.tags.iter());
        let (key, hash) = self.joined(start);
        for item in &metric.items {
            match (item, metric.extras.timestamp) {
                (Err((fields, reason)), _) => self.refuse(input, line, fields.as_bytes(), reason),
                (Ok(item), Some(timestamp)) if matches!(item.kind, Kind::Counter | Kind::Gauge) => {
                    item.values().for_each(|value| self.time(input, timestamp, key, value));
                }
                (Ok(item), _) => {
                    let text = if item.kind == Kind::Set { self.member(item.text.as_bytes()) } else { Span::default() };
                    item.values().for_each(|value| self.push(input, hash, value, key, text));
                }
            }
        }
    }

    /// Keep a value for the time that came with it, after what came before it.
    fn time(&mut self, input: &Input, timestamp: u64, key: Span, value: Value) {
        self.apply_waiting(input.packets, input.source);
        let key = &self.rewritten[key.start..key.start + key.length];
        self.store.time(timestamp, value, key, &|| (input.source)(input.place));
    }

    fn check(&mut self, input: &Input, line: &[u8], check: Check) {
        let start = self.rewritten.len();
        check.join(&mut self.rewritten);
        let (key, hash) = self.joined(start);
        let value = Value { kind: Kind::Gauge, number: f64::from(check.status), weight: 1.0, change: false };
        self.push(input, hash, value, key, Span::default());
        self.note(input, line, check.fields);
    }

    fn note(&mut self, input: &Input, line: &[u8], fields: Fields) {
        self.sidecar.note(line.len(), || Notice { source: (input.source)(input.place), fields });
    }

    /// Keep a value's text as UTF-8.
    fn member(&mut self, piece: &[u8]) -> Span {
        let start = self.rewritten.len();
        let end = memchr(b'|', piece).unwrap_or(piece.len());
        self.rewritten.extend_from_slice(String::from_utf8_lossy(&piece[..end]).as_bytes());
        self.written(start)
    }

    fn written(&self, start: usize) -> Span {
        Span { place: REWRITTEN, start, length: self.rewritten.len() - start }
    }

    #[inline]
    fn push(&mut self, input: &Input, hash: u64, value: Value, key: Span, text: Span) {
        self.wait(input, Sample { hash, value, key, tags: None, text, packet: input.place });
    }

    #[inline]
    fn wait(&mut self, input: &Input, sample: Sample) {
        self.waiting.push(Sample { hash: owned(sample.hash, sample.value.kind as u32), ..sample });
        if self.waiting.len() >= BATCH {
            self.apply_waiting(input.packets, input.source);
        }
    }

    fn apply(&mut self, packets: &[&[u8]], source: Source) {
        self.apply_waiting(packets, source);
        self.rewritten.clear();
    }

    fn apply_waiting(&mut self, packets: &[&[u8]], source: Source) {
        let rewritten = self.rewritten.as_slice();
        let find = |span: Span| {
            let text = packets.get(span.place).copied().unwrap_or(rewritten);
            &text[span.start..span.start + span.length]
        };
        self.store.apply(&self.waiting, find, source);
        self.waiting.clear();
    }

    fn refuse(&mut self, input: &Input, line: &[u8], fields: &[u8], reason: &'static str) {
        self.store.tally().bad_lines += 1;
        let source = (input.source)(input.place);
        self.store.window.talkers.add_refused(&source, reason, || shown(line));
        if self.bad.len() < KEPT {
            let fields = String::from_utf8_lossy(fields).replace('|', ",");
            self.bad.push(BadLine { source, line: shown(line), fields: shown(fields.as_bytes()), reason });
        }
    }

    /// Hand over the window and go on in `spare`, which came from `Master::spare`.
    #[must_use]
    pub fn swap(&mut self, spare: Window) -> Window {
        self.store.swap(spare)
    }

    /// Free series that the master has deleted. One that was updated since the swap becomes a new series.
    pub fn forget(&mut self, ids: &[u32]) {
        self.store.forget(ids);
    }

    /// Delete a series of the open window. Says whether there was one.
    pub(crate) fn delete(&mut self, kind: Kind, key: &[u8]) -> bool {
        self.store.delete(kind as u32, key)
    }

    /// The kind and the key of a series.
    pub(crate) fn series(&self, id: u32) -> (u32, &[u8]) {
        self.store.series(id)
    }

    /// The open window.
    pub(crate) fn window(&self) -> &Window {
        &self.store.window
    }

    /// What was counted in the open window so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.window().tally
    }

    /// Rank a line that was refused, and is counted, outside the shard.
    pub fn rank(&mut self, bad: &BadLine) {
        self.store.window.talkers.add_refused(&bad.source, bad.reason, || bad.line.clone());
    }

    /// Take the values that came with their own time.
    #[must_use]
    pub fn timed(&mut self) -> Timeline {
        self.store.timed()
    }

    /// Take events and service checks, and how many there were no room for.
    #[must_use]
    pub fn notices(&mut self) -> (Vec<Notice>, u64) {
        self.sidecar.take_notices()
    }

    /// Take the refused lines kept since the last call, at most 32.
    pub fn bad_lines(&mut self) -> Vec<BadLine> {
        std::mem::take(&mut self.bad)
    }

    /// Take the keys kept since the last call that a limit refused, at most 32.
    pub fn overflowed(&mut self) -> Vec<Overflowed> {
        self.store.gate.refused()
    }

    /// Ids given out so far, in use or free.
    #[cfg(test)]
    pub(crate) fn known(&self) -> u32 {
        self.store.known()
    }
}

/// A text cut to what is shown of it.
pub(crate) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned()
}
