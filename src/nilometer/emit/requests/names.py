"""The metrics of requests, and the names of their series in both styles.

Rules:

* `METRICS` is the whole list; the documentation's table is compared with it.
* ``magnetodb``: ``[HOST.]mdb.req.METRIC[.ENDPOINT][.TENANT]``, a series for each group. ``tagged``: ``request.METRIC`` with
  tags, one series for all groups together. The status stands in the name of ``timing.error.STATUS``, or in a tag of ``timing``.
* Names come in cleaned and bounded (`endpoints`). What is made of them is kept, so that a request makes no text.

Source of the names ``timing``, ``timing.error.STATUS``, ``size_bytes``, ``resp_size_bytes``, and of where endpoint and tenant
stand: MagnetoDB's specification of request metrics. The others continue them.
"""

from __future__ import annotations

from typing import NamedTuple

from nilometer.emit.requests.options import Options  # noqa: TC001 a small module, and a part of what this one says

Tags = tuple[tuple[str, str], ...]
Lines = tuple[tuple[str, ...], Tags]
"""The names that one value is sent under, and the tags of all."""
SERIES_KEPT = 4096
LOWEST_STATUS, HIGHEST_STATUS = 100, 599


class Metric(NamedTuple):
    """A metric: its kind is ``c`` or ``ms``, `measure` the switch that it hangs on (empty: always on)."""

    name: str
    kind: str
    measure: str
    unit: str
    when: str


METRICS = (
    Metric("timing", "ms", "", "milliseconds", "every request: from its arrival to the last byte of the response"),
    Metric("timing.error.STATUS", "ms", "", "milliseconds", "requests answered with 400 or above, once more by status"),
    Metric("errors", "c", "", "requests", "requests answered with 4xx, or whose client left before an answer (499)"),
    Metric("failures", "c", "", "requests", "requests answered with 5xx, or that ended in an exception"),
    Metric("exceptions", "c", "", "requests", "requests that ended in an exception, before the response or within its body"),
    Metric("receive_timing", "ms", "receive", "milliseconds", "requests with a body: waiting for it"),
    Metric("receive_errors", "c", "receive", "requests", "the body was cut off or could not be read"),
    Metric("receive_timeouts", "c", "receive", "requests", "the server gave up, or one wait was longer than `receive_timeout`"),
    Metric("size_bytes", "c", "bytes", "bytes", "requests with a body: what was read of it"),
    Metric("send_timing", "ms", "send", "milliseconds", "every response: waiting for the server to send its body"),
    Metric("send_errors", "c", "send", "requests", "the client left before the end of the response"),
    Metric("send_timeouts", "c", "send", "requests", "the server gave up, or one wait was longer than `send_timeout`"),
    Metric("resp_size_bytes", "c", "bytes", "bytes", "responses with a body: what was given to the server of it"),
    Metric("processing_timing", "ms", "processing", "milliseconds", "every request: the application until it began to answer"),
    Metric("resp_processing_timing", "ms", "processing", "milliseconds", "every response: the application from then on"),
    Metric("dispatch_timing", "ms", "processing", "milliseconds", "with a hook: from the arrival to the endpoint's first line"),
    Metric(
        "wait_timing", "ms", "wait", "milliseconds", "where it can be known: in queues before the application got the request"
    ),
)
"""Every metric of a request, in the order of the documentation."""

PLAIN = tuple(metric.name for metric in METRICS if not metric.name.startswith("timing"))


class Series:
    """The lines of one endpoint, tenant and method: by metric in `plain`, by status from `timing` and `error`."""

    __slots__ = ("_errors", "_head", "_status_tag", "_tags", "_tails", "_timings", "plain")

    def __init__(self, head: str, tails: tuple[str, ...], tags: Tags, *, status_tag: bool) -> None:
        self._head, self._tails, self._tags, self._status_tag = head, tails, tags, status_tag
        self.plain: dict[str, Lines] = {name: self._lines(name) for name in PLAIN}
        self._timings: dict[int, Lines] = {}
        self._errors: dict[int, Lines] = {}

    def timing(self, status: int) -> Lines:
        """Return the lines of the latency."""
        found = self._timings.get(status)
        if found is None:
            tags = (*self._tags, ("status", _status(status))) if self._status_tag else self._tags
            found = self._timings[status] = (self._lines("timing")[0], tags)
        return found

    def error(self, status: int) -> Lines:
        """Return the lines of the latency once more, by status; none where `timing` has it as a tag."""
        found = self._errors.get(status)
        if found is None:
            made = ((), ()) if self._status_tag else self._lines(f"timing.error.{_status(status)}")
            found = self._errors[status] = made
        return found

    def _lines(self, metric: str) -> Lines:
        return tuple(f"{self._head}{metric}{tail}" for tail in self._tails), self._tags


class Names:
    """The series of all endpoints and tenants, by the options."""

    def __init__(self, options: Options, host: str) -> None:
        _, told = options.node()
        self._groups = options.groups
        self._tagged = options.style == "tagged"
        self._head = "".join(f"{part}." for part in (host if told == "name" else "", options.first_parts()) if part)
        self._host: Tags = (("host", host),) if told == "tag" else ()
        self._method = options.method
        self._kept: dict[tuple[str, str, str], Series] = {}

    def series(self, method: str, endpoint: str, tenant: str) -> Series:
        """Return the series of a request: cleaned names, `tenant` empty when there is none."""
        key = (method, endpoint, tenant)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= SERIES_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._tags(*key) if self._tagged else self._parts(*key)
        return found

    def _parts(self, method: str, endpoint: str, tenant: str) -> Series:
        """Return the series of the style that has everything in names."""
        if self._method:
            endpoint = f"{method}_{endpoint}"
        tails = [("node", ""), ("endpoint", f".{endpoint}")]
        tails += [("tenant", f".{tenant}"), ("endpoint_tenant", f".{endpoint}.{tenant}")] if tenant else []
        return Series(self._head, tuple(tail for group, tail in tails if group in self._groups), self._host, status_tag=False)

    def _tags(self, method: str, endpoint: str, tenant: str) -> Series:
        """Return the series of the style that has everything in tags."""
        by_endpoint = not self._groups.isdisjoint({"endpoint", "endpoint_tenant"})
        by_tenant = tenant and not self._groups.isdisjoint({"tenant", "endpoint_tenant"})
        tags = [("endpoint", endpoint)] if by_endpoint else []
        tags += [("method", method)] if self._method else []
        tags += [("tenant", tenant)] if by_tenant else []
        return Series(self._head, ("",), (*self._host, *tags), status_tag=True)


def _status(status: int) -> str:
    return str(status) if LOWEST_STATUS <= status <= HIGHEST_STATUS else "other"
