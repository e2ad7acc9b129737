"""Each value on its own: scaled, rounded, raised to a power, bounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nilometer.query.aggregates import largest, power, product, smallest
from nilometer.query.functions.parts import each_known, each_value
from nilometer.query.functions.table import SERIES_LIST, TRANSFORM, Param, function

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value

FACTOR = Param("factor", "float", required=True)


def _changed(series_list: list[Points], name: str, tag: object, change: Callable[[Value], Value]) -> list[Points]:
    """Change the values of all series, call them after the function, and tag them with it."""
    for series in series_list:
        series.tags[name] = tag
        series.call(f"{name}({series.name})")
        each_value(series, change)
    return series_list


def _guarded(change: Callable[[float], float]) -> Callable[[Value], Value]:
    """Return a change that is None wherever it cannot be computed."""

    def changed(value: Value) -> Value:
        try:
            return None if value is None else change(value)
        except (ValueError, ArithmeticError):
            return None

    return changed


@function(TRANSFORM, SERIES_LIST, FACTOR, names=("scale",))
def scale(context: Context, series_list: list[Points], factor: float) -> list[Points]:
    """Multiply by a number: ``scale(bytes,0.001)``."""
    del context
    for series in series_list:
        series.tags["scale"] = factor
        series.call(f"scale({series.name},{factor:g})")
        each_value(series, lambda value: product(value, factor))
    return series_list


@function(TRANSFORM, SERIES_LIST, Param("seconds", "float", required=True), names=("scaleToSeconds",))
def scale_to_seconds(context: Context, series_list: list[Points], seconds: float) -> list[Points]:
    """Turn a number for each step into one for each so many seconds: ``scaleToSeconds(requests.count,1)``."""
    del context
    for series in series_list:
        factor = seconds / series.step
        series.tags["scaleToSeconds"] = seconds
        series.call(f"scaleToSeconds({series.name},{int(seconds)})")
        each_known(series, lambda value, factor=factor: round(value * factor, 6))  # type: ignore[misc]  # bound at once
    return series_list


@function(TRANSFORM, SERIES_LIST, Param("constant", "float", required=True), names=("add",))
def add(context: Context, series_list: list[Points], constant: float) -> list[Points]:
    """Add a number."""
    del context
    for series in series_list:
        series.tags["add"] = constant
        series.call(f"add({series.name},{int(constant)})")
        each_known(series, lambda value: value + constant)
    return series_list


@function(TRANSFORM, SERIES_LIST, FACTOR, names=("offset",))
def offset(context: Context, series_list: list[Points], factor: float) -> list[Points]:
    """Add a number: ``offset(temperature,-273.15)``."""
    del context
    for series in series_list:
        series.tags["offset"] = factor
        series.call(f"offset({series.name},{factor:g})")
        each_known(series, lambda value: value + factor)
    return series_list


@function(TRANSFORM, SERIES_LIST, names=("offsetToZero",))
def offset_to_zero(context: Context, series_list: list[Points]) -> list[Points]:
    """Move each series so that its minimum is 0."""
    del context
    for series in series_list:
        least = smallest(series.values)
        series.tags["offsetToZero"] = least
        series.call(f"offsetToZero({series.name})")
        each_known(series, lambda value, least=least or 0: value - least)  # type: ignore[misc]  # bound at once
    return series_list


@function(TRANSFORM, SERIES_LIST, names=("minMax",))
def min_max(context: Context, series_list: list[Points]) -> list[Points]:
    """Bring each series to between 0, its minimum, and 1, its maximum."""
    del context
    for series in series_list:
        least, most = smallest(series.values) or 0.0, largest(series.values) or 0.0
        series.call(f"minMax({series.name})")
        width = most - least
        series.values = [None if value is None else float(value - least) / width if width else 0.0 for value in series.values]
    return series_list


@function(TRANSFORM, SERIES_LIST, FACTOR, names=("pow",))
def to_power(context: Context, series_list: list[Points], factor: float) -> list[Points]:
    """Raise to a power."""
    del context
    for series in series_list:
        series.tags["pow"] = factor
        series.call(f"pow({series.name},{factor:g})")
        each_value(series, lambda value: power(value, factor))
    return series_list


@function(TRANSFORM, SERIES_LIST, names=("squareRoot",))
def square_root(context: Context, series_list: list[Points]) -> list[Points]:
    """Take the square root."""
    del context
    return _changed(series_list, "squareRoot", 1, lambda value: power(value, 0.5))


@function(TRANSFORM, SERIES_LIST, names=("invert",))
def invert(context: Context, series_list: list[Points]) -> list[Points]:
    """Take the reciprocal."""
    del context
    return _changed(series_list, "invert", 1, lambda value: power(value, -1))


@function(TRANSFORM, SERIES_LIST, names=("absolute",))
def absolute(context: Context, series_list: list[Points]) -> list[Points]:
    """Take the absolute value."""
    del context
    return _changed(series_list, "absolute", 1, lambda value: None if value is None else abs(value))


@function(TRANSFORM, SERIES_LIST, names=("exp",))
def exponential(context: Context, series_list: list[Points]) -> list[Points]:
    """Raise e to the power of each value."""
    del context
    return _changed(series_list, "exp", "e", _guarded(math.exp))


@function(TRANSFORM, SERIES_LIST, names=("sigmoid",))
def sigmoid(context: Context, series_list: list[Points]) -> list[Points]:
    """Take the sigmoid, ``1 / (1 + exp(-value))``."""
    del context
    return _changed(series_list, "sigmoid", "sigmoid", _guarded(lambda value: 1 / (1 + math.exp(-value))))


@function(TRANSFORM, SERIES_LIST, names=("logit",))
def logit(context: Context, series_list: list[Points]) -> list[Points]:
    """Take the logit, ``log(value / (1 - value))``."""
    del context
    return _changed(series_list, "logit", "logit", _guarded(lambda value: math.log(value / (1 - value))))


@function(TRANSFORM, SERIES_LIST, Param("base", "integer", default=10), names=("log",))
def logarithm(context: Context, series_list: list[Points], base: int) -> list[Points]:
    """Take the logarithm."""
    del context
    made = []
    for series in series_list:
        series.tags["log"] = base
        values = [math.log(value, base) if value is not None and value > 0 else None for value in series.values]
        made.append(series.copy(f"log({series.name}, {base})", values))
    return made


@function(TRANSFORM, SERIES_LIST, Param("precision", "integer", tells=0), names=("round",))
def rounded(context: Context, series_list: list[Points], precision: int | None) -> list[Points]:
    """Round to so many digits after the point."""
    del context
    for series in series_list:
        series.tags["round"] = precision or 0
        series.call(f"round({series.name})" if precision is None else f"round({series.name},{precision:g})")
        each_known(series, lambda value: round(value, precision or 0))
    return series_list


@function(TRANSFORM, SERIES_LIST, names=("isNonNull",))
def is_known(context: Context, series_list: list[Points]) -> list[Points]:
    """Show 1 where there is a value and 0 where there is none."""
    del context
    return _changed(series_list, "isNonNull", 1, lambda value: int(value is not None))
