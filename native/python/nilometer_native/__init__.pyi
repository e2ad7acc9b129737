"""The native kernel of Nilometer: StatsD lines received, aggregated and rendered by Rust threads outside the GIL.

Plain types across. Numbers in bulk travel as the bytes of float64 in the machine's order. `nilometer.ingest._kernel` wraps
this module into the contract of `nilometer.ingest.kernel`; nothing else imports it.
"""

# ruff: noqa: PYI021 - the docstrings live here: native functions carry none

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, final, type_check_only

from typing_extensions import Buffer

_Column: TypeAlias = tuple[str, bytes, bytes | None]
_Block: TypeAlias = tuple[str, bytes, int, list[_Column], list[bytes]]
_Timed: TypeAlias = tuple[int, str, str, float]
_Placed: TypeAlias = tuple[bytes, bytes, Buffer, bytes | None]

__all__ = ["BUILD", "Kernel", "Receiver", "Router", "Tap", "__version__", "render_lines", "render_points"]

__version__: str
"""The version of the distribution ``nilometer-native``."""

BUILD: str
"""CRC-32 of the native sources that this module was built from, eight hex digits (see ``build.rs``)."""

@type_check_only
class Rule(Protocol):
    """What is read of a rule. See `nilometer.ingest.kernel.Rule`."""

    @property
    def pattern(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def with_tags(self) -> Sequence[tuple[str, str]]: ...
    @property
    def action(self) -> str: ...
    @property
    def rename(self) -> Sequence[str | int] | None: ...
    @property
    def escape(self) -> bool: ...
    @property
    def tags(self) -> Sequence[tuple[str, Sequence[str | int]]]: ...
    @property
    def remove_tags(self) -> Sequence[str]: ...
    @property
    def honor_tags(self) -> bool: ...
    @property
    def scale(self) -> float: ...
    @property
    def sample(self) -> float: ...
    @property
    def percentiles(self) -> Sequence[float] | None: ...
    @property
    def histogram(self) -> Sequence[float] | None: ...
    @property
    def cumulative(self) -> bool | None: ...
    @property
    def sketch(self) -> bool | None: ...
    @property
    def statistics(self) -> Sequence[str] | None: ...
    @property
    def expire(self) -> int | None: ...
    @property
    def every(self) -> int: ...

@final
class Kernel:
    """Aggregates lines into series. Methods may be called from any thread."""

    def __new__(cls) -> Kernel: ...
    def configure(
        self,
        *,
        percentiles: Sequence[float],
        histograms: Sequence[tuple[str, Sequence[float]]],
        timer_statistics: Sequence[str],
        delete_counters: bool,
        delete_timers: bool,
        delete_sets: bool,
        delete_gauges: bool,
        gauge_ttl: int,
        keep: Sequence[str],
        expire_counters: int,
        expire_timers: int,
        expire_gauges: int,
        expire_sets: int,
        rules: Sequence[Rule],
        tags: Sequence[tuple[str, str]],
        sanitize: bool,
        max_series: int,
        max_series_per_prefix: int,
        prefix_parts: int,
        max_series_per_source: int,
        max_tags: int,
        max_name: int,
        max_key_bytes: int,
        overflow: str,
        max_samples: int,
        max_samples_per_timer: int,
        max_set_members: int,
        max_members_per_set: int,
        max_line: int,
        sketch: bool,
        cumulative: bool,
    ) -> None:
        """Use other settings: limits, cleaning and rules at once, the rest from the next flush on.

        Of `rules` the attributes are read. Raise ValueError for a pattern that is none.
        """

    def feed(self, data: bytes, source: str, dialect: str, packets: int) -> None:
        """Count whole lines, separated by newlines; the last needs none.

        `source` names the peer in bad lines, `dialect` is a mode of `nilometer.ingest.kernel` (another raises ValueError),
        `packets` is how many packets this counts for. Large data is counted without the GIL.
        """

    def receive_udp(
        self,
        host: str,
        port: int,
        buffer_bytes: int,
        threads: int,
        dialect: str,
        guard: tuple[Sequence[tuple[str, int]], bytes, int, int] | None = None,
    ) -> Receiver:
        """Bind a UDP socket a thread, sharing the port, and start the threads.

        An empty `host` or ``::`` is every address, IPv4 and IPv6; port 0 takes a free one; `buffer_bytes` 0 leaves the
        system's receive buffer. `guard`: networks ``(address, prefix)`` that may send, none for all; the key of signatures,
        empty for none; seconds that a signed datagram may be early or late; how many are remembered. Raise OSError when it
        cannot be bound, ValueError for an unknown dialect or a wrong network.
        """

    def receive_unix(
        self,
        path: str,
        buffer_bytes: int,
        dialect: str,
        guard: tuple[Sequence[tuple[str, int]], bytes, int, int] | None = None,
    ) -> Receiver:
        """Bind a Unix datagram socket and start a thread. A socket file on which nobody listens is replaced.

        `guard` as above; no sender is in any network. Raise OSError when it cannot be bound, ValueError for an unknown
        dialect.
        """

    def relay(self, streams: Sequence[bool], ring: bool, queue_bytes: int) -> Router:
        """Repeat what comes in from now on, before it is read, to targets: for each, whether it is a stream. Raise OSError."""

    def tap(self, queue_bytes: int) -> Tap:
        """Copy what comes in from now on, before it is read, as far as there is room."""

    def explain(self, data: bytes, dialect: str) -> list[dict[str, Any]]:
        """Return what each line means, counting nothing. Raise ValueError for an unknown dialect."""

    def notices(self) -> tuple[list[tuple[str, dict[str, Any]]], int]:
        """Return events and service checks since the last call, as ``(source, fields)``, and how many did not fit."""

    def flush(self, seconds: float, last: bool = False) -> tuple[list[_Block], dict[str, int], list[_Timed]]:
        """Hand over the finished window; rates are per second over `seconds`. Runs without the GIL.

        With `last`, nothing is held for a later flush.

        Return blocks ``(kind, names, count, columns, sketches)`` of columns ``(statistic, float64 values, present)``, and the
        fields of `nilometer.ingest.kernel.Tally` by name, and ``(timestamp, kind, key, value)`` for each value that came
        with its own time.
        """

    def overflowed(self) -> list[tuple[str, str, str, str]]:
        """Return keys that a limit refused since the last call, at most 32, as ``(source, key, kind, limit)``.

        `limit` is the field of `nilometer.ingest.kernel.Tally` that counts it.
        """

    def bad_lines(self) -> list[tuple[str, str, str, str]]:
        """Return refused lines since the last call, at most 32, as ``(source, line, fields, reason)``."""

    def gauges(self) -> tuple[list[str], list[float]]:
        """Return the gauges as of the last flush: their keys, their values."""

    def restore_gauges(self, keys: Sequence[str], values: Sequence[float]) -> None:
        """Set gauges that have not been set since the start. Raise ValueError when the lengths differ."""

    def peek(self, kind: str, most: int) -> tuple[list[str], list[float], list[list[float]], list[list[str]], int]:
        """Return the first `most` series of a kind, ``counter``, ``timer``, ``gauge`` or ``set``, as the open window has them.

        Keys, values, timers' samples, sets' members, and how many series there are; fields of
        `nilometer.ingest.inspection.Peeked`. Another kind raises ValueError, here and below.
        """

    def keys(self, kind: str, prefix: str, most: int) -> list[str]:
        """Return the first `most` keys of a kind that start with `prefix`, in order of first arrival."""

    def delete(self, kind: str, names: Sequence[str]) -> list[bool]:
        """Delete series by their keys, also from the open window. Return for each whether there was one."""

    def top(self, most: int) -> tuple[list[tuple[str, str, int]], list[tuple[str, int]], list[tuple[str, str, int, str]]]:
        """Return the `most` busiest names ``(kind, key, updates)`` and sources ``(source, lines)``, and what was refused.

        The last are ``(source, reason, count, line)``. Over the last finished window and the open one.
        """

    def totals(self) -> tuple[int, int, int, int, float]:
        """Return packets, bytes, lines and bad lines since the start, and for how many seconds no packet has come."""

@final
class Receiver:
    """A socket, or several that share a port, read by threads until stopped (or no longer referred to)."""

    @property
    def address(self) -> str:
        """Where it listens: ``host:port`` with the real port, or the socket's path."""

    @property
    def buffer_bytes(self) -> int:
        """The receive buffer that the system granted each socket, as the system counts it (twice what was asked for)."""

    def refused(self) -> list[tuple[str, int, str]]:
        """Return why and how often datagrams were refused since the last call, and one sender for each reason.

        Reasons: ``address``, ``signature``, ``time``, ``replayed``, ``full``.
        """

    def rekey(self, key: bytes) -> None:
        """Check signatures with another key, where there was one."""

    def stop(self) -> None:
        """Count what the socket still holds, close it, and remove a socket's file. Stopping twice does nothing."""

@final
class Router:
    """Repeats packets to targets, by a thread of its own, until stopped."""

    def point(self, target: int, address: str | None) -> None:
        """Name the address, ``host:port`` in numbers, that a datagram target has from now on; None for none.

        Raise ValueError when it is no address, OSError when there is no way to it.
        """

    def route(self, points: Sequence[tuple[int, int]]) -> None:
        """Use another ring from now on: points of 32 bits and the numbers of their targets."""

    def take(self, target: int, seconds: float) -> tuple[bytes, int] | None:
        """Wait for at most `seconds` for something to write to a stream target, without the GIL; bytes and their packets.

        No bytes: nothing has come. None: nothing will come any more.
        """

    def counts(self) -> list[tuple[int, int, int, int]]:
        """Return for each target the packets and bytes that were sent, and the packets refused and dropped, since the start."""

    def lost(self) -> tuple[int, int]:
        """Return how many packets the queue had no room for, and how many lines had no target."""

    def stop(self) -> None:
        """Send what the queue holds, and take nothing more. What waits for streams can still be taken."""

@final
class Tap:
    """Copies of the lines that come in, until stopped."""

    def take(self, seconds: float) -> bytes | None:
        """Wait for at most `seconds` for lines, each with a newline after it, without the GIL.

        No bytes: nothing has come. None: nothing will come any more.
        """

    def missed(self) -> int:
        """Return how many lines there was no room for, since the start."""

    def stop(self) -> None:
        """Copy nothing more. What waits can still be taken."""

def render_lines(
    names: bytes,
    count: int,
    columns: Sequence[_Placed],
    timestamp: int,
    sanitize: bool,
) -> bytes:
    """Return a block as ``path value timestamp`` lines, each ended by a newline. Runs without the GIL.

    `names` are `count` keys joined by newlines. A column is ``(before, after, values, present)``: a path is
    ``before + name + after + tags``, `values` a buffer of float64, `present` a byte a series. With `sanitize` the name is
    cleaned as statsd does. Raise ValueError when the lengths do not fit.
    """

def render_points(
    names: bytes,
    count: int,
    columns: Sequence[_Placed],
    sanitize: bool,
) -> tuple[bytes, bytes]:
    """Return a block as paths joined by newlines, and the float64 values in the same order. Otherwise as `render_lines`."""
