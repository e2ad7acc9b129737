"""Looking up paths: by Graphite's patterns, as leaves of the tree or nodes of it, and by tags.

Rules:

* A tagged series, ``name;tag=value``, is no part of the tree: it is found by its tags, or by its whole path.
* A node that is both a series and a folder is told twice, the folder first.
* A tag expression that also fits series without the tag (``tag!=x``, ``tag=``) cannot stand alone. Regular expressions begin at
  the start of the value.
* ``name`` is a tag of each tagged series; a series without tags is not found by tag.
* At most `MOST_PATHS` paths are looked through for one question; a question that needs more is refused.

Source: graphite-web 1.1, "Paths and Wildcards", "Graphite Tag Support".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nilometer.query import patterns
from nilometer.query.limits import MOST_PATHS, QueryError, TooMuch
from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.capability import SeriesReader

EXPRESSION = re.compile(r"([^;!=]+)(!?=~?)([^;]*)")
TAGGED = ";"
NAME = "name"
AT_A_TIME = 256
"""Paths that are taken at once where most will be jumped over."""
LAST = "\U0010ffff"
"""What comes after all that a path can go on with."""
MOST_EXPRESSIONS = 100


class Node(NamedTuple):
    """A node of the tree of paths."""

    path: str
    is_leaf: bool

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]


def paths(reader: SeriesReader, glob: str) -> list[str]:
    """Return the paths that match a store's glob. Raise `TooMuch`."""
    found = reader.find(glob, MOST_PATHS + 1)
    if len(found) > MOST_PATHS:
        message = f"more than {MOST_PATHS} series would be looked through; begin the pattern with more fixed parts"
        raise TooMuch(message)
    return found


def leaves(reader: SeriesReader, pattern: str) -> list[str]:
    """Return the series that a pattern of the language means, sorted."""
    if TAGGED in pattern or not patterns.is_wild(pattern):
        return reader.find(patterns.escaped(pattern), 1)
    matches = patterns.compiled(pattern).match
    return [path for path in paths(reader, patterns.superset(pattern)) if TAGGED not in path and matches(path)]


def nodes(reader: SeriesReader, pattern: str) -> list[Node]:
    """Return the nodes of the tree that a pattern means, by name."""
    pattern = pattern.replace("\\", "")
    if TAGGED in pattern:
        return [Node(path, is_leaf=True) for path in leaves(reader, pattern)]
    matches = patterns.compiled(pattern).match
    folder, dot, last = pattern.rpartition(".")
    if last != patterns.DEEP and not patterns.is_wild(folder):
        inside = children(reader, folder + dot) if patterns.is_wild(last) else _named(reader, pattern)
        return sorted({node for node in inside if matches(node.path)}, key=_by_name)
    depth = None if patterns.DEEP in pattern else pattern.count(".") + 1
    found: set[Node] = set()
    for path in paths(reader, patterns.superset(pattern) + "*"):
        if TAGGED not in path:
            found.update(node for node in _above(path, depth) if node not in found and matches(node.path))
    return sorted(found, key=_by_name)


def _by_name(node: Node) -> tuple[str, str, bool]:
    return node.name, node.path, node.is_leaf


def _named(reader: SeriesReader, path: str) -> Iterable[Node]:
    """Yield the nodes with a path: a folder, a series, both or none."""
    if next(iter(children(reader, f"{path}.")), None) is not None:
        yield Node(path, is_leaf=False)
    if reader.find(patterns.escaped(path), 1):
        yield Node(path, is_leaf=True)


def children(reader: SeriesReader, folder: str) -> Iterable[Node]:
    """Yield the nodes in a folder, whose path ends with a dot. What is in the folders within it is jumped over."""
    after, looked_at = folder, 0
    while looked_at < MOST_PATHS:
        found = reader.find(patterns.escaped(folder) + "*", AT_A_TIME, after)
        looked_at += len(found)
        for path in found:
            if TAGGED in path:
                after = path.partition(TAGGED)[0] + TAGGED + LAST
                continue
            name, dot, _ = path[len(folder) :].partition(".")
            yield Node(folder + name, is_leaf=not dot)
            after = folder + name + dot + LAST if dot else path
        if len(found) < AT_A_TIME:
            return
    message = f"there are more than {MOST_PATHS} series in {folder!r}"
    raise TooMuch(message)


def _above(path: str, depth: int | None) -> Iterable[Node]:
    """Yield the nodes on the way to a path, all or those at a depth."""
    parts = path.split(".")
    for number in range(1, len(parts) + 1) if depth is None else (depth,):
        if number < len(parts):
            yield Node(".".join(parts[:number]), is_leaf=False)
        elif number == len(parts):
            yield Node(path, is_leaf=True)


class Condition(NamedTuple):
    """What is asked of a tag: an expression, taken apart."""

    tag: str
    operator: str
    wanted: str

    def holds(self, value: str) -> bool:
        """Say whether a value fits; a series without the tag has the value of no signs."""
        same = value == self.wanted
        fits = _anchored(self.wanted).search(value) is not None if self.operator.endswith("~") else same
        return fits != self.operator.startswith("!")


@lru_cache(maxsize=64)
def _anchored(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text if text.startswith("^") else f"^({text})")
    except (re.error, OverflowError, RecursionError) as error:
        message = f"{text[:100]!r} is no regular expression: {error}"
        raise QueryError(message) from error


def conditions(expressions: Sequence[str]) -> list[Condition]:
    """Take expressions apart. Raise `QueryError`."""
    if len(expressions) > MOST_EXPRESSIONS:
        message = f"more than {MOST_EXPRESSIONS} tag expressions"
        raise TooMuch(message)
    made = []
    for text in expressions:
        found = EXPRESSION.fullmatch(text)
        if found is None:
            message = f"{text[:100]!r} is no tag expression; for example dc=east, dc!=east, dc=~ea.*, dc!=~ea.*"
            raise QueryError(message)
        made.append(Condition(*found.groups()))
    return made


def by_tags(reader: SeriesReader, expressions: Sequence[str]) -> list[str]:
    """Return the series whose tags fit all expressions, sorted. Raise `QueryError`."""
    asked = conditions(expressions)
    narrowing = [condition for condition in asked if not condition.holds("")]
    if not narrowing:
        message = "at least one tag expression must not fit series without the tag, like dc=east or name=~.+"
        raise QueryError(message)
    found = []
    for path in _candidates(reader, narrowing):
        tags = tags_of(path)
        if all(condition.holds(tags.get(condition.tag, "")) for condition in asked):
            found.append(path)
    return found


def _candidates(reader: SeriesReader, narrowing: Sequence[Condition]) -> list[str]:
    """Return the paths among which those with the tags are."""
    for tag, operator, wanted in narrowing:
        if tag == NAME and operator == "=":
            return paths(reader, f"{patterns.escaped(wanted)};*")
    return paths(reader, superset(narrowing) or f"*{TAGGED}*")


def superset(asked: Sequence[Condition]) -> str | None:
    """Return a store's glob for every path with the tags, None when no glob can tell.

    A store matches a glob without Python's help, so that it hands over few others.
    """
    narrowing = [each for each in asked if each.tag != NAME and not each.holds("")]
    exact = [each for each in narrowing if each.operator == "="]
    for condition in exact or narrowing:
        return f"*;{patterns.escaped(condition.tag)}={patterns.escaped(condition.wanted) if exact else ''}*"
    return None


def tagged(reader: SeriesReader) -> list[str]:
    """Return the series that have tags."""
    return paths(reader, f"*{TAGGED}*")
