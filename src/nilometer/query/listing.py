"""Which series there are, page by page.

Rules:

* A page holds the paths that match a glob and fit every tag expression (`find` says how these are written), in order of path.
* It ends with `limit` paths or after `MOST_LOOKED_AT` were looked through, so that a page with few paths can have a next one.
* The first page tells how many paths there are in all, as long as no more than `MOST_COUNTED` have to be counted, or with tag
  expressions `MOST_TAGGED` looked through.
* The store takes out by itself what a glob can tell; tags are looked at only of what is left.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.capability import Counting
from nilometer.query.find import conditions, superset
from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import SeriesReader
    from nilometer.query.find import Condition

CHUNK = 2000
MOST_LOOKED_AT = 500_000
MOST_COUNTED = 1_000_000
MOST_TAGGED = 20_000


class Page(NamedTuple):
    """Paths, and after which one the next page begins, None when there is none; `total` of all pages, None if not counted."""

    paths: list[str]
    next: str | None
    total: int | None = None


def page(reader: SeriesReader, glob: str, expressions: Sequence[str], limit: int, after: str = "") -> Page:
    """Return the first `limit` paths after `after`. Raise `QueryError` for what is no tag expression."""
    asked = conditions(expressions)
    found = _tagged(reader, glob, asked, limit, after) if asked else _page(reader.find(glob, limit + 1, after), limit)
    if after:
        return found
    if found.next is None:
        return found._replace(total=len(found.paths))
    return found._replace(total=_with_tags(reader, glob, asked) if asked else _count(reader, glob))


def _page(found: list[str], limit: int) -> Page:
    return Page(found[:limit], found[limit - 1] if len(found) > limit else None)


def _count(reader: SeriesReader, glob: str) -> int | None:
    """Return how many paths match a glob, None when there are too many to count."""
    most = MOST_COUNTED + 1
    found = reader.count(glob, most) if isinstance(reader, Counting) else len(reader.find(glob, most))
    return found if found < most else None


def _tagged(reader: SeriesReader, glob: str, asked: Sequence[Condition], limit: int, after: str) -> Page:
    """Return the first paths after `after` that match a glob and fit tag expressions."""
    sought, fits = superset(asked) or glob, _fitting(glob, asked)
    found: list[str] = []
    for _ in range(0, MOST_LOOKED_AT, CHUNK):
        part = reader.find(sought, CHUNK, after)
        found += filter(fits, part)
        if len(found) > limit or len(part) < CHUNK:
            return _page(found, limit)
        after = part[-1]
    return Page(found, after)


def _with_tags(reader: SeriesReader, glob: str, asked: Sequence[Condition]) -> int | None:
    """Return how many paths match a glob and fit tag expressions, None when too many would have to be looked at."""
    candidates = reader.find(superset(asked) or glob, MOST_TAGGED + 1)
    return sum(map(_fitting(glob, asked), candidates)) if len(candidates) <= MOST_TAGGED else None


def _fitting(glob: str, asked: Sequence[Condition]) -> Callable[[str], bool]:
    """Return what says whether a path matches a glob and fits tag expressions."""
    matches = re.compile(fnmatch.translate(glob)).match

    def fits(path: str) -> bool:
        tags = tags_of(path)
        return all(each.holds(tags.get(each.tag, "")) for each in asked) and matches(path) is not None

    return fits
