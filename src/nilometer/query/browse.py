"""What there is: the tree of paths in the forms that clients ask for, and tags with their values.

Rules:

* Series with tags are no part of the tree; those without are no part of the tags. ``name`` is a tag.
* An answer of more than `MOST_FOUND` nodes is refused; lists of tags and values end there.

Source: graphite-web 1.1, "The Metrics API", "Graphite Tag Support".
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from nilometer.query import find
from nilometer.query.limits import MOST_FOUND, MOST_PATHS, QueryError, TooMuch
from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.capability import SeriesReader
    from nilometer.query.find import Node

USUAL_LIMIT = 100
"""Tags or values that are offered where no limit is named."""


class Asked(NamedTuple):
    """A question for nodes: a pattern, and how they are told."""

    pattern: str
    leaves_only: bool = False
    wildcards: bool = False
    position: int = -1


def _nodes(reader: SeriesReader, pattern: str, *, leaves_only: bool) -> list[Node]:
    found = [node for node in find.nodes(reader, pattern) if node.is_leaf or not leaves_only]
    if len(found) > MOST_FOUND:
        message = f"{pattern[:100]!r} matches more than {MOST_FOUND} nodes; narrow it"
        raise TooMuch(message)
    return found


def _folder(pattern: str) -> str:
    folder, dot, _ = pattern.rpartition(".")
    return folder + dot


def _tree_node(text: str, path: str, *, is_leaf: bool) -> dict[str, Any]:
    below = 0 if is_leaf else 1
    return {"text": text, "id": path, "allowChildren": below, "expandable": below, "leaf": 1 - below}


def tree(reader: SeriesReader, asked: Asked) -> list[dict[str, Any]]:
    """Return nodes as the browser's tree takes them, each name once, folders first."""
    found = _nodes(reader, asked.pattern, leaves_only=asked.leaves_only)
    folder = _folder(asked.pattern)
    names: dict[str, Node] = {}
    for node in found:
        names.setdefault(node.name, node)
    told = [_tree_node(unquote_plus(name), folder + name, is_leaf=node.is_leaf) for name, node in names.items()]
    told.sort(key=lambda node: int(node["leaf"]))
    if len(found) > 1 and asked.wildcards:
        told.insert(0, _tree_node("*", folder + "*", is_leaf=all(node.is_leaf for node in found)))
    return told


def completer(reader: SeriesReader, asked: Asked) -> dict[str, Any]:
    """Return nodes that continue what was typed."""
    pattern = asked.pattern.replace("..", "*.")
    pattern = pattern if pattern.endswith("*") else pattern + "*"
    told: list[dict[str, str]] = []
    for node in _nodes(reader, pattern, leaves_only=asked.leaves_only):
        path = node.path if node.is_leaf else node.path + "."
        told.append({"path": path, "name": node.name, "is_leaf": str(int(node.is_leaf))})
    return {"metrics": [*told, {"name": "*"}] if len(told) > 1 and asked.wildcards else told}


def plain(reader: SeriesReader, asked: Asked) -> list[dict[str, Any]]:
    """Return paths, and whether they are series."""
    found = _nodes(reader, asked.pattern, leaves_only=asked.leaves_only)
    return [{"path": node.path, "is_leaf": node.is_leaf} for node in sorted(found)]


def by_position(reader: SeriesReader, asked: Asked) -> dict[str, list[str]]:
    """Return the parts of the found paths at one place."""
    found = (node.path.split(".") for node in _nodes(reader, asked.pattern, leaves_only=asked.leaves_only))
    place = asked.position
    return {"nodes": sorted({parts[place] for parts in found if -len(parts) <= place < len(parts)})}


FORMATS: dict[str, Callable[[SeriesReader, Asked], Any]] = {
    "treejson": tree,
    "completer": completer,
    "json": plain,
    "nodelist": by_position,
}


def expanded(reader: SeriesReader, patterns: Sequence[str], *, leaves_only: bool, by_query: bool) -> dict[str, Any]:
    """Return the paths of the nodes that patterns mean, together or by pattern."""
    found = {
        pattern: {node.path for node in _nodes(reader, pattern, leaves_only=leaves_only)} for pattern in patterns[:USUAL_LIMIT]
    }
    if by_query:
        return {"results": {pattern: sorted(paths) for pattern, paths in found.items()}}
    return {"results": sorted(set().union(*found.values()))}


def index(reader: SeriesReader) -> list[str]:
    """Return all paths."""
    return find.paths(reader, "*")


def _matching(text: str) -> Callable[[str], object]:
    """Return what says whether a tag or a value fits a filter."""
    if not text:
        return lambda _: True
    try:
        return re.compile(text if text.startswith("^") else f"^({text})").search
    except (re.error, OverflowError, RecursionError) as error:
        message = f"{text[:100]!r} is no regular expression: {error}"
        raise QueryError(message) from error


def _counted(values: Iterable[str], text: str) -> list[tuple[str, int]]:
    fits = _matching(text)
    return sorted((value, number) for value, number in Counter(values).items() if fits(value))


def tags(reader: SeriesReader, text: str, limit: int | None) -> list[dict[str, str]]:
    """Return the tags that there are."""
    found = _counted((tag for path in find.tagged(reader) for tag in tags_of(path)), text)
    return [{"tag": name} for name, _ in found[: limit or MOST_FOUND]]


def tag(reader: SeriesReader, name: str, text: str, limit: int | None) -> dict[str, Any] | None:
    """Return a tag's values, and how many series have each; None for a tag that is not there."""
    everything = [tags[name] for tags in map(tags_of, find.tagged(reader)) if name in tags]
    if not everything:
        return None
    found = _counted(everything, text)[: limit or MOST_FOUND]
    return {"tag": name, "values": [{"value": value, "count": number} for value, number in found]}


def find_series(reader: SeriesReader, expressions: Sequence[str]) -> list[str]:
    """Return the paths of the series whose tags fit."""
    if not expressions:
        message = "say what to find: expr=name=requests"
        raise QueryError(message)
    return find.by_tags(reader, expressions)[:MOST_PATHS]


def complete_tags(reader: SeriesReader, expressions: Sequence[str], prefix: str, limit: int | None) -> list[str]:
    """Return tags of the series that fit, but for those that are asked about."""
    asked = {condition.tag for condition in find.conditions(expressions)}
    paths = find.by_tags(reader, expressions) if expressions else find.tagged(reader)
    found = {tag for path in paths for tag in tags_of(path) if tag not in asked and tag.startswith(prefix)}
    return sorted(found)[: USUAL_LIMIT if limit is None else limit]


def complete_values(reader: SeriesReader, expressions: Sequence[str], name: str, prefix: str, limit: int | None) -> list[str]:
    """Return values of a tag of the series that fit."""
    if not name:
        message = "say of which tag: tag=dc"
        raise QueryError(message)
    found = {tags_of(path).get(name, "") for path in find.by_tags(reader, [*expressions, f"{name}!="])}
    return sorted(value for value in found if value and value.startswith(prefix))[: USUAL_LIMIT if limit is None else limit]
