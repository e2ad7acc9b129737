"""Elasticsearch and OpenSearch: flushes as documents, one a series and window, into a data stream.

Rules:

* `documents` says what a document holds. They go out in bulk requests bounded in documents and bytes.
* Each is to be created under an id made of its source, series and window: one that is there already (409) is written. So a
  flush that is written again counts nothing twice. Only a retry after the data stream's rollover finds an index without them.
* Each document has its own answer: those refused for now (429, 5xx, a blocked or missing index) go out again, they alone; those
  refused for good are logged with the first one's reason and counted; when that are all of a flush, the flush is `Rejected`.
* Before the first write an index template is made for the data stream, unless one of that name exists, which is left alone.
* What an operator can mend (login, rights, a template that does not fit) is `Unavailable`: flushes wait.

Format: https://docs.opensearch.org/latest/api-reference/document-apis/bulk/ (the same as Elasticsearch's)
"""

from __future__ import annotations

import json
import logging
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.backends._parts.documents import Document, documents, event_documents, ids
from nilometer.backends._parts.elastic import (
    CONFLICT,
    JSON,
    LINES,
    MISSING,
    PASSING,
    REDIRECTED,
    TOO_LARGE,
    Cluster,
    Login,
    cluster,
    name,
)
from nilometer.backends._parts.http import Answer, shown
from nilometer.backends._parts.progress import Progress
from nilometer.backends._parts.templates import events_template, metrics_template
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import one_of, option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.core.record import Event, Flush
    from nilometer.core.url import Url

SCHEMES = ("elasticsearch", "elasticsearch+https", "opensearch", "opensearch+https")
URL_EXAMPLES = (
    "elasticsearch://localhost:9200",
    "elasticsearch+https://nilometer:secret@search.example:443/production?ca=/etc/nilometer/ca.pem",
    "opensearch://one.example,two.example,three.example?tags=flat",
    "opensearch+https://search.example?api_key=abc&source=edge1",
)
EXTRA = "elasticsearch"
LOG = logging.getLogger(__name__)
FIELDS, FLAT = "fields", "flat"
REFUSED, NOT_FINITE = ("sink", "refused"), ("sink", "not_finite")
FOUND = 1000
"""Documents that are looked for at once."""


@dataclass(frozen=True, slots=True)
class Options(Login):
    """How to reach the cluster, and how documents are made and sent."""

    source: str = option("", "who writes, kept in every document and part of its id; the host's name when empty")
    tags: str = option(FIELDS, "`fields`: each tag a field of its own; `flat`: all in one field, for very many different tags")


class Limits(NamedTuple):
    """Bounds of a bulk request."""

    documents: int
    size: int


class Outcome(NamedTuple):
    """What became of a bulk request's documents: the numbers of those that are done with; why some were refused, or wait."""

    done: list[int]
    refused: list[str]
    waiting: list[str]


