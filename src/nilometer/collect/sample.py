"""One value on its way out."""

from __future__ import annotations

from typing import NamedTuple

Pairs = tuple[tuple[str, str], ...]
GAUGE, COUNTER = "g", "c"


class Sample(NamedTuple):
    """One value: the kind ``g`` or ``c``, the whole name of its series, tags as pairs."""

    kind: str
    stat: str
    value: float
    tags: Pairs = ()
