"""Measurements to lines: what is sent of a request, under which names, how often.

Rules:

* A request is drawn once; all its lines carry the rate that it was drawn with, so that sums and counts come out right.
* Nothing is raised: a fault of ours, of the client or of a user's function is counted, and logged the first time.
* Only counters and times in milliseconds, one value a line: every StatsD server takes them.
"""

from __future__ import annotations

import logging
from importlib import import_module
from random import random
from typing import TYPE_CHECKING, cast

from nilometer.core.bounded import Bounded
from nilometer.emit.requests import endpoints, names, spans
from nilometer.emit.requests.backlog import Backlog
from nilometer.emit.requests.endpoints import UNMATCHED, clean, known_method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.emit.emitter import Emitter
    from nilometer.emit.requests.endpoints import Finder
    from nilometer.emit.requests.measure import Exchange
    from nilometer.emit.requests.names import Lines, Series
    from nilometer.emit.requests.options import Naming, Options, Subject

LOG = logging.getLogger(__name__)
ERROR, FAILURE = 400, 500
Value = tuple[str, "Lines", float]
"""Kind, names and tags, value."""


class Reporter:
    """What a middleware tells of a request that is over. Any thread may report.

    `find` asks the framework for the endpoint of a request that no hook and no function of the user's has named.
    """

    def __init__(self, options: Options, find: Finder) -> None:
        self.options = options
        self.client: Emitter = _open(options.client) if isinstance(options.client, str) else options.client
        self._emit = self.client.emit
        self._backlog = Backlog(options, self.client, self.fault) if options.backlog else None
        self._find = find
        self._names = names.Names(options, clean(options.node()[0]))
        self._tenant = Bounded(options.max_tenants, clean)
        self._by_tenant = options.tenant is not None and not options.groups.isdisjoint({"tenant", "endpoint_tenant"})
        self._paths = frozenset(path for path in options.exclude if path.startswith("/"))
        named = options.exclude - self._paths
        self._endpoint = Bounded(options.max_endpoints, clean, given=named | options.rates.keys())
        self._excluded = frozenset(map(clean, named))
        self._rates = {clean(name): rate for name, rate in options.rates.items()}
        self._early = not (options.rates or options.exempt)
        self._losses: dict[str, int] = {}
        measures = options.measures
        self._receive, self._send, self._bytes = "receive" in measures, "send" in measures, "bytes" in measures
        self._processing, self._wait = "processing" in measures, "wait" in measures

    @property
    def waits(self) -> bool:
        """Whether the time before a request was entered is wanted."""
        return self._wait

    def wanted(self, path: str) -> bool:
        """Tell whether to measure a request at all: its path is not excluded and, where that can be known now, it is drawn."""
        if self._backlog is not None:
            self._backlog.ensure()
        if self._paths and path in self._paths:
            return False
        return not self._early or self.options.rate >= 1 or random() < self.options.rate  # noqa: S311 a sample

    def losses(self) -> Mapping[str, int]:
        """Return how many requests were not told of, or not wholly, by reason."""
        return dict(self._losses)

    def fault(self, reason: str, error: BaseException) -> None:
        """Count what went wrong here; log it the first time."""
        self._losses[reason] = self._losses.get(reason, 0) + 1
        if self._losses[reason] == 1:
            LOG.warning("request metrics: %s failed, and is counted from now on: %r", reason, error)

    def flush(self) -> None:
        """Have the client send what it holds, where it can: the process is about to end. Never raises."""
        flush = getattr(self.client, "flush", None)
        try:
            if flush is not None:
                flush()
        except Exception as error:  # noqa: BLE001 nothing of ours reaches the application
            self.fault("flush", error)

    def locate(self, exchange: Exchange, subject: Subject) -> None:
        """Ask the framework, once, for what no hook has told; before the end, where the framework forgets by then."""
        if exchange.located:
            return
        exchange.located = True
        if exchange.endpoint is None or (self._by_tenant and not exchange.parameters):
            found = self._find(subject)
            if found is not None:
                exchange.endpoint = exchange.endpoint or found.name
                exchange.parameters = exchange.parameters or found.parameters

    def report(self, exchange: Exchange, subject: Subject) -> None:
        """Send the lines of a request that is over. Never raises."""
        try:
            self._report(exchange, subject)
        except Exception as error:  # noqa: BLE001 nothing of ours reaches the application
            self.fault("report", error)

    def _report(self, exchange: Exchange, subject: Subject) -> None:
        name = self._name(exchange, subject)
        status = exchange.outcome
        rate = self._rate(name, status)
        if exchange.span is not None:
            spans.ended(exchange.span, exchange, name, status, sent=name not in self._excluded)
        if name in self._excluded or not rate:
            return
        exchange.judge(self.options.receive_timeout, self.options.send_timeout)
        method = known_method(exchange.method) if self.options.method else ""
        tenant = self._tenant_of(exchange, subject) if self._by_tenant else ""
        series = self._names.series(method, name, tenant)
        emit = self._emit
        for kind, (stats, tags), value in self._values(exchange, series, status):
            for stat in stats:
                emit(kind, stat, value, rate, tags)

    def _values(self, exchange: Exchange, series: Series, status: int) -> list[Value]:
        """Return what is sent of a request."""
        plain = series.plain
        latency = round(exchange.latency * 1000, 3)
        values: list[Value] = [("ms", series.timing(status), latency)]
        if status >= ERROR:
            values += [("ms", series.error(status), latency), ("c", plain["failures" if status >= FAILURE else "errors"], 1)]
            if exchange.exception and status >= FAILURE:
                values.append(("c", plain["exceptions"], 1))
        if self._processing:
            _processing(exchange, plain, values)
        if self._receive:
            _receive(exchange, plain, values)
        if self._send:
            _send(exchange, plain, values)
        if self._bytes and exchange.receive_bytes:
            values.append(("c", plain["size_bytes"], exchange.receive_bytes))
        if self._bytes and exchange.send_bytes:
            values.append(("c", plain["resp_size_bytes"], exchange.send_bytes))
        if self._wait and exchange.queued is not None:
            values.append(("ms", plain["wait_timing"], round(exchange.queued * 1000, 3)))
        return values

    def _name(self, exchange: Exchange, subject: Subject) -> str:
        """Return the endpoint's name, from the user's function, a hook, or the framework."""
        name = None if self.options.endpoint is None else self._ask("endpoint", self.options.endpoint, exchange, subject)
        if not exchange.located:
            self.locate(exchange, subject)
        name = name or exchange.endpoint
        return UNMATCHED if name is None else self._endpoint(name)

    def _tenant_of(self, exchange: Exchange, subject: Subject) -> str:
        """Return the tenant's name, empty without one."""
        tenant = self._ask("tenant", self.options.tenant, exchange, subject)
        return self._tenant(tenant) if tenant else ""

    def _ask(self, what: str, function: Naming | None, exchange: Exchange, subject: Subject) -> str | None:
        """Return what a function of the user's says, which finds the request in `endpoints.current`."""
        if function is None:
            return None
        token = endpoints.current.set(exchange)
        try:
            answer = function(subject)
            return answer if answer is None else str(answer)
        except Exception as error:  # noqa: BLE001 it is the user's
            self.fault(what, error)
            return None
        finally:
            endpoints.current.reset(token)

    def _rate(self, name: str, status: int) -> float:
        """Return the rate that the request was drawn with, 0 when it was not drawn."""
        if self._early:
            return self.options.rate
        if status >= ERROR and ("failures" if status >= FAILURE else "errors") in self.options.exempt:
            return 1.0
        rate = self._rates.get(name, self.options.rate)
        return rate if rate >= 1 or random() < rate else 0.0  # noqa: S311 a sample


