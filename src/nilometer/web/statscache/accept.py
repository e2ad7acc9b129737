"""Which of the media types that one has a client wants most.

Rules:

* The most specific range that fits a type says its quality; a quality of 0 refuses it.
* The type with the highest quality is it; among equals the one that was asked for most exactly, then the first.
* A range that cannot be read is left out. No header, or one without ranges, takes anything.
* Read, too, is what clients send though it is wrong: ``*`` for any type, and qualities such as ``.2``, as Java's do.

Source: RFC 9110, 12.5.1 (Accept) and 12.4.2 (quality values).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST = 100
"""Ranges of a header that are looked at."""
NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
RANGE = re.compile(rf"({NAME})/({NAME})\Z")
QUALITY = re.compile(r"(0?\.[0-9]{1,20}|0\.?|1(\.0{0,20})?)\Z")
ANY = "*"


class Range(NamedTuple):
    """A range of media types: how exact it is, from 0 for any type to 2 for one, what it says, and its quality."""

    exact: int
    kind: str
    subkind: str
    quality: float

    def fits(self, media_type: str) -> bool:
        """Return whether a type is in it."""
        kind, _, subkind = media_type.partition("/")
        return self.kind in (ANY, kind) and self.subkind in (ANY, subkind)


def best(header: str, offered: Sequence[str]) -> str | None:
    """Return the one of the offered types that a header wants most, None when it wants none of them."""
    ranges = sorted(_ranges(header.strip(" \t,") or "*/*"), reverse=True)
    wanted = [
        (each.quality, each.exact, -place, offer) for place, offer in enumerate(offered) for each in _first(ranges, offer)
    ]
    return max(wanted)[-1] if wanted else None


def _first(ranges: list[Range], offer: str) -> list[Range]:
    """Return the most specific range that a type is in, unless it refuses it."""
    found = next((each for each in ranges if each.fits(offer)), None)
    return [found] if found is not None and found.quality else []


def _ranges(header: str) -> Iterator[Range]:
    for part in header.lower().split(",", MOST)[:MOST]:
        name, *parameters = (each.strip() for each in part.split(";"))
        found = RANGE.match("*/*" if name == ANY else name)
        given = next((each[2:].strip() for each in parameters if each.startswith("q=")), "1")
        if found is None or not QUALITY.match(given) or (found[1] == ANY != found[2]):
            continue
        yield Range((found[1] != ANY) + (found[2] != ANY), found[1], found[2], float(given))
