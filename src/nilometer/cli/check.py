"""``nilometer check``: does what a URL names work? Connects, writes one point, reads it back, says what it can do.

Rules:

* Every URL is parsed before anything is tried: a wrong one is wrong use.
* What cannot be reached is neither written nor read; the other URLs are tried all the same.
* What is written is one gauge, ``nilometer.check``, or where events alone are taken an event of that type; a listener gets an
  empty line, which counts no value.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from nilometer.backends import registry
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE, FAILED
from nilometer.cli.peer import connect, reaching
from nilometer.core import url as urls
from nilometer.core.clock import SYSTEM
from nilometer.core.errors import NilometerError, Unavailable, UnknownScheme, did_you_mean
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event, Flush, Kind, Window, block
from nilometer.ingest import listener_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.clock import Clock
    from nilometer.core.url import Url

NAME = "nilometer.check"
PATTERN = f"*{NAME}"
LISTENERS = tuple(listener_urls.OPTIONS)
REFUSAL = 0.2
"""Seconds to wait for word that nobody listens."""
READ_BACK, PAUSE = 5.0, 0.1
"""For how long, and how often, to look for the point; in seconds."""
EXAMPLES = "udp://127.0.0.1:8125 for a listener, graphite://localhost for a backend"
OK, BAD, NONE = "ok", "FAILED", "–"


@dataclass(frozen=True, slots=True)
class Step:
    """What was tried, how it ended (`OK`, `BAD`, or `NONE` when it was not tried), how long it took, what to know."""

    name: str
    outcome: str
    detail: str
    milliseconds: float | None = None


def timed(name: str, action: Callable[[], str]) -> Step:
    """Run one step; the action returns what to say about it."""
    began = time.perf_counter()
    try:
        outcome, detail = OK, action()
    except NilometerError as error:
        outcome, detail = BAD, str(error)
    return Step(name, outcome, detail, (time.perf_counter() - began) * 1000)


def listener_steps(url: Url) -> Iterator[Step]:
    """Try a listener."""
    yield timed("listens", lambda: _probe(url))


def _probe(url: Url) -> str:
    peer = connect(url)
    try:
        with reaching(url):
            peer.send(b"\n")
            refused = peer.refused(REFUSAL)
    finally:
        with reaching(url):
            peer.close()
    if refused:
        message = f"{url}: nothing listens there; start a server with: nilometer serve"
        raise Unavailable(message)
    if url.scheme == listener_urls.UDP:
        return "an empty datagram was not refused; UDP gives no better answer"
    return "connected and sent an empty line"


def backend_steps(url: Url, *, write: bool, clock: Clock = SYSTEM) -> Iterator[Step]:
    """Try a backend: connect, write, read. When it cannot be reached, the rest is not tried."""
    abilities = registry.capabilities(url.scheme)
    yield Step("can", OK, ", ".join(abilities))
    connected = timed("connect", lambda: _connect(url))
    yield connected
    flush = probe(clock.time())
    reason = "" if connected.outcome == OK else "not tried"
    if registry.METRICS not in abilities and registry.EVENTS in abilities:
        yield from _event_steps(url, "" if write else "not asked for", reason)
        return
    written = _step("write", registry.METRICS, url, "" if write else "not asked for", reason, action=lambda: _write(url, flush))
    yield written
    if registry.CONFIRM in abilities and registry.SERIES not in abilities:
        unwritten = "" if written.outcome == OK else "nothing was written"
        yield _step("read", registry.CONFIRM, url, reason, unwritten, action=lambda: _confirm(url, flush))
        return
    read = (lambda: read_back(url, flush, clock)) if written.outcome == OK else (lambda: _read(url))
    yield _step("read", registry.SERIES, url, reason, action=read)


def _event_steps(url: Url, *reasons: str) -> Iterator[Step]:
    """Try what takes events and no metrics: write one, and read it back where it can."""
    event = Event(str(uuid.uuid4()), time.time(), NAME, priority="debug")
    written = _step("write", registry.EVENTS, url, *reasons, action=lambda: _write_event(url, event))
    yield written
    missing = "" if written.outcome == OK else next(filter(None, reasons), "nothing was written")
    yield _step("read", registry.EVENT_STORE, url, missing, action=lambda: _read_event(url, event))


def _write_event(url: Url, event: Event) -> str:
    sink = registry.open(url, registry.EVENTS)
    try:
        sink.write_events([event])
    finally:
        sink.close()
    return f"one event, {NAME}"


def _read_event(url: Url, event: Event) -> str:
    store = registry.open(url, registry.EVENT_STORE)
    try:
        found = store.find_events(EventQuery(id=event.id)).events
    finally:
        store.close()
    if found != [event]:
        message = f"{url}: the event did not come back"
        raise Unavailable(message)
    return f"{event.type} came back"


def _step(name: str, ability: str, url: Url, *reasons: str, action: Callable[[], str]) -> Step:
    """Take a step, unless the backend lacks the ability or there is another reason not to."""
    lacks = "" if ability in registry.capabilities(url.scheme) else f"{url.scheme}:// has no {ability}"
    reason = next(filter(None, (lacks, *reasons)), "")
    return Step(name, NONE, reason) if reason else timed(name, action)


def probe(now: float) -> Flush:
    """Return a flush of one gauge whose value tells it from every other."""
    end = float(int(now))
    return Flush(Window(end - 1, end, 1.0), (block(Kind.GAUGE, {"value": [now]}, [NAME]),))


def _connect(url: Url) -> str:
    backend = registry.open(url, registry.HEALTH)
    try:
        return backend.check()
    finally:
        backend.close()


def _write(url: Url, flush: Flush) -> str:
    sink = registry.open(url, registry.METRICS)
    try:
        sink.write(flush)
    finally:
        sink.close()
    return f"one gauge, {NAME}"


def _confirm(url: Url, flush: Flush) -> str:
    backend = registry.open(url, registry.CONFIRM)
    try:
        return backend.confirm(flush)
    finally:
        backend.close()


def _read(url: Url) -> str:
    reader = registry.open(url, registry.SERIES)
    try:
        paths = reader.find(limit=1)
    finally:
        reader.close()
    return f"holds series, such as {paths[0]}" if paths else "holds no series"


def read_back(url: Url, flush: Flush, clock: Clock) -> str:
    """Wait until the point that was written can be read. Raise `Unavailable` when it cannot in time."""
    wanted = flush.blocks[0].columns[0].values[0]
    at = flush.window.end
    reader = registry.open(url, registry.SERIES)
    deadline = clock.monotonic() + READ_BACK
    try:
        while True:
            for series in reader.read(reader.find(PATTERN), at, at):
                if wanted in series.values:
                    return f"{series.path} came back"
            if clock.monotonic() >= deadline:
                message = f"{url}: the point did not come back within {READ_BACK:g} s"
                raise Unavailable(message)
            clock.wait(threading.Event(), PAUSE)
    finally:
        reader.close()


def parsed(text: str) -> Url:
    """Parse a URL of a backend or a listener, its options too. Raise `UrlError`."""
    url = urls.parse(text)
    if url.scheme in LISTENERS:
        listener_urls.check(url, sending=True)
    elif url.scheme in registry.TABLE:
        registry.open(url, registry.capabilities(url.scheme)[0]).close()
    else:
        known = (*LISTENERS, *registry.TABLE)
        hint = did_you_mean(url.scheme, known) or f"; write {EXAMPLES}"
        message = f"{url}: nothing answers to {url.scheme}://{hint}; known are {', '.join(known)}"
        raise UnknownScheme(message)
    return url


def _show(step: Step) -> None:
    colour = {OK: "green", BAD: "red"}.get(step.outcome)
    outcome = click.style(f"{step.outcome:<6}", fg=colour)
    took = "" if step.milliseconds is None else f"{step.milliseconds:.1f} ms"
    click.echo(f"  {step.name:<9}  {outcome}  {took:>10}  {step.detail}")


@click.command(
    cls=Command,
    examples=[
        Example("Is Graphite there, and does it take points", "nilometer check graphite://localhost"),
        Example("Does a server listen here", "nilometer check udp://127.0.0.1:8125 tcp://127.0.0.1:8125"),
        Example(
            "The store of a server that runs, which alone may write it", "nilometer check --no-write sqlite:///nilometer.db"
        ),
    ],
    exits={0: "everything works", 1: "something failed", 2: "wrong use, or a wrong URL: nothing was tried"},
)
@click.option(
    "--write/--no-write", default=True, show_default=True, help=f"Write a gauge or an event named {NAME}, and read it back."
)
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
def command(urls: tuple[str, ...], *, write: bool) -> int:
    """Try a URL: connect, write, read back.

    A URL of a backend, such as graphite://localhost, is connected to; one gauge, or one event where it takes no metrics, is
    written and, where the backend can, read back. A URL of a listener, such as udp://127.0.0.1:8125, gets an empty line.
    """
    failed = False
    for url in [parsed(text) for text in urls]:
        click.echo(click.style(str(url), bold=True))
        for step in listener_steps(url) if url.scheme in LISTENERS else backend_steps(url, write=write):
            _show(step)
            failed = failed or step.outcome == BAD
    return FAILED if failed else DONE
