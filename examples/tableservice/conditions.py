"""Conditions on an item: what a write expects (``expected``), and what a filter lets through (``scan_filter``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from tableservice.errors import ConditionalCheckFailedException, ValidationError
from tableservice.values import SCALARS, SETS, sortable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tableservice.values import Item, Value

Operator: TypeAlias = Literal[
    "EQ", "NE", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH", "CONTAINS", "NOT_CONTAINS", "IN", "NULL", "NOT_NULL"
]


class Condition(NamedTuple):
    """An operator, and the values that it compares with."""

    operator: Operator
    values: Sequence[Value]


class Expected(NamedTuple):
    """What an attribute is expected to be: a value, or there or not there."""

    value: Value | None
    exists: bool | None


ARGUMENTS = {"BETWEEN": (2, 2), "IN": (1, 100), "NULL": (0, 0), "NOT_NULL": (0, 0)}
"""The fewest and the most values of those operators that do not take one."""


def count(attribute: str, condition: Condition) -> None:
    """Raise `ValidationError` for an operator with too many or too few values."""
    fewest, most = ARGUMENTS.get(condition.operator, (1, 1))
    if not fewest <= len(condition.values) <= most:
        message = f"{attribute}: {condition.operator} takes {fewest} to {most} values, not {len(condition.values)}"
        raise ValidationError(message)


def expect(expected: Mapping[str, Expected], item: Item | None) -> None:
    """Raise `ConditionalCheckFailedException` unless an item (None where there is none) is as expected."""
    for name, wanted in expected.items():
        found = (item or {}).get(name)
        if wanted.exists is None:
            if wanted.value != found:
                raise ConditionalCheckFailedException
        elif wanted.exists != (found is not None):
            raise ConditionalCheckFailedException


def passes(item: Item, conditions: Mapping[str, Condition]) -> bool:
    """Say whether an item fulfils every condition."""
    return all(_holds(item.get(name), condition) for name, condition in conditions.items())


def _holds(found: Value | None, condition: Condition) -> bool:
    operator, values = condition
    if operator in {"NULL", "NOT_NULL"}:
        return (found is None) == (operator == "NULL")
    if found is None:
        return False
    if operator == "IN":
        return found in values
    if operator == "BETWEEN":
        return _compared(found, values[0], _at_least) and _compared(found, values[1], _at_most)
    return _TESTS[operator](found, values[0])


def _compared(found: Value, other: Value, test: Callable[[bytes, bytes], bool]) -> bool:
    """Compare two scalars; those of different types are not comparable."""
    ((kind, _),) = found.items()
    return kind in SCALARS and kind in other and test(sortable(found), sortable(other))


def _at_least(one: bytes, other: bytes) -> bool:
    return one >= other


def _at_most(one: bytes, other: bytes) -> bool:
    return one <= other


def _begins(found: Value, other: Value) -> bool:
    return "N" not in found and _compared(found, other, bytes.startswith)


def _contains(found: Value, other: Value) -> bool:
    """Say whether a set holds a member, or a text or binary data a part."""
    ((kind, data),) = found.items()
    ((wanted, part),) = other.items()
    if kind in SETS:
        return SETS[kind] == wanted and part in data
    return kind == wanted and kind != "N" and sortable(other) in sortable(found)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda found, other: found == other,
    "NE": lambda found, other: found != other,
    "LT": lambda found, other: _compared(found, other, bytes.__lt__),
    "LE": lambda found, other: _compared(found, other, bytes.__le__),
    "GT": lambda found, other: _compared(found, other, bytes.__gt__),
    "GE": lambda found, other: _compared(found, other, bytes.__ge__),
    "BEGINS_WITH": _begins,
    "CONTAINS": _contains,
    "NOT_CONTAINS": lambda found, other: not _contains(found, other),
}
