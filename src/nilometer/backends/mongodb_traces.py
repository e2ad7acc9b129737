"""MongoDB as a store of traces, in our own layout or OSProfiler's.

Rules:

* The layout is about writing. Both are read: what a trace has in either, put together.
* Without a database in the URL ours is ``nilometer``; OSProfiler's is always ``osprofiler``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.document_traces import DocumentTraces
from nilometer.backends._parts.mongodb import OURS, Connection, Login, connection, database
from nilometer.backends._parts.mongodb_shelf import MongoShelf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("mongodb", "mongodb+srv")
URL_EXAMPLES = (
    "mongodb://nilometer:secret@localhost:27017/traces",
    "mongodb://localhost:27017?layout=osprofiler",
)
EXTRA = "mongodb"


@dataclass(frozen=True, slots=True)
class Options(Login):
    """How to reach the server, and how spans are written."""


class MongoTraces:
    """Stores spans in one server, or set of them."""

    def __init__(self, connection: Connection, database: str, layout: str) -> None:
        self._connection = connection
        shelf = MongoShelf(connection, database, layout)
        self._traces = DocumentTraces(shelf)
        shelf.announce = self._traces.announce

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Store spans. Raise `Unavailable` or `Rejected`."""
        self._traces.write(spans)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace. Raise `Unavailable`."""
        return self._traces.read(trace, most)

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return a page of traces. Raise `InputError` for a cursor that is none, `Unavailable`."""
        return self._traces.find(query, limit, cursor)

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one. Raise `Unavailable`."""
        return self._traces.delete(trace)

    def drop_traces(self, before: float) -> int:
        """Delete a part of the traces that are older. Return how many. Raise `Unavailable`."""
        return self._traces.drop(before)

    def check(self) -> str:
        """Return the server's version. Raise `Unavailable`."""
        return self._connection.check()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def open(url: Url) -> MongoTraces:  # noqa: A001 each backend has this name
    """Open ``mongodb://HOST[/DATABASE]``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    return MongoTraces(connection(url, options), database(url) or OURS, options.layout)
