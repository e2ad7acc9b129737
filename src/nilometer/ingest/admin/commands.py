"""The commands of the admin interface: one line in, one text out. Knows no socket.

Rules:

* A command is a word, then arguments, each behind one space. Upper and lower case differ. What is unknown answers ``ERROR``.
* In statsd's place every answer is statsd's, to the byte, dumps as ``util.inspect`` shows them; ``sets`` and ``delsets``, which
  statsd lacks, are of the same form. Otherwise dumps are JSON, and ``stats`` tells more.
* ``status`` is that of statsd's cluster proxy; only a relay with a ring has it.
* An answer is bounded: see `control`.

Source: statsd's ``stats.js``, ``proxy.js``, ``lib/mgmt_console.js`` and ``lib/helpers.js``.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from nilometer.core.record import Kind
from nilometer.core.show import printable
from nilometer.core.wire.inspect import MOST_ITEMS, inspect
from nilometer.core.wire.number import to_text
from nilometer.ingest.admin.control import MOST_SERIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nilometer.core.pipe import Status
    from nilometer.core.wire.inspect import Tree
    from nilometer.ingest.admin.control import Control
    from nilometer.ingest.inspection import Peeked
    from nilometer.ingest.statsd.mode import Json, StatsdMode

END = "END\n\n"
ERROR = "ERROR\n"
STATSD_HELP = "Commands: stats, counters, timers, gauges, delcounters, deltimers, delgauges, health, config, quit\n\n"
HELP = "Commands: stats, counters, timers, gauges, sets, delcounters, deltimers, delgauges, delsets, health, config, quit\n\n"
QUIT = "quit"
KINDS = {f"{kind}s": kind for kind in Kind}
SHOWN = 5
"""Names, sources and bad lines each that ``stats`` shows."""


class Commands:
    """Answers commands."""

    def __init__(self, control: Control) -> None:
        self._control = control
        plain: dict[str, Callable[[Sequence[str]], str]] = {
            "help": lambda _: self._help(),
            "stats": lambda _: self._stats(),
            "health": self._health,
            "config": lambda _: self._config(),
            "status": lambda _: self._status(),
        }
        dumps = {word: self._dumper(kind) for word, kind in KINDS.items()}
        deletions = {f"del{word}": self._deleter(kind) for word, kind in KINDS.items()}
        self._known = plain | dumps | deletions

    def answer(self, line: str) -> str | None:
        """Return the answer to one command, None for the one that ends the connection."""
        word, *arguments = line.strip().split(" ")
        if word == QUIT:
            return None
        command = self._known.get(word)
        return ERROR if command is None else command(arguments)

    def _dumper(self, kind: Kind) -> Callable[[Sequence[str]], str]:
        return lambda _: self._dump(kind)

    def _deleter(self, kind: Kind) -> Callable[[Sequence[str]], str]:
        return lambda names: self._delete(kind, names)

    def _dump(self, kind: Kind) -> str:
        control = self._control
        if control.statsd is None:
            return to_json(control.series(kind, "*", MOST_SERIES)) + "\n" + END
        peeked = control.peek(kind, MOST_SERIES)
        own = control.standing(kind)
        before, after = (own, {}) if kind is Kind.COUNTER else ({}, own)
        more = f"... {peeked.count - len(peeked.keys)} more\n" if peeked.count > len(peeked.keys) else ""
        return inspect({**before, **_tree(peeked), **after}) + "\n" + more + END

    def _delete(self, kind: Kind, names: Sequence[str]) -> str:
        lines = []
        for name in names:
            deleted = self._control.delete(kind, name)
            lines += [f"deleted: {key}\n" for key in deleted] or [f"metric {name} not found\n"]
        return "".join(lines) + END

    def _health(self, arguments: Sequence[str]) -> str:
        wanted = arguments[0].lower() if arguments else ""
        if wanted in ("up", "down"):
            self._control.set_health(healthy=wanted == "up")
        return f"health: {'up' if self._control.healthy else 'down'}\n"

    def _config(self) -> str:
        statsd = self._control.statsd
        return self._control.settings_text() + END if statsd is None else "\n" + "".join(_config(statsd.config))

    def _help(self) -> str:
        if self._control.statsd is not None:
            return STATSD_HELP
        return HELP.replace("health, ", "health, status, ") if self._rings() else HELP

    def _rings(self) -> bool:
        return self._control.statsd is None and self._control.settings().relay.mode == "ring"

    def _status(self) -> str:
        """Tell which servers are on the relay's ring."""
        if not self._rings():
            return ERROR
        nodes = "".join(f"{target.node} " for target in self._control.relay() if target.up)
        return f"uptime: {round(self._control.uptime)}\nnodes: {nodes}\n"

    def _stats(self) -> str:
        control, totals = self._control, self._control.totals()
        lines = [
            f"uptime: {round(control.uptime)}",
            f"messages.last_msg_seen: {round(totals.idle_seconds)}",
            f"messages.bad_lines_seen: {totals.bad_lines}",
        ]
        lines += self._more_stats() if control.statsd is None else self._backends(control.statsd)
        return "\n".join(lines) + "\n" + END

    def _backends(self, statsd: StatsdMode) -> Iterator[str]:
        """Yield what statsd's backends tell, in the order of its file."""
        sinks, now = self._control.sinks(), time.time()
        for name in statsd.backends:
            sink = next((sink for sink in sinks if sink.name.startswith(name)), None)
            yield from _BACKENDS[name](sink, self._control.started, now)

    def _more_stats(self) -> Iterator[str]:
        control, now, totals = self._control, time.time(), self._control.totals()
        yield from (f"messages.{field}: {getattr(totals, field)}" for field in ("packets", "lines", "bytes"))
        for sink in control.sinks():
            yield from (f"{printable(sink.name)}.{name}: {value}" for name, value in _sink(sink, now).items())
        for target in control.relay():
            shown = {"up": int(target.up), "sent": target.sent, "bytes": target.bytes, "lost": target.lost}
            yield from (f"relay.{target.name}.{name}: {value}" for name, value in shown.items())
        yield from (f"lost.{name}: {number}" for name, number in control.losses().items() if number)
        top = control.top(SHOWN)
        for name in top.names:
            yield f"top.name: {name.updates} {name.kind} {printable(name.key)}"
        for source in top.sources:
            yield f"top.source: {source.lines} {printable(source.source)}"
        for bad in top.refused:
            yield f"top.bad_line: {bad.refused} {printable(bad.source)} {bad.reason}: {printable(bad.line)}"


