"""Which series there are, page by page.

Rules:

* A page holds the paths that match a glob and fit every tag expression (`find` says how these are written), in order of path.
* It ends with `limit` paths or after `MOST_LOOKED_AT` were looked through, so that a page with few paths can have a next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.query.find import conditions
from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import SeriesReader

CHUNK = 10_000
MOST_LOOKED_AT = 500_000


class Page(NamedTuple):
    """Paths, and after which one the next page begins, None when there is none."""

    paths: list[str]
    next: str | None


def page(reader: SeriesReader, glob: str, expressions: Sequence[str], limit: int, after: str = "") -> Page:
    """Return the first `limit` paths after `after`. Raise `QueryError` for what is no tag expression."""
    asked = conditions(expressions)
    chunk = CHUNK if asked else limit + 1
    found: list[str] = []
    for _ in range(0, MOST_LOOKED_AT, chunk):
        part = reader.find(glob, chunk, after)
        for path in part:
            tags = tags_of(path) if asked else {}
            if all(condition.holds(tags.get(condition.tag, "")) for condition in asked):
                if len(found) == limit:
                    return Page(found, found[-1])
                found.append(path)
        if len(part) < chunk:
            return Page(found, None)
        after = part[-1]
    return Page(found, after)
