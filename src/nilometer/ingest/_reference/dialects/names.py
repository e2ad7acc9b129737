"""Names with tags in them, and the key of a name and its tags.

Rules:

* ``name[k=v,k=v]rest`` is SignalFx's style, ``name;k=v;k=v`` Graphite's, ``name#k=v,k=v`` Librato's, ``name,k=v,k=v``
  InfluxDB's. Where brackets are known and a name has any, only they count; a single one is part of the name. Of the other
  marks the first counts; ``#`` and ``,`` only when an ``=`` follows before the next ``,``.
* A tag is kept as ``name:value``, or ``name`` where it has no value. Empty tags and those without a name are dropped.
* A key is ``name;tag=value;tag=value``: tags in order, each once; one without a value has the value ``true``. A ``;`` in the
  name or in a tag becomes ``_``, so that only tags look like tags.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = re.compile("[;#,]")
NO_VALUE = "true"
"""The value of a tag that has none: Graphite and InfluxDB refuse empty ones."""


def split(name: str, styles: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and its tags; `styles` are the marks that count."""
    if "[" in styles and ("[" in name or "]" in name):
        return _bracketed(name)
    barren = 0  # no tag begins before this place, but for Graphite's
    for found in MARK.finditer(name):
        mark, place = found[0], found.start()
        if mark not in styles or (mark != ";" and place < barren):
            continue
        comma = name.find(",", place + 1)
        end = comma if comma >= 0 else len(name)
        if mark == ";" or name.find("=", place, end) >= 0:
            return name[:place], _pieces(name[place + 1 :], ";" if mark == ";" else ",")
        barren = end
    return name, ()


def _bracketed(name: str) -> tuple[str, tuple[str, ...]]:
    before, _, rest = name.partition("[")
    inside, end, after = rest.partition("]")
    return (before + after, _pieces(inside, ",")) if end and "]" not in before else (name, ())


def _pieces(text: str, separator: str) -> tuple[str, ...]:
    return kept(piece.replace("=", ":", 1) for piece in text.split(separator))


def listed(text: str) -> tuple[str, ...]:
    """Return the tags of a field ``#tag,tag``, without its first ``#``. Some clients put one before every tag."""
    return kept(tag.removeprefix("#") for tag in text.split(","))


def kept(tags: Iterable[str]) -> tuple[str, ...]:
    """Drop what is no tag."""
    return tuple(tag for tag in tags if tag and not tag.startswith(":"))


def join(name: str, tags: Iterable[str]) -> str:
    """Return the key, not cleaned."""
    return ";".join([name.replace(";", "_"), *sorted({_pair(tag) for tag in tags})])


def _pair(tag: str) -> str:
    name, _, value = tag.replace(";", "_").partition(":")
    return f"{name}={value or NO_VALUE}"