class Cut(Sequence["Tree"]):
    """A list of which only the beginning is at hand, as long as the whole."""

    def __init__(self, head: Sequence[Tree], length: int) -> None:
        self._head, self._length = head, length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Tree: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tree]: ...
    def __getitem__(self, index: int | slice) -> Tree | Sequence[Tree]:
        return self._head[index]

    def __iter__(self) -> Iterator[Tree]:
        return iter(self._head)


def _tree(peeked: Peeked) -> dict[str, Tree]:
    """Return the series as statsd holds them: key and value, or key and list."""
    lists: Sequence[Sequence[Tree]] = peeked.samples if peeked.kind is Kind.TIMER else peeked.members
    if peeked.kind not in (Kind.TIMER, Kind.SET):
        return dict(zip(peeked.keys, peeked.values, strict=True))
    whole = zip(peeked.keys, peeked.values, lists, strict=True)
    return {key: Cut(items[:MOST_ITEMS], int(count)) for key, count, items in whole}


def _graphite(sink: Status | None, started: float, now: float) -> Iterator[str]:
    figures = dict(sink.figures) if sink is not None else {}
    flushed = figures.get("last_flush", started)
    yield f"graphite.last_flush: {round(now) - round(flushed)}"
    yield f"graphite.last_exception: {round(now) - round(figures.get('last_exception', 0))}"
    yield f"graphite.flush_time: {round(figures.get('flush_time', 0))}"
    yield f"graphite.flush_length: {round(figures.get('flush_length', 0))}"


def _console(sink: Status | None, started: float, now: float) -> Iterator[str]:
    del now
    flushed = sink.last_success if sink is not None else None
    failed = sink.last_error_time if sink is not None else None
    yield f"console.lastFlush: {round(started if flushed is None else flushed)}"
    yield f"console.lastException: {round(started if failed is None else failed)}"


_BACKENDS = {"graphite": _graphite, "console": _console}


def _sink(sink: Status, now: float) -> dict[str, int | str]:
    """Return what ``stats`` tells about a sink; ages in seconds, ``never`` for what has not happened."""
    return {
        "last_flush": "never" if sink.last_success is None else round(now - sink.last_success),
        "last_exception": "never" if sink.last_error_time is None else round(now - sink.last_error_time),
        "written": sink.written,
        "dropped": sink.dropped,
        "spooled": sink.spool_items,
    }


def _config(config: Mapping[str, Json]) -> Iterator[str]:
    """Yield the lines of statsd's file as its ``config`` shows them: one level deep."""
    for key, value in config.items():
        if isinstance(value, dict | list):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            yield from (f"{key} > {name}: {_text(each)}\n" for name, each in inner)
        elif value is not None:
            yield f"{key}: {_text(value)}\n"


def _text(value: Json) -> str:
    """Return a value as JavaScript's ``String`` does."""
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, list):
        return ",".join("" if item is None else _text(item) for item in value)
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return value if isinstance(value, str) else to_text(value)


def to_json(value: Any) -> str:  # noqa: ANN401 whatever JSON can hold
    """Return compact JSON; a number that is not finite is null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:  # noqa: ANN401 whatever JSON can hold
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
