"""The contract of an aggregation kernel: bytes in, columns out. Two kernels keep it: native and reference.

Rules:

* A kernel owns its tables and receiver threads; it knows no settings file, no sink and no wall clock.
* `feed` and the receivers may run while `flush` does; `flush` takes the finished window over and ingest goes on.
* Whatever is not counted into a series moves a counter of `Tally`.
* Both kernels answer alike, to the last digit and in the same order: series of a kind in order of first arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nilometer.core.record import Kind
from nilometer.ingest.guard import OPEN, Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Block, Kind
    from nilometer.ingest.inspection import Peeked, Top, Totals
    from nilometer.ingest.relay.router import Router

AUTO, STATSD, DOGSTATSD = "auto", "statsd", "dogstatsd"
DIALECTS = (AUTO, STATSD, DOGSTATSD, "graphite", "influx", "librato", "signalfx")
"""What lines mean; docs/reference/dialects.md has the grammars. ``statsd``: what they mean to statsd/statsd, to the letter.
The others share one grammar, DogStatsD's and more, and differ in the tags that they know in a name: ``auto`` every style,
``dogstatsd`` none, the rest one."""
DELTA, ABSOLUTE = "delta", "absolute"
GAUGES = (DELTA, ABSOLUTE)
"""What a gauge with a sign is: moved by so much, or set to it."""
MAX_TIMED, MAX_TIMED_BYTES, MAX_TIMESTAMPS = 100_000, 16 << 20, 1000
"""Bounds on the values that come with their own time in a window, on the bytes of their keys, and on their different times."""
MAX_NOTICES, MAX_NOTICE_BYTES = 1000, 4 << 20
"""Bounds on the events and service checks kept until they are taken, and on the bytes of their lines."""


def mode(dialect: str, gauges: str = "") -> str:
    """Return a dialect with a choice about gauges, as `Kernel.feed` and the receivers take it."""
    return f"{dialect}/{gauges}" if gauges else dialect


def understood(mode: str) -> tuple[str, bool]:
    """Return a mode's dialect and whether a gauge with a sign is set; DogStatsD's are unless it says otherwise.

    Raise ValueError for an unknown one.
    """
    dialect, slash, gauges = mode.partition("/")
    if dialect not in DIALECTS or (slash and gauges not in GAUGES):
        message = f"unknown dialect {mode!r}; known are {', '.join(DIALECTS)}, each with /{' or /'.join(GAUGES)} behind it"
        raise ValueError(message)
    return dialect, gauges == ABSOLUTE if gauges else dialect == DOGSTATSD


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bins for every timer whose key contains `match`; upper bounds, the last may be ``inf``. No bins: none for it."""

    match: str
    bins: tuple[float, ...]


Template = tuple[str | int, ...]
"""Parts of a text: as they stand, or, by number, what a group of the pattern caught (0 is all that it matched)."""

