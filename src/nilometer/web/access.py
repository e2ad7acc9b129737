"""Who may ask what over HTTP, as data: what each path takes, and what is in force.

Rules:

* A path that the table does not name takes the scope ``read`` to look and ``write`` to change. So a new route is never open by
  oversight.
* Graphite's clients ask questions with POST, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nilometer.web.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.web.tokens import Token

READING = frozenset({"GET", "HEAD"})


class Rule(NamedTuple):
    """What the paths take that fit as a whole; no methods means all."""

    methods: frozenset[str]
    paths: re.Pattern[str]
    scope: Scope


TABLE = (
    Rule(
        READING,
        re.compile(r"/api/v1/health|/|/assets/.*|/favicon\.(ico|svg)|/web/?|/web/(getting-started|reference)"),
        Scope.NONE,
    ),
    Rule(frozenset(), re.compile(r"/api/v1/config"), Scope.ADMIN),
    Rule(
        frozenset({"POST"}),
        re.compile(r"/(render|metrics/(find|expand|index\.json)|tags(/findSeries|/autoComplete/(tags|values))?|functions)/?"),
        Scope.READ,
    ),
)
"""The exceptions; the first that fits counts."""


def needed(method: str, path: str) -> Scope:
    """Return what a request takes."""
    for rule in TABLE:
        if (not rule.methods or method in rule.methods) and rule.paths.fullmatch(path):
            return rule.scope
    return Scope.READ if method in READING | {"OPTIONS"} else Scope.WRITE


def _none() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: whoever has one of the `tokens` or, while none are asked for, this machine.

    `tokens` returns those in force by their hashes, None while none are asked for, or raises `StoreError`. `names` are those
    by which this machine may call the interface besides loopback addresses; `origins` the sites whose pages may ask.
    """

    tokens: Callable[[], Mapping[str, Token] | None] = field(default=_none)
    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
