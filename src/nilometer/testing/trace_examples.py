"""Spans for tests: a small trace, many traces, and odd ones."""

from __future__ import annotations

from nilometer.core.traces.span import Link, Span, SpanEvent

START = 1_795_413_600_000_000_000
"""A moment, in ns since the epoch."""
MS = 1_000_000
TRACE = "4e3e0ec6293840b1850409eb1d4b0dee"


def number(value: int, digits: int = 16) -> str:
    """Return an id."""
    return f"{value + 1:0{digits}x}"


def request(
    nr: int = 0, start: int = START, *, service: str = "tables", error: bool = False, took: int = 30 * MS
) -> list[Span]:
    """Return a trace of three spans: a request, a call within it, and the statement that that one made."""
    trace = number(nr, 32)
    status = ("error", "sqlalchemy.exc.OperationalError", "no such table") if error else ("ok", "", "")
    return [
        Span(
            trace,
            number(0),
            "",
            "GET /v1/tables",
            start,
            start + took,
            "server",
            service=service,
            project="nova",
            host="node1",
            attributes={"http.request.method": "GET", "url.path": f"/v1/tables/{nr}", "http.response.status_code": 200},
        ),
        Span(trace, number(1), number(0), "list", start + 2 * MS, start + took - MS, service=service, host="node1"),
        Span(
            trace,
            number(2),
            number(1),
            "SELECT",
            start + 3 * MS,
            start + 5 * MS,
            "client",
            *status,  # type: ignore[arg-type]  # three of its fields
            service="storage",
            attributes={"db.query.text": "SELECT * FROM tables", "rows": 3, "ratio": 0.5, "cached": False, "ids": [1, 2]},
        ),
    ]


ODD = (
    Span(TRACE, "a", "", "", START, START),
    Span(TRACE, "A", "a", "100% of_it\\ 'quoted' \"twice\"\n\x7f", START + 1, START + 1, attributes={"deep": {"x": [[None]]}}),
    Span(TRACE, "850409eb1d4b0dee", "nobody", "ключ 🌊 𝄞", START, START + 1, service="é", project="e\u0301", host="host name"),
    Span(TRACE, "x" * 200, "a", "n" * 255, START, START + 2**40, attributes={"long": "z" * 100_000, "big": 2**53, "": "empty"}),
    Span(
        TRACE,
        "12345678123456781234567812345678",
        "a",
        "a.b$c,d=e f",
        START,
        START,
        attributes={"a.b": 1, "$c": 2, "d=e,f g": 3},
    ),
    Span(TRACE, "old", "a", "long ago", 1, 2),
    Span(
        TRACE,
        "whole",
        "a",
        "everything",
        START + 5,
        START + 1234567,
        "producer",
        "error",
        "E",
        "what\nit said",
        "s",
        "p",
        "h",
        {"n": 1},
        (SpanEvent(START + 6, "exception", {"exception.type": "E"}), SpanEvent(START + 7, "second")),
        (Link(number(7, 32), number(7), {"why": "batch"}), Link("other", "link")),
        scope="nilometer",
        state="a=b,c=d",
        resource={"service.version": "1.2", "k8s.pod.name": "p-1"},
    ),
)
"""Spans of one trace that a careless store mixes up, cuts or refuses."""


def several(count: int, step: int = 1000 * MS) -> list[list[Span]]:
    """Return traces that begin `step` ns after each other, every third with an error, of three services, slower and slower."""
    return [
        request(nr, START + nr * step, service=f"service{nr % 3}", error=nr % 3 == 0, took=(10 + nr) * MS)
        for nr in range(count)
    ]
