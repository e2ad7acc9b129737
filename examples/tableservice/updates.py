"""Changes of attributes: ``PUT`` sets one, ``ADD`` adds to a number or a set, ``DELETE`` removes one, or members of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tableservice.errors import ValidationError
from tableservice.values import EXACT, SETS, normal, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tableservice.values import Item, Value

Action: TypeAlias = Literal["PUT", "ADD", "DELETE"]


class Update(NamedTuple):
    """What is to happen to an attribute."""

    action: Action
    value: Value | None


def updated(item: Item, updates: Mapping[str, Update]) -> Item:
    """Return an item after changes. Raise `ValidationError` for a change that its attribute does not allow."""
    result = dict(item)
    for name, update in updates.items():
        value = _changed(name, result.get(name), update)
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def _changed(name: str, old: Value | None, update: Update) -> Value | None:
    """Return an attribute's new value, None when it is to go."""
    if update.value is None:
        if update.action == "DELETE":
            return None
        message = f"{name}: {update.action} takes a value"
        raise ValidationError(message)
    if update.action == "PUT":
        return update.value
    if update.action == "ADD":
        return _added(name, old, update.value)
    return None if old is None else _without(name, old, update.value)


def _added(name: str, old: Value | None, value: Value) -> Value:
    ((kind, data),) = value.items()
    if kind != "N" and kind not in SETS:
        message = f"{name}: ADD takes a number or a set"
        raise ValidationError(message)
    if old is None:
        return value
    _same(name, kind, old)
    if kind in SETS:
        return normal({kind: [*old[kind], *data]})
    try:
        return normal({"N": str(EXACT.add(number(old["N"]), number(data)))})
    except ValueError as error:
        message = f"{name}: {error}"
        raise ValidationError(message) from error


def _without(name: str, old: Value, value: Value) -> Value | None:
    ((kind, data),) = value.items()
    if kind not in SETS:
        message = f"{name}: DELETE takes no value, or a set"
        raise ValidationError(message)
    _same(name, kind, old)
    left = [member for member in old[kind] if member not in data]
    return {kind: left} if left else None


def _same(name: str, kind: str, old: Value) -> None:
    if kind not in old:
        message = f"{name}: of the type {next(iter(old))}, not {kind}"
        raise ValidationError(message)