MAP, DROP, KEEP = "map", "drop", "keep"
ACTIONS = (MAP, DROP, KEEP)
"""What a rule does: change what fits, drop it, or change it and have all dropped that no rule fits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of the series that fit; the first rule that fits a series is the only one.

    `pattern` is searched for in the name, in the syntax that `nilometer.core.pattern` checks and all kernels share; `kind`
    (empty: all) and `with_tags` (the value ``*`` stands for any) must fit too.
    `rename` makes the new name (None: as it is), `escape` makes that fit for Prometheus, `tags` are set (an empty value
    removes the tag; with `honor_tags` those that are there stay), after `remove_tags` (``*``: all) went. A new name that
    comes out empty drops the series.
    `scale` multiplies the values of all kinds but sets; `sample` is the fraction of counters' and timers' values that is
    kept, and whose weights make up for the others.
    The rest is for the series that comes out; None leaves it as it is for all: `percentiles`, `histogram` (upper bounds),
    `cumulative`, `sketch`, `statistics`; `expire`: in how many flushes a series is reported after its last update, 0 for ever;
    `every`: flush it only every so many windows, together. Where several rules lead to a series, that of its first key counts.
    """

    pattern: str
    kind: str = ""
    with_tags: tuple[tuple[str, str], ...] = ()
    action: str = MAP
    rename: Template | None = None
    escape: bool = False
    tags: tuple[tuple[str, Template], ...] = ()
    remove_tags: tuple[str, ...] = ()
    honor_tags: bool = False
    scale: float = 1.0
    sample: float = 1.0
    percentiles: tuple[float, ...] | None = None
    histogram: tuple[float, ...] | None = None
    cumulative: bool | None = None
    sketch: bool | None = None
    statistics: tuple[str, ...] | None = None
    expire: int | None = None
    every: int = 1


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What a kernel computes and keeps. Defaults are statsd's, limits are ours.

    `percentiles`: above 0 the lowest that many percent of a timer's samples, below 0 the highest.
    `histograms`: the first whose `match` stands in the key counts.
    `timer_statistics`: the only statistics sent (``upper_percent`` stands for every percentile, ``histogram`` for bins);
    empty sends all.
    `delete_*`: forget a series that had nothing in a window, instead of reporting zero (or repeating a gauge).
    `gauge_ttl`: with `delete_gauges`, in how many flushes a gauge is reported after its last update.
    `keep`: counters whose key contains one of these are never deleted, unless a rule says when.
    `expire_*`: in how many flushes a series is reported after its last update, whatever `delete_*` says; 0: as that says.
    `rules`: see `Rule`. `tags`: names and values that every series gets which has none of that name.
    `sanitize`: clean keys on arrival (space to ``_``, ``/`` to ``-``, the rest but ``[A-Za-z0-9_.;=-]`` dropped).
    Bounds on series, looked at when one would be made: `max_series` in all, `max_series_per_prefix` whose names have the same
    first `prefix_parts` parts, `max_series_per_source` that values from one address made (0: no bound, for both), `max_tags`,
    `max_name` (bytes, without the tags), `max_key_bytes` of all keys. What they refuse counts in the series `overflow` of its
    kind, and in `Tally`.
    Bounds on a window: `max_samples` of all timers and `max_samples_per_timer` (for each thread that receives) are kept
    exactly; the rest goes to sketches of relative error 0.8 %, which take a page of 64 buckets for 16 of `max_samples`.
    `max_set_members` of all sets and `max_members_per_set` (for each thread that receives) are kept exactly; the rest goes to
    estimates of standard error 0.81 %, one for 256 of `max_set_members`.
    `max_line`: bytes in a line, longer ones are bad. `sketch`: give a sketch of every timer.
    `cumulative`: histograms have for each bound all samples up to it, not only those beyond the bound before.
    """

    percentiles: tuple[float, ...] = (90.0,)
    histograms: tuple[Histogram, ...] = ()
    timer_statistics: tuple[str, ...] = ()
    delete_counters: bool = False
    delete_timers: bool = False
    delete_sets: bool = False
    delete_gauges: bool = False
    gauge_ttl: int = 1
    keep: tuple[str, ...] = ()
    expire_counters: int = 0
    expire_timers: int = 0
    expire_gauges: int = 0
    expire_sets: int = 0
    rules: tuple[Rule, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    sanitize: bool = True
    max_series: int = 1_000_000
    max_series_per_prefix: int = 0
    prefix_parts: int = 1
    max_series_per_source: int = 0
    max_tags: int = 100
    max_name: int = 4096
    max_key_bytes: int = 256 << 20
    overflow: str = "nilometer.overflow"
    max_samples: int = 20_000_000
    max_samples_per_timer: int = 100_000
    max_set_members: int = 5_000_000
    max_members_per_set: int = 100_000
    max_line: int = 65_536
    sketch: bool = False
    cumulative: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What a kernel counted since the flush before.

    `packets`: datagrams, and reads from a stream that hold a newline. `lines`: lines that are not empty. `bad_lines`:
    values that were refused (a line of several values can count several times). `kernel_drops`: datagrams that the
    operating system dropped before we saw them. `*_over_limit`: values that went to the overflow series of their kind, by the
    bound of `Aggregation` that refused their own; of `samples` those that are in no bucket of a sketch, of `members` those that
    are not counted. `dropped_by_rules`: values refused by a rule. `series`: those alive, idle ones and those not due included.
    `pause_ns`: the longest time for which ingest stood still for the flush, in nanoseconds.
    """

    packets: int = 0
    bytes: int = 0
    lines: int = 0
    bad_lines: int = 0
    kernel_drops: int = 0
    name_over_limit: int = 0
    tags_over_limit: int = 0
    series_over_limit: int = 0
    keys_over_limit: int = 0
    prefix_over_limit: int = 0
    source_over_limit: int = 0
    samples_over_limit: int = 0
    members_over_limit: int = 0
    dropped_by_rules: int = 0
    timed_over_limit: int = 0
    series: int = 0
    pause_ns: int = 0


class BadLine(NamedTuple):
    """A line that was refused. `fields` are the refused value's parts joined by commas; texts are cut at 512 bytes."""

    source: str
    line: str
    fields: str
    reason: str


class Timed(NamedTuple):
    """A value that came with its own time (whole seconds since the epoch): what to add to a counter, or a gauge's value."""

    timestamp: int
    kind: Kind
    key: str
    value: float


class Notice(NamedTuple):
    """An event or a service check: who sent it, and its fields as `Kernel.explain` names them."""

    source: str
    fields: dict[str, Any]


class Overflowed(NamedTuple):
    """A key that got no series of its own. It is cut at 512 bytes; `limit` is the field of `Tally` that counts it."""

    source: str
    key: str
    kind: Kind
    limit: str


@dataclass(frozen=True, slots=True)
class Aggregates:
    """A finished window: blocks in the order counter, timer, gauge, set (kinds without series left out).

    Timers of which rules have other figures computed stand in blocks of their own, in order of the rules.
    `timed` are the values that came with their own time, in order of arrival (a receiver thread after the other).
    """

    blocks: tuple[Block, ...] = field(default=())
    tally: Tally = field(default_factory=Tally)
    timed: tuple[Timed, ...] = ()


