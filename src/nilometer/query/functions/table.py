"""The table of functions: what the language calls them, what they take, what ``/functions`` tells about them.

Rules:

* A function is Python's, decorated with `function`; its docstring is the description. It takes the context, then its parameters
  in the table's order, checked and with their defaults; those of a parameter that repeats come last, one by one.
* It may change the series that it is given, which nobody else holds, and returns series.
* Names, parameters and groups are graphite-web's, so that Grafana's editor shows what it shows for Graphite.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nilometer.query.aggregates import ALL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = TypeVar("Make", bound=Callable[..., Any])

COMBINE = "Combine"
TRANSFORM = "Transform"
CALCULATE = "Calculate"
FILTER_SERIES = "Filter Series"
FILTER_DATA = "Filter Data"
SORTING = "Sorting"
ALIAS = "Alias"
GRAPH = "Graph"
SPECIAL = "Special"
AGGREGATION, AGGREGATION_OR_FUNCTION = "aggFunc", "aggOrSeriesFunc"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: the type is one of graphite-web's words for them.

    `tells` is the default that ``/functions`` tells, where the function has to know that nothing was said.
    """

    name: str
    type: str
    required: bool = False
    default: Any = None
    multiple: bool = False
    options: tuple[Any, ...] = ()
    suggestions: tuple[Any, ...] = ()
    tells: Any = None

    def told(self) -> dict[str, Any]:
        """Return it as ``/functions`` tells it."""
        shown: dict[str, Any] = {"name": self.name, "type": self.type}
        default = self.default if self.tells is None else self.tells
        told = {"required": self.required, "default": default, "multiple": self.multiple}
        shown |= {key: value for key, value in told.items() if value is not None and value is not False}
        if default is False:
            shown["default"] = False
        options = {*self.options, *_options_of(self.type)}
        if options:
            shown["options"] = sorted(options, key=str)
        if self.suggestions:
            shown["suggestions"] = list(self.suggestions)
        return shown

    def signature(self) -> str:
        """Return it as a signature shows it."""
        if self.multiple:
            return f"*{self.name}"
        return self.name if self.required else f"{self.name}={self.default!r}"


def _options_of(kind: str) -> list[str]:
    if kind == AGGREGATION:
        return ALL_NAMES
    if kind == AGGREGATION_OR_FUNCTION:
        return [*ALL_NAMES, *(name for name, entry in TABLE.items() if entry.aggregator)]
    return []


@dataclass(frozen=True, slots=True)
class Function:
    """An entry. `aggregator` says whether ``groupByNode`` and its relatives offer it."""

    name: str
    group: str
    description: str
    params: tuple[Param, ...]
    make: Callable[..., Any]
    aggregator: bool

    def told(self) -> dict[str, Any]:
        """Return it as ``/functions`` tells it."""
        return {
            "name": self.name,
            "function": f"{self.name}({', '.join(param.signature() for param in self.params)})",
            "description": self.description,
            "module": self.make.__module__,
            "group": self.group,
            "params": [param.told() for param in self.params],
        }


TABLE: dict[str, Function] = {}
"""The functions by name."""


def function(group: str, *params: Param, names: tuple[str, ...], aggregator: bool = False) -> Callable[[Make], Make]:
    """Enter a function into the table, under each of its names."""

    def enter(make: Make) -> Make:
        for name in names:
            TABLE[name] = Function(name, group, inspect.getdoc(make) or "", params, make, aggregator)
        return make

    return enter


SERIES_LIST = Param("seriesList", "seriesList", required=True)
SERIES_LISTS = Param("seriesLists", "seriesList", required=True, multiple=True)
X_FILES_FACTOR = Param("xFilesFactor", "float")
COUNT = Param("n", "integer", required=True)
NUMBER = Param("n", "float", required=True)
WINDOW = Param("windowSize", "intOrInterval", required=True, suggestions=(5, 7, 10, "1min", "5min", "10min", "30min", "1hour"))
INTERVAL = Param("intervalString", "interval", required=True, suggestions=("10min", "1h", "1d"))
