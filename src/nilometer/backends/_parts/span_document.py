"""Spans and traces as flat documents, for databases of documents: MongoDB, Elasticsearch, OpenSearch.

Rules:

* A span's document has fields for what one asks for, as the database's own types; the rest lies in one text of JSON, `more`:
  no attribute becomes a field, however it is named, deep or large.
* One document a part: the whole, the start, the stop. So a part never replaces a whole, and writing again replaces the same.
  `read` puts the parts together, in the order in which they arrived.
* A span whose rest is larger than `LARGEST` is kept without it.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.errors import InputError
from nilometer.core.traces.span import Span, merge
from nilometer.core.traces.summary import Summary
from nilometer.core.wire import span as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Document = dict[str, Any]
FIELDS = ("trace", "id", "parent", "name", "start", "end", "kind", "status", "error", "service", "project", "host", "part")
HEAD = tuple(name for name in FIELDS if name not in ("kind", "host"))
"""What a summary needs."""
LARGEST = 8 << 20
"""Bytes of a span's rest, at most: half of what MongoDB takes as a document."""
LONGEST = 8000
"""Characters of a field, at most; Lucene takes 32,766 bytes. A longer text stands whole in `more`."""
LAST = (1 << 63) - 1
"""The last integer that the databases hold."""


class Clock:
    """Tells when a span arrived, in ns: later for each, within this process, though the clock stand or go back."""

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), 0

    def __call__(self, count: int) -> Iterable[int]:
        """Return as many moments as there are spans."""
        with self._lock:
            first = max(self._last + 1, time.time_ns())
            self._last = first + count
        return itertools.count(first)


arrivals = Clock()


class TraceRow(NamedTuple):
    """What a database keeps of a trace. `last` is its last start, in ns.

    `stale` says that spans came since the summary was made; `version` tells whether the row is still the same.
    """

    summary: Summary
    last: int
    stale: bool = False
    version: Any = None


def digest(*words: str) -> str:
    """Return an id of bounded length made of some words."""
    joined = "".join(f"{len(word)}:{word}" for word in words)
    return blake2b(joined.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def clean(text: str) -> str:
    """Return a text that a field can hold."""
    return text[:LONGEST].encode("utf-8", "replace").decode()


def documents(spans: Sequence[Span]) -> dict[str, Document]:
    """Return documents of spans by their ids: of the same twice what came last, in the place of the first."""
    found: dict[str, Document] = {}
    for span, arrived in zip(spans, arrivals(len(spans)), strict=False):
        name = digest(span.trace, span.id, span.part)
        first = found[name]["arrived"] if name in found else arrived
        found[name] = _document(span, first)
    return found


def _document(span: Span, arrived: int) -> Document:
    found = {name: clean(value) if isinstance(value := getattr(span, name), str) else value for name in FIELDS}
    kept = {name for name in FIELDS if found[name] == getattr(span, name)}
    rest = {name: value for name, value in wire.as_object(span).items() if name not in kept}
    more = wire.text(rest)
    if len(more) > LARGEST:
        more = wire.text({"attributes": {"nilometer.left_out": f"{len(more)} bytes of attributes, events and links"}})
    return {**found, "arrived": arrived, "more": more.decode()}


def read(found: Iterable[Mapping[str, Any]]) -> list[Span]:
    """Return the spans that documents tell of, each once; a document that is none is left out."""
    spans = list[Span]()
    for each in sorted(found, key=_arrived):
        try:
            more = json.loads(each.get("more") or "{}")
            spans.append(wire.from_object({name: _plain(each[name]) for name in FIELDS if name in each} | more))
        except (InputError, ValueError, TypeError, RecursionError):
            continue
    return merge(spans)


def _plain(value: object) -> object:
    """Return a value without a driver's own type of integers."""
    return int(value) if isinstance(value, int) else value


def _arrived(document: Mapping[str, Any]) -> int:
    arrived = document.get("arrived")
    return arrived if isinstance(arrived, int) else 0


# -- traces ------------------------------------------------------------------------------------------------------------


def row_document(row: TraceRow) -> Document:
    """Return a trace's document without its version."""
    summary = row.summary
    return {
        "trace": clean(summary.trace),
        "start": summary.start,
        "end": summary.end,
        "last": row.last,
        "duration": min(summary.duration, LAST),
        "failed": bool(summary.errors),
        "project": clean(summary.project),
        "services": sorted({clean(service) for service in summary.services}),
        "names": sorted({clean(name) for name in summary.names}),
        "summary": wire.text(list(summary)).decode(),
        "stale": row.stale,
    }


def row(document: Mapping[str, Any], version: object) -> TraceRow:
    """Return what a trace's document says. Raise `InputError` for one that is none."""
    try:
        summary = Summary(*json.loads(document["summary"]))
        found = summary._replace(start=int(document["start"]), end=int(document["end"]))
        return TraceRow(found, int(document["last"]), bool(document["stale"]), version)
    except (KeyError, ValueError, TypeError) as error:
        message = f"the document of a trace says what none can: {error}"
        raise InputError(message) from error
