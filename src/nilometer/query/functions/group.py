"""Series grouped by parts of their names or by tags, and what becomes of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.query.functions.combine import aggregate
from nilometer.query.functions.parts import grouped
from nilometer.query.functions.table import AGGREGATION_OR_FUNCTION, COMBINE, SERIES_LIST, TABLE, Param, function
from nilometer.query.limits import QueryError
from nilometer.query.series import tags_of

if TYPE_CHECKING:
    from nilometer.query.context import Context
    from nilometer.query.series import Points

CALLBACK = Param("callback", AGGREGATION_OR_FUNCTION, required=True)
NODES = Param("nodes", "nodeOrTag", multiple=True)
NAME = "name"


def _called_back(context: Context, callback: str, members: list[Points]) -> Points | None:
    entry = TABLE.get(callback)
    if entry is None:
        made = aggregate(context, members, callback)
    elif len([param for param in entry.params if param.required]) == 1 and entry.params[0].type == "seriesList":
        defaults = [param.default for param in entry.params[1:] if not param.multiple]
        made = entry.make(context, members, *defaults)
    else:
        message = f"{callback} needs more arguments than the series of a group"
        raise QueryError(message)
    return made[0] if made else None


@function(COMBINE, SERIES_LIST, CALLBACK, NODES, names=("groupByNodes",))
def group_by_nodes(context: Context, series_list: list[Points], callback: str, *nodes: Any) -> list[Points]:  # noqa: ANN401 numbers and tags
    """Make one series of those that are alike in some nodes: ``groupByNodes(servers.*.cpu.*,"sum",1,3)``."""
    made = []
    for key, members in grouped(series_list, nodes).items():
        series = _called_back(context, callback, members)
        if series is not None:
            series.name = key
            made.append(series)
    return made


@function(
    COMBINE,
    SERIES_LIST,
    Param("nodeNum", "nodeOrTag", required=True),
    Param("callback", AGGREGATION_OR_FUNCTION, default="average"),
    names=("groupByNode",),
)
def group_by_node(context: Context, series_list: list[Points], node: Any, callback: str) -> list[Points]:  # noqa: ANN401 a number or a tag
    """Make one series of those that are alike in a node: ``groupByNode(servers.*.cpu.*,1,"sum")``."""
    return group_by_nodes(context, series_list, callback, node)


@function(COMBINE, SERIES_LIST, CALLBACK, Param("tags", "tag", required=True, multiple=True), names=("groupByTags",))
def group_by_tags(context: Context, series_list: list[Points], callback: str, *tags: str) -> list[Points]:
    """Make one series of those that are alike in some tags: ``groupByTags(seriesByTag("name=cpu"),"average","dc")``."""
    others = sorted(tag for tag in tags if tag != NAME)
    names = {series.tags.get(NAME, "") for series in series_list}
    common = next(iter(names)) if len(names) == 1 else callback
    groups: dict[str, list[Points]] = {}
    for series in series_list:
        name = series.tags.get(NAME, "") if NAME in tags else common
        key = ";".join([name, *sorted(f"{tag}={series.tags.get(tag, '')}" for tag in others)])
        groups.setdefault(key, []).append(series)
    made = []
    for key, members in groups.items():
        series_made = _called_back(context, callback, members)
        if series_made is not None:
            series_made.call(key)
            series_made.tags = tags_of(key)
            made.append(series_made)
    return made


@function(COMBINE, SERIES_LIST, Param("mapNodes", "nodeOrTag", required=True, multiple=True), names=("mapSeries", "map"))
def map_series(context: Context, series_list: list[Points], *nodes: Any) -> list[list[Points]]:  # noqa: ANN401 numbers and tags
    """Sort the series into lists by nodes, for ``reduceSeries``."""
    del context
    return list(grouped(series_list, nodes).values())


@function(
    COMBINE,
    Param("seriesLists", "seriesLists", required=True),
    Param("reduceFunction", "string", required=True),
    Param("reduceNode", "node", required=True),
    Param("reduceMatchers", "string", required=True, multiple=True),
    names=("reduceSeries", "reduce"),
)
def reduce_series(context: Context, lists: list[list[Points]], name: str, node: int, *matchers: str) -> list[Points]:
    """Call a function with the series that are alike but for a node: ``reduceSeries(map(…,1),"asPercent",3,"used","all")``."""
    entry = TABLE.get(name)
    if entry is None or not (entry.aggregator or name in ("divideSeries", "powSeries")):
        message = f"{name!r} is no function that reduces series, like asPercent or diffSeries"
        raise QueryError(message)
    groups: dict[str, list[list[Points]]] = {}
    for series_list in lists:
        for series in series_list:
            parts = series.name.split(".")
            if -len(parts) <= node < len(parts) and parts[node] in matchers:
                key = f"{'.'.join(parts[:node])}.reduce.{name}"
                groups.setdefault(key, [[] for _ in matchers])[matchers.index(parts[node])] = [series]
    made = []
    for key, members in groups.items():
        if [] in members:
            continue
        reduced = entry.make(context, *members)
        if reduced:
            reduced[0].name = key
            made.append(reduced[0])
    return made


@function(
    COMBINE,
    SERIES_LIST,
    Param("nodeNum", "node", required=True),
    Param("templateFunction", "string", required=True),
    Param("newName", "string"),
    names=("applyByNode",),
)
def apply_by_node(context: Context, series_list: list[Points], node: int, template: str, name: str | None) -> list[Points]:
    """Evaluate a target for each beginning of names, ``%`` in it standing for that: ``applyByNode(web.*,1,"sum(%.*)")``."""
    made = []
    for prefix in sorted({".".join(series.name.split(".")[: node + 1]) for series in series_list}):
        for series in context.again(context, context.parse(template.replace("%", prefix))):
            if name:
                series.name = name.replace("%", prefix)
            series.path_expression = prefix
            series.start, series.end = series_list[-1].start, series_list[-1].end
            made.append(series)
    return made


@function(COMBINE, Param("seriesLists", "seriesList", multiple=True), names=("group",))
def group(context: Context, *series_lists: list[Points]) -> list[Points]:
    """Take the series of several targets as one list."""
    del context
    return [series for each in series_lists for series in each]
