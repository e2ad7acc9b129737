"""Grafana's dashboards for the series that a store has: an overview, and one for each first part of names.

Rules:

* Panels ask with wildcards, one target for each depth of names, so that their number does not grow with the series.
* The same series make the same text: a dashboard's uid is a hash of what it is about.
* `names` tells what a path is, `panels` what is asked about it, `model` how Grafana writes that down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.query.dashboards import model, names, panels
from nilometer.query.dashboards.model import SOURCE_TYPE, UID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SOURCE_TYPE", "UID", "Made", "dashboards"]


class Made(NamedTuple):
    """Dashboards by file name, and how many series are in none."""

    boards: Mapping[str, dict[str, Any]]
    left_out: int


def dashboards(paths: Iterable[str], own: str = "nilometer") -> Made:
    """Return the dashboards for the paths; `own` is the server's own prefix."""
    seen = names.sort(paths, own)
    boards = {"overview": model.board("Nilometer: the server", own, panels.overview(sorted(seen.roots), own), ())}
    for prefix, found in sorted(seen.prefixes.items()):
        charts, variables = panels.about(prefix, found)
        boards[f"prefix-{prefix}"] = model.board(f"Nilometer: {prefix}", f"prefix/{prefix}", charts, variables)
    return Made(boards, seen.left_out)