class Elasticsearch:
    """Writes flushes and events to one cluster, into the data streams ``NAME-metrics`` and ``NAME-events``."""

    def __init__(self, cluster: Cluster, name: str, options: Options) -> None:
        self._cluster, self._http, self._url, self._options = cluster, cluster.http, cluster.url, options
        self._metrics, self._events = f"{name}-metrics", f"{name}-events"
        self._limits = Limits(options.bulk_documents, options.bulk_size)
        self._source = options.source or socket.gethostname()
        self._progress = Progress()
        self._prepared: set[str] = set()
        self._left_out: Counter[tuple[str, str]] = Counter()

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, flush: Flush) -> None:
        """Write the documents that were not taken yet. Raise `Unavailable`, or `Rejected` when all were refused for good."""
        taken = self._progress.begin(flush)
        if taken is None:
            return
        made = list(documents(flush, self._source))
        self._store(self._metrics, [each for each in made if each.body], taken)
        self._left_out[NOT_FINITE] += sum(each.not_finite for each in made)
        self._progress.end()

    def write_events(self, events: Sequence[Event]) -> None:
        """Write the events. Raise as `write` does."""
        self._store(self._events, list(event_documents(events)), set())

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many series were refused, and values left out, since the last call, by stage and reason."""
        left_out, self._left_out = self._left_out, Counter()
        return {loss: number for loss, number in left_out.items() if number}

    def _store(self, stream: str, made: Sequence[Document], taken: set[int]) -> None:
        """Send the documents whose numbers are not `taken`, and add them to it."""
        left = [each for each in made if each.number not in taken]
        if not left:
            return
        self._prepare(stream)
        refused = list[str]()
        for part in parts(left, self._limits):
            outcome = self._send(stream, part)
            taken.update(outcome.done)
            refused += outcome.refused
            if outcome.waiting:
                self._count(refused)
                message = f"{self._url}: {len(outcome.waiting)} documents are not taken yet: {outcome.waiting[0]}"
                raise Unavailable(message)
        if len(refused) == len(made):
            message = f"{self._url}: all {len(refused)} documents were refused: {refused[0]}"
            raise Rejected(message)
        self._count(refused)

    def _count(self, refused: Sequence[str]) -> None:
        if refused:
            LOG.warning("%s: refused %d documents, which are lost; the first: %s", self._url, len(refused), refused[0])
            self._left_out[REFUSED] += len(refused)

    def _send(self, stream: str, part: Sequence[Document]) -> Outcome:
        """Send one bulk request; in halves when it is too large for the other side."""
        body = b"".join(line for each in part for line in _lines(each))
        path = f"/{stream}/_bulk?filter_path=errors,items.create.status,items.create.error.type,items.create.error.reason"
        answer = self._http.send("POST", path, body, kind=LINES, gzip=self._options.gzip)
        if answer.status == TOO_LARGE:
            return self._send_halves(stream, part, answer)
        result = self._cluster.judged(answer, "write")
        items = result.get("items") if isinstance(result, dict) else None
        if isinstance(result, dict) and result.get("errors") is False:
            return Outcome([each.number for each in part], [], [])
        if not isinstance(items, list) or len(items) != len(part):
            message = f"{self._url}: does not answer as a bulk request is answered: {answer.shown()}"
            raise Unavailable(message)
        outcome = sorted_out(part, items)
        if outcome.waiting:
            self._prepared.discard(stream)
        return outcome

    def _send_halves(self, stream: str, part: Sequence[Document], answer: Answer) -> Outcome:
        if len(part) == 1:
            return Outcome([part[0].number], [f"too large: {len(part[0].body)} bytes: {answer.shown()}"], [])
        half = len(part) // 2
        first, second = self._send(stream, part[:half]), self._send(stream, part[half:])
        return Outcome(first.done + second.done, first.refused + second.refused, first.waiting + second.waiting)

    # -- the other side ------------------------------------------------------------------------------------------------

    def _prepare(self, stream: str) -> None:
        """Make the stream's index template, once, when there is none. Raise `Unavailable`."""
        if stream in self._prepared:
            return
        if self._options.template:
            opensearch = self._cluster.product()[0] == "OpenSearch"
            answer = self._http.send("GET", f"/_index_template/{stream}?filter_path=index_templates.name")
            if answer.status == MISSING:
                flat = self._options.tags == FLAT
                made = events_template if stream == self._events else metrics_template
                self._make_template(stream, made(stream, flat=flat, opensearch=opensearch))
            else:
                self._cluster.judged(answer, "read the index template", "; or make it yourself and add template=false")
        self._prepared.add(stream)

    def _make_template(self, stream: str, template: Mapping[str, Any]) -> None:
        path = f"/_index_template/{stream}?create=true"
        answer = self._http.send("PUT", path, json.dumps(template).encode(), kind=JSON)
        if answer.status >= REDIRECTED and b"already exists" not in answer.body:
            message = f"{self._url}: cannot make the index template {stream} (status {answer.status}): {answer.shown()}"
            message += "; or make it yourself and add template=false"
            raise Unavailable(message)
        LOG.info("%s: made the index template %s", self._url, stream)

    def check(self) -> str:
        """Return product, version and data stream. Raise `Unavailable`."""
        product, version = self._cluster.product()
        self._cluster.judged(self._http.send("GET", f"/_data_stream/{self._metrics}*"), "see data streams")
        return f"{product} {version or '(may not read the version)'}, data stream {self._metrics}"

    def confirm(self, flush: Flush) -> str:
        """Return how many of the flush's documents can be read back. Raise `Unavailable` unless all of them can."""
        self._cluster.judged(self._http.send("POST", f"/{self._metrics}/_refresh"), "refresh")
        wanted = [
            name for each, name in zip(documents(flush, self._source), ids(flush, self._source), strict=True) if each.body
        ]
        found = sum(self._found(wanted[start : start + FOUND]) for start in range(0, len(wanted), FOUND))
        if found != len(wanted):
            message = f"{self._url}: of {len(wanted)} documents {found} can be read back"
            raise Unavailable(message)
        return f"documents in {self._metrics}: {found}"

    def _found(self, wanted: Sequence[str]) -> int:
        query = {"size": 0, "track_total_hits": True, "query": {"ids": {"values": wanted}}}
        answer = self._http.send("POST", f"/{self._metrics}/_search", json.dumps(query).encode(), kind=JSON)
        try:
            return int(self._cluster.judged(answer, "read back")["hits"]["total"]["value"])
        except (TypeError, KeyError, ValueError) as error:
            message = f"{self._url}: does not answer as a search is answered: {answer.shown()}"
            raise Unavailable(message) from error

    def close(self) -> None:
        """Hang up."""
        self._cluster.close()


def parts(made: Iterable[Document], limits: Limits) -> Iterator[list[Document]]:
    """Yield documents in parts within the limits; a document beyond the size goes alone."""
    part, size = list[Document](), 0
    for each in made:
        length = sum(map(len, _lines(each)))
        if part and (len(part) == limits.documents or size + length > limits.size):
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part


def _lines(document: Document) -> tuple[bytes, bytes, bytes]:
    return b'{"create":{"_id":"%s"}}\n' % document.id.encode(), document.body, b"\n"


def sorted_out(part: Sequence[Document], items: Sequence[object]) -> Outcome:
    """Sort documents by what a bulk answer says of each: there now or before, refused for good, or not now."""
    outcome = Outcome([], [], [])
    for document, item in zip(part, items, strict=True):
        said = item.get("create") if isinstance(item, dict) else None
        status = said.get("status") if isinstance(said, dict) else None
        error = said.get("error") if isinstance(said, dict) else None
        reason = f"{error.get('type')}: {error.get('reason')}" if isinstance(error, dict) else error
        if not isinstance(status, int) or status in PASSING or status >= 500:  # noqa: PLR2004 HTTP's own bound
            outcome.waiting.append(f"status {status}, {shown(reason)}")
            continue
        outcome.done.append(document.number)
        if status >= REDIRECTED and status != CONFLICT:  # there already: written before
            outcome.refused.append(f"status {status}, {shown(reason)}")
    return outcome


def open(url: Url) -> Elasticsearch:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    one_of(url, "tags", options.tags, (FIELDS, FLAT))
    return Elasticsearch(cluster(url, options), name(url), options)
