"""Bulk requests and searches of Elasticsearch and OpenSearch, for documents that are replaced, merged and paged through.

Rules:

* Bulk requests are bounded in documents and bytes; one larger document goes alone. Each document has its own answer.
* A search pages by `search_after` over a sort without ties: no state is held on the other side. A page that is larger than what
  an answer may be is asked for in smaller pieces.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.backends._parts.elastic import CONFLICT, JSON, LINES, MISSING, OK, PASSING, REDIRECTED
from nilometer.backends._parts.http import MOST, shown
from nilometer.core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.backends._parts.elastic import Cluster, Login

LENIENT = "ignore_unavailable=true&allow_no_indices=true"
ABSENT = "document_missing_exception"
FIRST, PAGE = 100, 5000
"""Documents of the first page, and of any, at most."""


class Act(NamedTuple):
    """What is done (create, index, update, delete) in which index, to which document, and its new contents."""

    verb: str
    place: str
    id: str
    body: Mapping[str, Any] | None = None
    version: tuple[int, int] | None = None


def lines(act: Act) -> bytes:
    """Return an act as the bulk API takes it."""
    told: dict[str, Any] = {"_index": act.place, "_id": act.id}
    if act.version is not None:
        told["if_seq_no"], told["if_primary_term"] = act.version
    head = json.dumps({act.verb: told}).encode() + b"\n"
    return head if act.body is None else head + json.dumps(act.body).encode() + b"\n"


class Asking:
    """Asks one cluster."""

    def __init__(self, cluster: Cluster, options: Login) -> None:
        self._cluster, self._options = cluster, options

    def ask(self, method: str, path: str, body: object = None, *, passing: Sequence[int] = ()) -> Any:  # noqa: ANN401 any JSON
        """Return what a request is answered with; None for a status of `passing`. Raise `Unavailable` or `Rejected`."""
        data = None if body is None else json.dumps(body).encode()
        answer = self._cluster.http.send(method, path, data, kind=JSON)
        return None if answer.status in passing else self._cluster.judged(answer, f"{method} {path.partition('?')[0]}")

    def bulk(self, acts: Sequence[Act], *, refresh: bool = False) -> list[int]:
        """Return the status of each act: 2xx, 404 for a document that is not there, 409.

        Raise `Unavailable` or `Rejected` for any other.
        """
        found, part, size = list[int](), list[bytes](), 0
        for act in acts:
            line = lines(act)
            if part and (len(part) >= self._options.bulk_documents or size + len(line) > self._options.bulk_size):
                found += self._send(part, refresh=refresh)
                part, size = [], 0
            part.append(line)
            size += len(line)
        return found + (self._send(part, refresh=refresh) if part else [])

    def _send(self, part: Sequence[bytes], *, refresh: bool) -> list[int]:
        path = f"/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason{'&refresh=true' if refresh else ''}"
        answer = self._cluster.http.send("POST", path, b"".join(part), kind=LINES, gzip=self._options.gzip)
        said = self._cluster.judged(answer, "write")
        items = said.get("items") if isinstance(said, dict) else None
        if not isinstance(items, list) or len(items) != len(part):
            message = f"{self._cluster.url}: does not answer as a bulk request is answered: {answer.shown()}"
            raise Unavailable(message)
        return [self._status(item) for item in items]

    def _status(self, item: object) -> int:
        verb, told = next(iter(item.items()), ("", None)) if isinstance(item, dict) else ("", None)
        status = told.get("status") if isinstance(told, dict) else None
        error = told.get("error") if isinstance(told, dict) else None
        gone = status == MISSING and (verb == "delete" or (isinstance(error, dict) and error.get("type") == ABSENT))
        if isinstance(status, int) and (OK <= status < REDIRECTED or status == CONFLICT or gone):
            return status
        message = f"{self._cluster.url}: a document is not taken: status {status}, {shown(error)}"
        passing = not isinstance(status, int) or status in PASSING or status >= 500  # noqa: PLR2004 HTTP's own bound
        raise Unavailable(message) if passing else Rejected(message)

    def search(self, index: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 whatever JSON the other side sends
        """Return the answer to a search; an index that is not there holds nothing."""
        return self.ask("POST", f"/{index}/_search?{LENIENT}", body)

    def hits(self, index: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return a search's hits."""
        return self.listed(self.search(index, body))

    def listed(self, said: object) -> list[dict[str, Any]]:
        """Return the hits of an answer. Raise `Unavailable` where there are none."""
        outer = said.get("hits") if isinstance(said, dict) else None
        found = outer.get("hits") if isinstance(outer, dict) else None
        if not isinstance(found, list):
            message = f"{self._cluster.url}: does not answer as a search is answered"
            raise Unavailable(message)
        return found

    def pages(self, index: str, body: Mapping[str, Any], most: int) -> Iterator[dict[str, Any]]:
        """Yield up to `most` hits of a search that has a `sort` without ties."""
        size, after = FIRST, None
        while most > 0:
            asked = {**body, "size": min(size, most), **({"search_after": after} if after else {})}
            try:
                found = self.hits(index, asked)
            except Unavailable as error:
                if size == 1 or f"exceeds {MOST}" not in str(error):
                    raise
                size = max(1, size // 10)
                continue
            yield from found
            most -= len(found)
            if len(found) < asked["size"]:
                return
            after, size = found[-1]["sort"], min(2 * size, PAGE)
