"""What Grafana does with the variables of a dashboard before it asks Graphite, as far as our dashboards use them.

Source: Grafana, "Variable syntax", "Graphite template variables": several values become a glob, ``{a,b}``, or with ``:regex`` a
regular expression, ``(a|b)``; the value for all is put in as it is. Queries are ``tag_values(…)``, or a pattern of
``/metrics/find``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nilometer.query import browse, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.capability import SeriesReader

VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::(\w+))?\})")
TAG_VALUES = re.compile(r"tag_values\((.*)\)")


def filled(target: str, board: Mapping[str, Any], chosen: Mapping[str, Sequence[str]]) -> str:
    """Return a target with what is chosen, by variable, all where nothing is. Raise KeyError for a variable that is none."""
    everything = {variable["name"]: variable["allValue"] for variable in board["templating"]["list"]}

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in chosen or name not in everything:
            return str(everything[name])
        values = [re.escape(each) if found[3] == "regex" else each for each in chosen[name]]
        if len(values) == 1:
            return values[0]
        return f"({'|'.join(values)})" if found[3] == "regex" else f"{{{','.join(values)}}}"

    return VARIABLE.sub(value, target)


def offered(reader: SeriesReader, query: str) -> list[str]:
    """Return what a variable's query offers."""
    found = TAG_VALUES.fullmatch(query)
    if found is None:
        return sorted({node.name for node in find.nodes(reader, query)})
    tag, *expressions = found[1].split(",")
    return browse.complete_values(reader, expressions, tag, "", None)
