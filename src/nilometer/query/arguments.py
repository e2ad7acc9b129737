"""Checking what a function is given against what it takes.

Rules:

* What can be read as the type is taken as that; None stands for the default.
* An error names the function, the parameter and the value.

Source: graphite-web 1.1, which has the same types and, where asked to, enforces them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.errors import did_you_mean
from nilometer.query import times
from nilometer.query.aggregates import ALL_NAMES, SERIES
from nilometer.query.functions.table import TABLE
from nilometer.query.limits import QueryError
from nilometer.query.series import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.query.functions.table import Function, Param

INFINITY = float("inf")
SHOWN = 80


def unknown(name: str, known: Iterable[str]) -> QueryError:
    """Return the error for a function that is not there."""
    return QueryError(f"there is no function {name[:SHOWN]!r}{did_you_mean(name, known)}; /functions lists them")


def checked(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """Return the values of the parameters, in their order. Raise `QueryError`."""
    params = function.params
    repeats = bool(params) and params[-1].multiple
    if len(args) > len(params) and not repeats:
        message = f"{function.name} takes {len(params)} arguments, not {len(args)}"
        raise QueryError(message)
    names = {param.name for param in params[len(args) :]}
    for name in kwargs:
        if name not in names:
            message = f"{function.name} takes no further argument {name[:SHOWN]!r}"
            raise QueryError(message)
    given = []
    for place, param in enumerate(params):
        if param.multiple:
            values = list(args[place:]) or ([kwargs[param.name]] if param.name in kwargs else [])
            if param.required and not values:
                raise _missing(function, param)
            if None in values and param.type == "seriesList":
                raise _missing(function, param)
            given += [_value(function, param, value) for value in values]
        else:
            given.append(_value(function, param, args[place] if place < len(args) else kwargs.get(param.name)))
    return given


def _missing(function: Function, param: Param) -> QueryError:
    return QueryError(f"{function.name} needs an argument {param.name} ({param.type})")


def _value(function: Function, param: Param, value: Any) -> Any:  # noqa: ANN401 whatever the language can hold
    if value is None:
        if param.required:
            raise _missing(function, param)
        return param.default
    check = TYPES.get(param.type)
    try:
        if param.options and not isinstance(value, list) and value in param.options:
            return value
        if param.options and None not in param.options:
            raise ValueError  # noqa: TRY301 told like what the check refuses
        return value if check is None else check(value)
    except (ValueError, TypeError, OverflowError, QueryError) as error:
        shown = f"{len(value)} series" if isinstance(value, list) else repr(value)[:SHOWN]
        options = f"; one of {', '.join(map(str, param.options))}" if param.options else ""
        message = f"{function.name}: {param.name} is of type {param.type}, not {shown}{options}"
        raise QueryError(message) from error


def _boolean(value: Any) -> bool:  # noqa: ANN401 to be checked
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _float(value: Any) -> float:  # noqa: ANN401 to be checked
    if isinstance(value, list):
        raise ValueError  # noqa: TRY004 told as the others
    return float(value)


def _integer(value: Any) -> int:  # noqa: ANN401 to be checked
    if isinstance(value, float | list):
        raise ValueError  # noqa: TRY004 told as the others
    return int(value)


def _integer_or_infinity(value: Any) -> float:  # noqa: ANN401 to be checked
    return INFINITY if _float(value) == INFINITY else _integer(value)


def _interval(value: Any) -> str:  # noqa: ANN401 to be checked
    times.seconds(value)
    return str(value)


def _integer_or_interval(value: Any) -> int | str:  # noqa: ANN401 to be checked
    return _interval(value) if isinstance(value, str) else _integer(value)


def _text(value: Any) -> str:  # noqa: ANN401 to be checked
    if isinstance(value, list):
        raise ValueError  # noqa: TRY004 told as the others
    return str(value)


def _node_or_tag(value: Any) -> Any:  # noqa: ANN401 to be checked
    if isinstance(value, list):
        raise ValueError  # noqa: TRY004 told as the others
    return value


def _series(value: Any) -> list[Points]:  # noqa: ANN401 to be checked
    if not isinstance(value, list) or not all(isinstance(each, Points) for each in value):
        raise ValueError
    return value


def _series_lists(value: Any) -> list[list[Points]]:  # noqa: ANN401 to be checked
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 told as the others
    return [each if isinstance(each, list) else [each] for each in value]


def _aggregation(value: Any) -> str:  # noqa: ANN401 to be checked
    if not isinstance(value, str) or value.removesuffix(SERIES) not in ALL_NAMES:
        raise ValueError
    return value


def _aggregation_or_function(value: Any) -> str:  # noqa: ANN401 to be checked
    if isinstance(value, str) and value in TABLE:
        return value
    return _aggregation(value)


TYPES: dict[str, Callable[[Any], Any]] = {
    "aggFunc": _aggregation,
    "aggOrSeriesFunc": _aggregation_or_function,
    "boolean": _boolean,
    "date": _text,
    "float": _float,
    "integer": _integer,
    "interval": _interval,
    "intOrInf": _integer_or_infinity,
    "intOrInterval": _integer_or_interval,
    "node": _integer,
    "nodeOrTag": _node_or_tag,
    "seriesList": _series,
    "seriesLists": _series_lists,
    "string": _text,
    "tag": _text,
}
"""The check of each type, by graphite-web's word for it; what is not here is taken as it stands."""
