"""Who may ask over HTTP, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: whoever has the token or, without one, this machine, by these names too."""

    token: str = ""
    names: frozenset[str] = frozenset()
