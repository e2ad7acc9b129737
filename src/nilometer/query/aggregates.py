"""What several values become: the functions that ``aggregate`` and its relatives take by name.

Values that are None are left out; of none at all, the result is None (but for ``count``).

Source: graphite-web 1.1, its aggregation functions and their other names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nilometer.query.limits import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.query.series import Value

    Aggregate = Callable[[Sequence[Value]], Value]


def known(values: Iterable[Value]) -> list[float]:
    """Return those that are not None."""
    return [value for value in values if value is not None]


def total(values: Sequence[Value]) -> Value:
    """Return the sum."""
    found = known(values)
    return sum(found) if found else None


def average(values: Sequence[Value]) -> Value:
    """Return the mean."""
    found = known(values)
    return sum(found) / len(found) if found else None


def _average_zero(values: Sequence[Value]) -> Value:
    return sum(value or 0 for value in values) / len(values) if values else None


def _median(values: Sequence[Value]) -> Value:
    found = sorted(known(values))
    if not found:
        return None
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else float(found[middle - 1] + found[middle]) / 2


def smallest(values: Sequence[Value]) -> Value:
    """Return the minimum."""
    return min(known(values), default=None)


def largest(values: Sequence[Value]) -> Value:
    """Return the maximum."""
    return max(known(values), default=None)


def _difference(values: Sequence[Value]) -> Value:
    found = known(values)
    return sum([found[0], *(-value for value in found[1:])]) if found else None


def _deviation(values: Sequence[Value]) -> Value:
    found = known(values)
    if not found:
        return None
    mean = sum(found) / len(found)
    squares = 0.0
    for value in found:
        squares = squares + (value - mean) * (value - mean)
    return math.sqrt(squares / len(found))


def _count(values: Sequence[Value]) -> Value:
    return len(known(values))


def _range(values: Sequence[Value]) -> Value:
    found = known(values)
    return float(max(found)) - float(min(found)) if found else None


def product(*values: Value) -> Value:
    """Return the product, None when a factor is None."""
    found = known(values)
    if len(found) < len(values) or not found:
        return None
    result = float(found[0])
    for value in found[1:]:
        result = result * float(value)
    return result


def _product(values: Sequence[Value]) -> Value:
    return product(*values)


def last(values: Sequence[Value]) -> Value:
    """Return the last that is not None."""
    return next((value for value in reversed(values) if value is not None), None)


def quotient(dividend: Value, divisor: Value) -> Value:
    """Return the quotient, None when a side is None or the divisor is zero."""
    return None if dividend is None or not divisor else dividend / divisor


def power(base: Value, exponent: Value) -> Value:
    """Return the power, None where it is no finite real number."""
    if base is None or exponent is None:
        return None
    try:
        return math.pow(base, exponent)
    except (ValueError, OverflowError):
        return None


NAMES: dict[str, Aggregate] = {
    "average": average,
    "avg_zero": _average_zero,
    "median": _median,
    "sum": total,
    "min": smallest,
    "max": largest,
    "diff": _difference,
    "stddev": _deviation,
    "count": _count,
    "range": _range,
    "multiply": _product,
    "last": last,
}
WHOLE: dict[str, Callable[[Sequence[Any]], float]] = {
    "average": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
}
"""The same for values of which none is None, where that is quicker to find."""
OTHER_NAMES = {"rangeOf": "range", "avg": "average", "total": "sum", "current": "last"}
ALL_NAMES = [*NAMES, *OTHER_NAMES]
SERIES = "Series"


def aggregate_of(name: str) -> Aggregate:
    """Return the function with that name. Raise `QueryError`."""
    found = NAMES.get(OTHER_NAMES.get(name, name))
    if found is None:
        message = f"{name!r} is no aggregation function; one of {', '.join(sorted(ALL_NAMES))}"
        raise QueryError(message)
    return found


def whole_of(name: str) -> Callable[[Sequence[Any]], float] | None:
    """Return the function with that name for values of which none is None, if there is such."""
    return WHOLE.get(OTHER_NAMES.get(name, name))


def percentile(values: Iterable[Value], percent: float, *, interpolate: bool = False) -> Value:
    """Return a percentile by rank ``percent / 100 * (n + 1)``, rounded up, or interpolated between ranks."""
    found = sorted(known(values))
    if not found:
        return None
    exact = (percent / 100.0) * (len(found) + 1)
    rank = int(exact)
    rest = exact - rank
    if not interpolate:
        rank += math.ceil(rest)
    result = found[0] if rank == 0 else found[min(rank, len(found)) - 1]
    if interpolate and rank < len(found):
        result = result + rest * (found[rank] - result)
    return result
