"""Names of series, from the names that other systems give to what they have.

Rules:

* A part of a name has the characters ``A-Za-z0-9_-``, at most `LONGEST`. A dot would begin another part: it is ``_``.
* A name that loses more than dots gets a check sum of what it was, so that two that differ stay two.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.url import Url

FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 100
NAMELESS = "unnamed"
WHOLE = 1e21
"""From here on, the text of a whole number would have an exponent in some language or other."""


def part(name: str) -> str:
    """Return a name as one part of a series' name."""
    plain = name.replace(".", "_")
    safe = FOREIGN.sub("_", plain)
    if safe == plain and len(safe) <= LONGEST:
        return safe or NAMELESS
    return f"{safe[:LONGEST].strip('_') or NAMELESS}-{crc32(name.encode('utf-8', 'replace')):08x}"


def joined(*parts: str) -> str:
    """Return parts with dots between them; empty ones are left out."""
    return ".".join(filter(None, parts))


def label(url: Url) -> str:
    """Return a URL without login and options as one part: ``postgresql://me@db:5432/shop`` is ``postgresql_db_5432_shop``."""
    plain = dataclasses.replace(url, user=None, password=None, query=())
    return re.sub(r"[^A-Za-z0-9-]+", "_", str(plain)).strip("_")


def labels(urls: Iterable[Url]) -> list[str]:
    """Return a label for each URL; the second of the same ends in ``_2``."""
    found: list[str] = []
    for url in urls:
        base = label(url)
        names = (base if number == 1 else f"{base}_{number}" for number in range(1, len(found) + 2))
        found.append(next(name for name in names if name not in found))
    return found


def number(value: float) -> float | None:
    """Return a value as every StatsD server reads it, whole where it is; None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= WHOLE:
        return None
    return int(value) if value == int(value) else value