def _processing(exchange: Exchange, plain: Mapping[str, Lines], values: list[Value]) -> None:
    values.append(("ms", plain["processing_timing"], round(exchange.request_processing * 1000, 3)))
    response, dispatch = exchange.response_processing, exchange.dispatch
    if response is not None:
        values.append(("ms", plain["resp_processing_timing"], round(response * 1000, 3)))
    if dispatch is not None:
        values.append(("ms", plain["dispatch_timing"], round(dispatch * 1000, 3)))


def _receive(exchange: Exchange, plain: Mapping[str, Lines], values: list[Value]) -> None:
    error, timeout = exchange.receive_error, exchange.receive_timeout
    if exchange.receive_bytes or error or timeout:
        values.append(("ms", plain["receive_timing"], round(exchange.receive_seconds * 1000, 3)))
    if error:
        values.append(("c", plain["receive_errors"], 1))
    if timeout:
        values.append(("c", plain["receive_timeouts"], 1))


def _send(exchange: Exchange, plain: Mapping[str, Lines], values: list[Value]) -> None:
    if exchange.started_at is not None:
        values.append(("ms", plain["send_timing"], round(exchange.send_seconds * 1000, 3)))
    if exchange.send_error:
        values.append(("c", plain["send_errors"], 1))
    if exchange.send_timeout:
        values.append(("c", plain["send_timeouts"], 1))


def _open(url: str) -> Emitter:
    """Return a client. Raise what the client raises for a wrong URL, at the start of the application."""
    return cast("Emitter", import_module("nilometer").StatsD(url))
