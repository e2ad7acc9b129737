"""The names under which series are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nilometer.query.aggregates import ALL_NAMES, SERIES, aggregate_of, largest, last, smallest
from nilometer.query.functions.parts import key_of, regular_expression, replaced
from nilometer.query.functions.table import ALIAS, SERIES_LIST, SPECIAL, Param, function
from nilometer.query.limits import MOST_NAME, QueryError

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value

SEARCH, REPLACE = Param("search", "string", required=True), Param("replace", "string", required=True)
NEW_NAME = Param("newName", "string", required=True)
POSITIONS = Param("pos", "integer", multiple=True)
SI, BINARY = "si", "binary"
PREFIXES: dict[str, tuple[tuple[str, float], ...]] = {
    BINARY: tuple((sign, 1024.0**power) for power, sign in ((5, "Pi"), (4, "Ti"), (3, "Gi"), (2, "Mi"), (1, "Ki"))),
    SI: tuple((sign, 1000.0**power) for power, sign in ((5, "P"), (4, "T"), (3, "G"), (2, "M"), (1, "k"))),
}
FORMAT = re.compile(r"%[-+ 0#]?\d{0,2}(?:\.\d{0,2})?[diouxXeEfFgGs]")


@function(ALIAS, SERIES_LIST, NEW_NAME, names=("alias",))
def alias(context: Context, series_list: list[Points], name: str) -> list[Points]:
    """Show the series under a name: ``alias(servers.one.cpu,"CPU")``."""
    del context
    for series in series_list:
        series.name = name
    return series_list


@function(ALIAS, SERIES_LIST, Param("nodes", "nodeOrTag", required=True, multiple=True), names=("aliasByNode",))
def alias_by_node(context: Context, series_list: list[Points], *nodes: Any) -> list[Points]:  # noqa: ANN401 numbers and tags
    """Show the series under parts of their names, counted from 0, and tags: ``aliasByNode(servers.*.cpu,1)``."""
    del context
    for series in series_list:
        series.name = key_of(series, nodes)
    return series_list


@function(ALIAS, SERIES_LIST, Param("tags", "nodeOrTag", required=True, multiple=True), names=("aliasByTags",))
def alias_by_tags(context: Context, series_list: list[Points], *tags: Any) -> list[Points]:  # noqa: ANN401 numbers and tags
    """Show the series under their tags: ``aliasByTags(seriesByTag("name=cpu"),"server","name")``."""
    return alias_by_node(context, series_list, *tags)


@function(ALIAS, SERIES_LIST, names=("aliasByMetric",))
def alias_by_metric(context: Context, series_list: list[Points]) -> list[Points]:
    """Show the series under the last part of their names."""
    return part_of_name(context, series_list, -1, 0)


@function(ALIAS, SERIES_LIST, SEARCH, REPLACE, names=("aliasSub",))
def alias_sub(context: Context, series_list: list[Points], search: str, replacement: str) -> list[Points]:
    r"""Replace in the names what a regular expression matches: ``aliasSub(servers.*.cpu,"^.*\.(\w+)\.cpu","\1")``."""
    del context
    pattern = regular_expression(search)
    for series in series_list:
        series.name = replaced(pattern, replacement, series.name)
    return series_list


@function(ALIAS, SERIES_LIST, SEARCH, REPLACE, NEW_NAME, names=("aliasQuery",))
def alias_query(context: Context, series_list: list[Points], search: str, replacement: str, name: str) -> list[Points]:
    """Show the series under the last value of another target, whose text comes from the name by replacing."""
    pattern = regular_expression(search)
    for series in series_list:
        target = replaced(pattern, replacement, series.name)
        found = context.again(context, context.parse(target))
        value = last(found[0].values) if found else None
        if value is None:
            message = f"the target {target[:100]!r} has no last value"
            raise QueryError(message)
        series.name = FORMAT.sub(lambda form, value=value: _formatted(form.group(), value), name).replace("%%", "%")  # type: ignore[misc]  # bound at once
    return series_list


def _formatted(form: str, value: float) -> str:
    return form % (int(value) if form[-1] in "xXo" else value)


@function(
    SPECIAL,
    SERIES_LIST,
    Param("start", "node", default=0, tells=0),
    Param("stop", "node", default=0, tells=0),
    names=("substr",),
)
def part_of_name(context: Context, series_list: list[Points], start: int, stop: int) -> list[Points]:
    """Show the series under the parts of their names from `start` to before `stop`, as a slice."""
    del context
    for series in series_list:
        end = series.name.find(")")
        plain = series.name[series.name.rfind("(") + 1 : end if end >= 0 else len(series.name)]
        parts = plain.split(".")
        series.name = ".".join(parts[start:stop] if stop else parts[start:]).partition(",")[0]
    return series_list


def _cased(name: str, positions: tuple[int, ...], *, upper: bool) -> str:
    change = str.upper if upper else str.lower
    if not positions:
        return change(name)
    signs = list(name)
    for place in positions:
        if -len(signs) <= place < len(signs):
            signs[place] = change(signs[place])
    return "".join(signs)


@function(ALIAS, SERIES_LIST, POSITIONS, names=("upper",))
def upper_case(context: Context, series_list: list[Points], *positions: int) -> list[Points]:
    """Show the names, or their signs at some positions, in upper case."""
    del context
    for series in series_list:
        series.name = _cased(series.name, positions, upper=True)
    return series_list


@function(ALIAS, SERIES_LIST, POSITIONS, names=("lower",))
def lower_case(context: Context, series_list: list[Points], *positions: int) -> list[Points]:
    """Show the names, or their signs at some positions, in lower case."""
    del context
    for series in series_list:
        series.name = _cased(series.name, positions, upper=False)
    return series_list


@function(
    ALIAS,
    SERIES_LIST,
    Param("valuesTypes", "string", multiple=True, options=(*ALL_NAMES, *(f"{name}{SERIES}" for name in ALL_NAMES), SI, BINARY)),
    names=("legendValue",),
)
def legend_value(context: Context, series_list: list[Points], *kinds: str) -> list[Points]:
    """Add aggregates of the values to the names: ``legendValue(requests,"avg","max","si")``."""
    del context
    system = kinds[-1] if kinds and kinds[-1] in PREFIXES else ""
    for kind in kinds[:-1] if system else kinds:
        for series in series_list:
            value = "(?)" if kind.endswith(SERIES) else aggregate_of(kind)(series.values)
            if system:
                text = with_prefix(value, system) if isinstance(value, int | float) else value
                series.name = f"{series.name:<20}{kind:<5}{text!s:<10}"
            else:
                series.name += f" ({kind}: {value})"
    return series_list


def with_prefix(value: float, system: str, unit: str = "") -> str:
    """Return a number with two digits after the point and the largest prefix that it reaches."""
    for sign, size in PREFIXES[system]:
        if abs(value) >= size:
            return f"{value / size:.2f}{' ' if unit else ''}{sign}{unit}"
    return f"{value:.2f}{' ' if unit else ''}{unit}"


@function(
    SPECIAL, SERIES_LIST, Param("system", "string", options=(SI, BINARY)), Param("units", "string"), names=("cactiStyle",)
)
def cacti_style(context: Context, series_list: list[Points], system: str | None, units: str | None) -> list[Points]:
    """Add last, largest and smallest value to the names, in columns."""
    del context

    def text(value: Value) -> str:
        if value is None:
            return "nan"
        return with_prefix(value, system, units or "") if system else f"{value:.2f}{' ' if units else ''}{units or ''}"

    columns = {"Current": last, "Max": largest, "Min": smallest}
    width = max((len(series.name) for series in series_list), default=0)
    rounds = {
        word: max((len(text(int(fold(each.values) or 3))) for each in series_list), default=0) + 3
        for word, fold in columns.items()
    }
    for series in series_list:
        shown = (f"{word}:{text(_as_float(fold(series.values))):<{rounds[word]}}" for word, fold in columns.items())
        series.name = f"{series.name:<{min(width, MOST_NAME)}} {' '.join(shown)} "
    return series_list


def _as_float(value: Value) -> Value:
    return None if value is None else float(value)