class Receiver(Protocol):
    """Reads datagrams from a socket into the kernel until it is stopped."""

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port`` with the real port, or the socket's path."""

    @property
    def buffer_bytes(self) -> int:
        """The receive buffer that the system granted."""

    def refused(self) -> Sequence[tuple[str, int, str]]:
        """Return why and how often datagrams were refused since the last call, and one sender for each reason.

        Reasons: ``address``, ``signature``, ``time``, ``replayed``, ``full``; see `nilometer.ingest.guard`.
        """

    def rekey(self, key: bytes) -> None:
        """Check signatures with another key, where there was one."""

    def stop(self) -> None:
        """Read what the socket still holds, then close it. Stopping twice does nothing."""


class Tap(Protocol):
    """Copies of the lines that come in, empty ones left out, until it is stopped."""

    def take(self, seconds: float) -> bytes | None:
        """Wait for at most `seconds` for lines, each with a newline after it.

        No bytes: nothing has come. None: nothing will come any more.
        """

    def missed(self) -> int:
        """Return how many lines there was no room for, since the start."""

    def stop(self) -> None:
        """Copy nothing more. What waits can still be taken."""


class Kernel(Protocol):
    """Aggregates lines into series."""

    name: str

    def configure(self, aggregation: Aggregation) -> None:
        """Use other settings from the next flush on; limits, `sanitize`, `rules` and `tags` at once.

        What the window holds stays. A series goes by new rules from its next value on. Raise ValueError for a rule whose
        pattern is none.
        """

    def feed(self, data: bytes, source: str = "", dialect: str = AUTO, *, packets: int = 1) -> None:
        """Count whole lines, separated by newlines; the last needs none. `source` names the peer in bad lines.

        `dialect`, here and below, is a dialect or a `mode`. Raise ValueError for an unknown one.
        """

    def explain(self, data: bytes, dialect: str = AUTO) -> list[dict[str, Any]]:
        """Return what each line means, counting nothing: a dict for each value, event, service check or error, in order.

        Every dict has ``line``, the line's number counted from 1. A metric has ``name``, ``type``, ``values`` or
        ``set_value``, ``rate``, ``tags``, ``key``, and where given ``relative``, ``timestamp``, ``container``, ``external``
        and ``cardinality``; what is bad has ``error``, ``fields`` and ``text``.
        """

    def notices(self) -> tuple[list[Notice], int]:
        """Return the events and service checks since the last call, and how many there were no room for."""

    def receive_udp(  # noqa: PLR0913 each is an option of its own
        self, host: str, port: int, *, buffer_bytes: int, threads: int, dialect: str, guard: Guard = OPEN
    ) -> Receiver:
        """Bind a UDP socket (per thread one, sharing the port) and read what `guard` lets in. Raise OSError when it cannot."""

    def receive_unix(self, path: str, *, buffer_bytes: int, dialect: str, guard: Guard = OPEN) -> Receiver:
        """Bind a Unix datagram socket and read what `guard` lets in; no sender is in any network. Raise OSError."""

    def relay(self, streams: Sequence[bool], *, ring: bool, queue_bytes: int) -> Router:
        """Repeat what comes in from now on, before it is read, to as many targets; each is a stream or takes datagrams.

        In place of the router before, if any. Raise OSError when there is no thread for it.
        """

    def tap(self, queue_bytes: int) -> Tap:
        """Copy what comes in from now on, before it is read, for somebody who looks on; in place of the tap before, if any.

        At most `queue_bytes` wait to be taken; ingest never waits.
        """

    def flush(self, seconds: float, *, last: bool = False) -> Aggregates:
        """Hand over the finished window; rates are per second over `seconds`.

        Series that a rule flushes less often are held until they are due, which with `last` all are.
        """

    def bad_lines(self) -> list[BadLine]:
        """Return refused lines, at most 32 since the last call; the rest are only counted."""

    def overflowed(self) -> list[Overflowed]:
        """Return keys that a limit refused, at most 32 since the last call; the rest are only counted."""

    def gauges(self) -> tuple[Sequence[str], Sequence[float]]:
        """Return the gauges as of the last flush, to be kept over a restart."""

    def restore_gauges(self, keys: Sequence[str], values: Sequence[float]) -> None:
        """Set gauges that have not been set since the start."""

    def peek(self, kind: Kind, most: int) -> Peeked:
        """Return the first `most` series of a kind as the open window has them; it is not disturbed."""

    def keys(self, kind: Kind, prefix: str, most: int) -> list[str]:
        """Return the first `most` keys of a kind that start with `prefix`, in order of first arrival."""

    def delete(self, kind: Kind, names: Sequence[str]) -> list[bool]:
        """Delete series by their keys, also from the open window. Return for each whether there was one.

        One that comes back starts anew, at the end. What a deleted one took in still counts towards the window's limits of
        samples and members, but it is no longer one of the series in `Aggregation.max_series`.
        """

    def top(self, most: int) -> Top:
        """Return the `most` busiest names and sources, and of what was refused; see `Top` for how exact that is."""

    def totals(self) -> Totals:
        """Return what was counted since the kernel was made."""
