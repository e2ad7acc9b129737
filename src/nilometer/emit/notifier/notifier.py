"""The notifier: what an application makes and calls.

Rules:

* Nothing raises for what is emitted or for the state of the other side, and nothing waits. Only a wrong URL or option raises,
  when the notifier is made.
* What is emitted is copied at once, its secrets masked, for every driver alike.
* What is dropped is counted by reason (`losses`).
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
import weakref
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from nilometer.core.event_types import SERVICE, Registry
from nilometer.core.record import Event
from nilometer.core.wire.event import priority_of
from nilometer.emit import lifetime
from nilometer.emit.client.losses import Losses
from nilometer.emit.notifier import routing as routes
from nilometer.emit.notifier.activity import Activity, Subject
from nilometer.emit.notifier.driver import Driver
from nilometer.emit.notifier.fields import Given, fields, short
from nilometer.emit.notifier.losses import OWN, REASONS
from nilometer.emit.notifier.plain import Plain
from nilometer.emit.notifier.secrets import is_secret
from nilometer.emit.notifier.switches import Switch, Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.emit.emitter import Emitter
    from nilometer.emit.tasks import Tasks

LOG = logging.getLogger(__name__)
ENVIRONMENT = "NILOMETER_EVENTS"
"""The variable that holds the URLs, between spaces, of notifiers that are made without one."""
USUAL = "log:"
DEADLINE = 2.0
"""Seconds that the end of the program may take for what still waits."""
PATIENCE, PAUSE = 1.0, 0.002
REMEMBERED = 4096
"""Pairs of name and priority whose plans are kept."""
INFO = "info"
MIDDLE, VERSION = ~(0xF << 76 | 0x3 << 62), 4 << 76 | 2 << 62
"""The bits of an id that tell its version and variant (RFC 9562), and what they are."""


class Plan(NamedTuple):
    """What becomes of events of one name and priority."""

    type: str
    priority: str
    drivers: tuple[Driver, ...]
    refused: bool


class Notifier:
    """Emits usage events.

    ``urls``: a driver each, with the options of its backend and those of `options` behind ``?``. Without one those in
    ``$NILOMETER_EVENTS``, else ``log:``. ``publisher``: ``service.host``; without a dot the host is added.
    ``types``: the registry of event types; else that of a table service, named for the publisher's service.
    ``routing``: which driver gets what, a mapping or a file (see `routing`). ``spool``: the directory of all drivers' spools.
    ``unknown``: ``allow`` or ``refuse`` types that the registry lacks. ``secrets``: a regular expression for the keys to mask
    in place of the usual words. ``statsd``: a client that activities send their times to. ``disable``: globs of types to begin
    without. Raises `ConfigError`, and ValueError for a wrong expression.
    """

    def __init__(  # noqa: PLR0913 named options, each with a default
        self,
        *urls: str,
        publisher: str = "",
        types: Registry | None = None,
        routing: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        spool: str | os.PathLike[str] = "",
        unknown: str = "allow",
        secrets: str = "",
        statsd: Emitter | None = None,
        enabled: bool = True,
        disable: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        if unknown not in ("allow", "refuse"):
            message = f"unknown: {unknown!r} is neither allow nor refuse"
            raise ValueError(message)
        self.enabled = enabled
        self.types = types or Registry(publisher.partition(".")[0] or SERVICE)
        self.publisher = _publisher(publisher, self.types.service)
        self._refuse, self._clock = unknown == "refuse", clock
        self._plain = Plain(_secret(secrets))
        self._losses = Losses(OWN)
        self._drivers = [Driver(url, self.types, os.fspath(spool)) for url in urls or _from_environment()]
        self._routing = None if routing is None else routes.read(routing, [driver.name for driver in self._drivers])
        self._switches = Switches()
        self._plans: dict[tuple[str, str | None], Plan] = {}
        self._tasks = _tasks(statsd)
        for glob in disable:
            self.disable(glob)
        self._end = weakref.finalize(self, _close, self._drivers, DEADLINE)
        lifetime.follow(self)

    def emit(  # noqa: PLR0913 the fields of an event
        self,
        event_type: str,
        payload: object = None,
        *,
        priority: str | None = None,
        tenant: str = "",
        user: str = "",
        context: object = None,
        more: Mapping[str, object] | None = None,
    ) -> str:
        """Emit an event and return its id, empty where it goes nowhere.

        ``payload``: a mapping, or a dataclass of `core.event_types`; the fields in ``more`` are added to it. ``priority``: else
        that of the registry. ``tenant`` and ``user`` go into the payload, too, as ``tenant_id`` and ``user_id``. ``context``:
        the request, a mapping or an object with ``to_dict``.
        """
        try:
            return self._emit(str(event_type), priority, Given(payload, more, tenant, user, context))
        except Exception:  # noqa: BLE001 nothing reaches the application
            self._losses.count("error")
            return ""

    def audit(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event for the books. Arguments and answer of all priorities are those of `emit`."""
        return self.emit(event_type, payload, **{**more, "priority": "audit"})

    def debug(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event for those who look closely."""
        return self.emit(event_type, payload, **{**more, "priority": "debug"})

    def info(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event of the usual kind."""
        return self.emit(event_type, payload, **{**more, "priority": INFO})

    def warn(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event that may mean trouble."""
        return self.emit(event_type, payload, **{**more, "priority": "warn"})

    warning = warn

    def error(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event about what failed."""
        return self.emit(event_type, payload, **{**more, "priority": "error"})

    def critical(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event about what failed and stops the service."""
        return self.emit(event_type, payload, **{**more, "priority": "critical"})

    def sample(self, event_type: str, payload: object = None, **more: Any) -> str:  # noqa: ANN401 those of `emit`
        """Emit an event that is a measurement."""
        return self.emit(event_type, payload, **{**more, "priority": "sample"})

    def activity(  # noqa: PLR0913 the fields of its events
        self,
        name: str,
        payload: object = None,
        *,
        short: bool = False,
        priority: str | None = None,
        tenant: str = "",
        user: str = "",
        context: object = None,
    ) -> Activity:
        """Return an activity: ``with`` and ``async with`` it, or decorate a function. ``short``: one event, at its end."""
        return Activity(self, Subject(name, payload, short, priority, tenant, user, context))

    def enable(self, events: str = "*", priority: str = "*") -> None:
        """Let events out whose type and priority fit two globs; of several switches that fit the last one counts."""
        self._throw(events, priority, on=True)

    def disable(self, events: str = "*", priority: str = "*") -> None:
        """Keep such events in: they are not counted as lost."""
        self._throw(events, priority, on=False)

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Wait until everything was delivered, for at most so many seconds. Return whether it was."""
        return _delivered(self._drivers, monotonic() + seconds)

    def close(self, deadline_seconds: float = DEADLINE) -> None:
        """Deliver what can be delivered within so many seconds, and stop. May be called twice."""
        if self._end.detach() is not None:
            _close(self._drivers, deadline_seconds)

    def losses(self) -> dict[str, int]:
        """Return how many events were dropped, by reason (`nilometer.emit.notifier.losses`); each driver counts its own."""
        found = dict.fromkeys(REASONS, 0) | self._losses.totals()
        for driver in self._drivers:
            for reason, count in driver.losses().items():
                found[reason] += count
        return found

    def took(self, name: str, seconds: float, *, error: bool) -> None:
        """Send what an activity took, where there is a client for that."""
        if self._tasks is not None:
            self._tasks.done(self.types.whole(name), seconds, error=error)

    def forked(self) -> None:
        """Begin anew in a child: what the parent lost, the parent tells."""
        self._losses.forked()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _throw(self, events: str, priority: str, *, on: bool) -> None:
        self._switches.throw(Switch(events, priority), on=on)
        self._plans = {}

    def _emit(self, name: str, priority: str | None, given: Given) -> str:
        if not self.enabled:
            return ""
        plan = self._plans.get((name, priority)) or self._plan(name, priority)
        if plan.refused or not self._end.alive:
            self._losses.count("unknown" if plan.refused else "closed")
            return ""
        if not plan.drivers:
            return ""
        tenant, payload, context = fields(self._plain, given)
        event = Event(_id(), self._clock(), plan.type, self.publisher, plan.priority, tenant, payload, context)
        for driver in plan.drivers:
            driver.put(event)
        return event.id

    def _plan(self, name: str, priority: str | None) -> Plan:
        """Find out what becomes of events of a name and a priority, and keep it while there is room."""
        type_ = short(self.types.whole(name)) or "unnamed"
        known = self.types.find(type_)
        chosen = priority_of(priority or (known.priority if known else INFO)) or INFO
        drivers: tuple[Driver, ...] = ()
        if self._switches.on(type_, chosen, usual=known is None or known.enabled):
            named = known.drivers if known else ()
            drivers = tuple(each for each in self._drivers if self._accepts(each, named, type_, chosen))
        plan = Plan(type_, chosen, drivers, refused=known is None and self._refuse)
        if len(self._plans) < REMEMBERED:
            self._plans[name, priority] = plan
        return plan

    def _accepts(self, driver: Driver, named: Sequence[str], type_: str, priority: str) -> bool:
        if (named and driver.name not in named) or not driver.rule.accepts(type_, priority):
            return False
        return self._routing is None or any(rule.accepts(type_, priority) for rule in self._routing[driver.name])


def _id() -> str:
    """Return a random UUID (version 4), made without its class, which costs more."""
    raw = f"{int.from_bytes(os.urandom(16), 'big') & MIDDLE | VERSION:032x}"
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def _publisher(given: str, service: str) -> str:
    name, dot, host = given.partition(".")
    return short(given if dot and host else f"{name or service.strip('*') or 'nilometer'}.{socket.gethostname()}")


def _from_environment() -> list[str]:
    return os.environ.get(ENVIRONMENT, "").split() or [USUAL]


def _secret(pattern: str) -> Callable[[str], bool]:
    if not pattern:
        return is_secret
    try:
        found = re.compile(pattern)
    except re.error as error:
        message = f"secrets: {pattern!r} is no regular expression: {error}"
        raise ValueError(message) from error
    return lambda key: found.search(key) is not None


def _tasks(statsd: Emitter | None) -> Tasks | None:
    from nilometer.emit.tasks import Tasks  # noqa: PLC0415 tasks may be given a notifier, too

    return None if statsd is None else Tasks(statsd)


def _delivered(drivers: Sequence[Driver], end: float) -> bool:
    while not (done := all(driver.idle for driver in drivers)) and monotonic() < end:
        sleep(PAUSE)
    return done


def _close(drivers: Sequence[Driver], deadline: float) -> None:
    """Close all drivers within the deadline: first they work side by side, then each gets its share of what is left."""
    end = monotonic() + deadline
    _delivered(drivers, monotonic() + deadline / 2)
    for left, driver in enumerate(reversed(drivers)):
        driver.close(max((end - monotonic()) / (len(drivers) - left), 0.0))
