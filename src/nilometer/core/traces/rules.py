"""Rules over spans as settings write them: which part of certain traces is kept, and what certain spans are called as metrics.

Rules:

* ``SERVICE/NAME`` is a glob over both, joined by a slash; ``*`` crosses everything.
* A glob is compiled once; what is wrong with a rule is a ValueError that says so.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.traces.span import KINDS

if TYPE_CHECKING:
    from nilometer.core.traces.span import Span

ANY = "*"
FIELDS = ("service", "name", "kind", "status", "project", "host")
"""What a series' name may be made of, besides attributes: these have a dot in their names."""
ASKED = re.compile(r"\{([^{}]+)\}")


class Chosen(NamedTuple):
    """``SERVICE/NAME=PART``: which part, 0 to 1, is kept of traces with such a root."""

    match: re.Pattern[str]
    part: float

    @classmethod
    def read(cls, text: str) -> Chosen:
        """Return the rule. Raise ValueError."""
        glob, _, part = text.rpartition("=")
        try:
            value = float(part)
        except ValueError:
            value = -1.0
        if "/" not in glob or not 0 <= value <= 1:
            message = "expected SERVICE/NAME=PART, a part from 0 to 1, such as shop/*=0.1"
            raise ValueError(message)
        return cls(_compiled(glob), value)

    def fits(self, service: str, name: str) -> bool:
        """Return whether it is about traces with such a root."""
        return self.match.match(f"{service}/{name}") is not None


class Measured(NamedTuple):
    """``KIND:SERVICE/NAME=SERIES``: what such spans are called as metrics; without a kind, spans of any."""

    kind: str
    match: re.Pattern[str]
    template: str

    @classmethod
    def read(cls, text: str) -> Measured:
        """Return the rule. Raise ValueError."""
        glob, _, template = text.rpartition("=")
        kind, colon, rest = glob.partition(":")
        if colon and kind in (ANY, *KINDS):
            glob = rest
        else:
            kind = ANY
        if "/" not in glob:
            message = "expected KIND:SERVICE/NAME=SERIES, such as server:*/*=requests.{service}.{name}"
            raise ValueError(message)
        _check(template)
        return cls(kind, _compiled(glob), template)

    def fits(self, span: Span) -> bool:
        """Return whether the span becomes a metric by this rule."""
        return self.kind in (ANY, span.kind) and self.match.match(f"{span.service}/{span.name}") is not None


def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob))


def _check(template: str) -> None:
    asked = set(ASKED.findall(template))
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if unknown := sorted(field for field in asked - set(FIELDS) if "." not in field):
        message = f"{template!r} asks for {', '.join(map(repr, unknown))}; what can be asked for: {known}, {{attribute.name}}"
        raise ValueError(message)
    if set(ASKED.sub("", template)) & set("{}"):
        message = f"{template!r} is no template: a brace too many"
        raise ValueError(message)
    if not template.strip("."):
        message = "a series needs a name"
        raise ValueError(message)
