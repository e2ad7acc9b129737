"""Elasticsearch and OpenSearch as a store of traces, in our own layout or OSProfiler's.

Rules:

* The layout is about writing. Both are read: what a trace has in either, put together.
* Ours are the indices ``NAME-spans-YYYY.MM.DD`` and ``NAME-traces``, where the URL's path is the name; see `elastic_shelf.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.document_traces import DocumentTraces
from nilometer.backends._parts.elastic import Cluster, Login, cluster, name
from nilometer.backends._parts.elastic_shelf import ElasticShelf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("elasticsearch", "elasticsearch+https", "opensearch", "opensearch+https")
URL_EXAMPLES = (
    "elasticsearch://localhost:9200?layout=osprofiler",
    "opensearch+https://nilometer:secret@search.example/traces",
)
EXTRA = "elasticsearch"


@dataclass(frozen=True, slots=True)
class Options(Login):
    """How to reach the cluster, and how spans are written."""


class ElasticsearchTraces:
    """Stores spans in one cluster."""

    def __init__(self, cluster: Cluster, name: str, options: Options) -> None:
        self._cluster = cluster
        shelf = ElasticShelf(cluster, name, options)
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
        """Return product and version. Raise `Unavailable`."""
        return " ".join(self._cluster.product())

    def close(self) -> None:
        """Hang up."""
        self._cluster.close()


def open(url: Url) -> ElasticsearchTraces:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    return ElasticsearchTraces(cluster(url, options), name(url), options)
