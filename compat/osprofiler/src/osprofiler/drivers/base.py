"""The driver of a connection string: any URL of Nilometer that takes spans, under the names that OSProfiler has for them.

Rules:

* `notify` never waits for the backend: it hands over to a bounded queue (`osprofiler._delivery`).
* Stores are written in OSProfiler's own layout where there is one, so that the original reads them.
* A class derived from `Driver` that has a `get_name` of its own is found by it, as in the original.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.errors import CapabilityError, UrlError
from nilometer.core.traces import ids
from nilometer.core.traces.query import TraceQuery
from nilometer.core.wire import osprofiler as wire
from nilometer.traces import osprofiler as reports
from osprofiler._delivery import Delivery
from osprofiler.drivers.urls import GONE, known_as
from osprofiler.exc import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from nilometer.core.capability import TraceStore
    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary

LOG = logging.getLogger(__name__)
PAGE = 1000
"""Traces asked for at a time."""


def get_driver(connection_string: str, *args: Any, **kwargs: Any) -> Driver:
    """Return the driver of a connection string. Raise ValueError where there is none, `CommandError` where there was one."""
    whole = connection_string if "://" in connection_string else f"{connection_string}://"
    scheme = whole.partition("://")[0].lower()
    for other in _derived(Driver):
        if other is not Store and other.get_name() == scheme:
            return other(whole, *args, **kwargs)
    if scheme in GONE:
        raise CommandError(GONE[scheme])
    return Store(whole, *args, **kwargs)


def _derived(cls: type[Driver]) -> Iterator[type[Driver]]:
    for other in cls.__subclasses__():
        yield from _derived(other)
        yield other


def masked(connection_string: str) -> str:
    """Return a connection string without its password."""
    try:
        return str(urls.parse(connection_string))
    except UrlError:
        return connection_string.partition("://")[0] + "://…"


class Driver:
    """What every driver has. A driver of one's own derives from it."""

    default_trace_fields = frozenset(("base_id", "timestamp"))

    def __init__(
        self,
        connection_str: str,
        project: str | None = None,
        service: str | None = None,
        host: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.connection_str, self.project, self.service, self.host = connection_str, project, service, host
        conf = kwargs.get("conf")
        self.filter_error_trace = bool(getattr(getattr(conf, "profiler", None), "filter_error_trace", False))
        self._documents: list[dict[str, Any]] = []

    def notify(self, info: dict[str, Any], **kwargs: Any) -> None:
        """Take one notification."""
        raise NotImplementedError(self._lacks("notify"))

    def get_report(self, base_id: str) -> dict[str, Any]:
        """Return the tree of a trace."""
        raise NotImplementedError(self._lacks("get_report"))

    def read(self, base_id: str) -> list[Span]:
        """Return the spans of a trace, in order of start."""
        return reports.spans(self.get_report(base_id))

    def list_traces(self, fields: set[str] | None = None) -> list[dict[str, Any]]:
        """Return the traces, of each these fields."""
        raise NotImplementedError(self._lacks("list_traces"))

    def list_error_traces(self) -> list[dict[str, Any]]:
        """Return the traces with an error."""
        raise NotImplementedError(self._lacks("list_error_traces"))

    @classmethod
    def get_name(cls) -> str:
        """Return the scheme of its connection strings."""
        return cls.__name__

    def _lacks(self, method: str) -> str:
        return f"{self.get_name()}: {method} is not supported"

    def _append_results(
        self,
        trace_id: str,
        parent_id: str,
        name: str,
        project: str | None,
        service: str | None,
        host: str | None,
        timestamp: str,
        raw_payload: dict[str, Any] | None = None,
    ) -> None:
        """Take one notification that a driver of one's own has read."""
        document = {"base_id": "-", "trace_id": trace_id, "parent_id": parent_id, "name": name, "timestamp": timestamp}
        given = {**(raw_payload or {}), **document, "project": project, "service": service}
        given["info"] = {"host": host, **(given.get("info") or {})}
        self._documents.append(given)

    def _parse_results(self) -> dict[str, Any]:
        """Return the tree of the notifications that were taken, and forget them."""
        documents, self._documents = self._documents, []
        return reports.report(wire.spans(documents).spans)


class Store(Driver):
    """Any URL of Nilometer."""

    def __init__(
        self,
        connection_str: str,
        project: str | None = None,
        service: str | None = None,
        host: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(connection_str, project, service, host, **kwargs)
        self._name = connection_str.partition("://")[0]
        self._url = known_as(connection_str, kwargs)
        try:
            registry.check(self._url, registry.SPANS)
        except UrlError as error:
            message = f"Driver not found for connection string: {masked(connection_str)}"
            raise ValueError(message) from error
        self._delivery: Delivery | None = None

    def notify(self, info: dict[str, Any], **kwargs: Any) -> None:
        """Take one notification; it is delivered some time soon."""
        del kwargs
        if self._delivery is None:
            self._delivery = Delivery.of(self._url)
        self._delivery.put({**info, "project": self.project, "service": self.service})

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was taken is delivered, for `timeout` seconds at most. Return whether it is."""
        return self._delivery is None or self._delivery.flush(timeout)

    def get_report(self, base_id: str) -> dict[str, Any]:
        """Return the tree of a trace; that of nothing for an unknown one."""
        return reports.report(self.read(base_id))

    def read(self, base_id: str) -> list[Span]:
        """Return the spans of a trace, in order of start."""
        with _opened(self._url, self._lacks("get_report")) as store:
            return store.read_trace(base_id)

    def list_traces(self, fields: set[str] | None = None) -> list[dict[str, Any]]:
        """Return the traces, newest first, of each `base_id` and `timestamp`, and what else is asked for where it is known."""
        return [_row(trace, fields or self.default_trace_fields) for trace in self._traces(TraceQuery())]

    def list_error_traces(self) -> list[dict[str, Any]]:
        """Return the traces with an error."""
        return [_row(trace, self.default_trace_fields) for trace in self._traces(TraceQuery(error=True))]

    def _traces(self, query: TraceQuery) -> Iterator[Summary]:
        with _opened(self._url, self._lacks("list_traces")) as store:
            cursor = ""
            while True:
                found, cursor = store.find_traces(query, PAGE, cursor)
                yield from found
                if not cursor:
                    return

    def _lacks(self, method: str) -> str:
        return f"{self._name}: {method}: this backend only takes traces, it cannot be read"


@contextlib.contextmanager
def _opened(url: str, lacking: str) -> Iterator[TraceStore]:
    """Open a store, and close it in the end. Raise NotImplementedError for a backend that cannot be read."""
    try:
        store = registry.open(url, registry.TRACES)
    except CapabilityError as error:
        raise NotImplementedError(lacking) from error
    try:
        yield store
    finally:
        store.close()


def _row(trace: Summary, fields: AbstractSet[str]) -> dict[str, Any]:
    known = {
        "base_id": ids.uuid(trace.trace),
        "timestamp": wire.timestamp(trace.start),
        "name": trace.name,
        "project": trace.project,
        "service": trace.service,
    }
    return {name: value for name, value in known.items() if name in fields}
