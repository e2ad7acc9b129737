"""A payload as JSON can hold it, without its secrets: a copy, so that the application's objects stay as they are.

Rules:

* Nothing raises, whatever a value does when it is looked at: such a one is ``<unreadable TYPE>``.
* Bounded: `DEEPEST` levels, `ITEMS` values, `CHARACTERS` of text in all. What is beyond is an ellipsis or left out.
* Times are ISO 8601, time spans seconds; what is no finite number, and an integer beyond 64 bits, is a text; bytes are text
  where they are UTF-8, else base64; sets are lists; a dataclass is its fields; what is left is its own text.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any

from nilometer.emit.notifier.secrets import MASK, is_secret, masked

DEEPEST = 10
ITEMS = 2000
CHARACTERS = 65_536
LONGEST_TEXT, LONGEST_KEY = 16_384, 255
LARGEST = 1 << 63
REMEMBERED = 4096
"""Keys that are known again."""
CUT = "…"


class Plain:
    """Makes plain copies. `secret` says by a key whether its value is masked."""

    def __init__(self, secret: Callable[[str], bool] = is_secret) -> None:
        @lru_cache(REMEMBERED)
        def key(text: str) -> tuple[str, bool]:
            name = text[:LONGEST_KEY] if text.isascii() and text.isprintable() else _whole(text[:LONGEST_KEY])
            return name, secret(name)

        self._key = key

    def __call__(self, given: Mapping[Any, Any]) -> dict[str, Any]:
        """Return a plain copy of a mapping."""
        copied = _Copy(self._key).guarded(given)
        return copied if isinstance(copied, dict) else {"payload": copied}


class _Copy:
    """One copy: what room is left, and which containers lie above. `key` returns a key's name, and whether it is secret."""

    def __init__(self, key: Callable[[str], tuple[str, bool]]) -> None:
        self._key = key
        self._items, self._characters = ITEMS, CHARACTERS
        self._above: list[int] = []

    def guarded(self, value: object) -> Any:  # noqa: ANN401 whatever JSON can hold
        """Return a copy of a value, or what tells that it cannot be read."""
        try:
            return self._copy(value)
        except Exception:  # noqa: BLE001 a value of the application's may do anything
            return f"<unreadable {type(value).__name__[:LONGEST_KEY]}>"

    def _copy(self, value: Any) -> Any:  # noqa: ANN401, PLR0911 one line a type; those that are frequent first
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -LARGEST <= value < LARGEST else _long(value)
        if kind is float:
            return value if isfinite(value) else str(value)
        if kind is dict:
            return self._within(value, self._mapping)
        if kind is list or kind is tuple:
            return self._within(value, self._list)
        return self._other(value)

    def _other(self, value: Any) -> Any:  # noqa: ANN401 one line a type
        if isinstance(value, enum.Enum):
            return self._copy(value.value)
        if isinstance(value, str | int | float):
            base: type = next(each for each in (str, int, float) if isinstance(value, each))
            return self._copy(base(value))
        if isinstance(value, date | datetime | time):
            return value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, bytes | bytearray | memoryview):
            return self._text(_bytes(bytes(value[:LONGEST_TEXT])))
        return self._container(value)

    def _container(self, value: Any) -> Any:  # noqa: ANN401 containers of every kind, and what is left
        if isinstance(value, Mapping):
            return self._within(value, self._mapping)
        if isinstance(value, AbstractSet):
            return self._within(sorted(value, key=str), self._list)
        if isinstance(value, Sequence | deque):
            return self._within(value, self._list)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._within({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, self._mapping)
        if isinstance(value, BaseException):
            return self._text(f"{type(value).__name__}: {value}")
        return self._text(str(value))

    def _within(self, value: Any, copy: Callable[[Any], Any]) -> Any:  # noqa: ANN401 containers of every kind
        if id(value) in self._above or len(self._above) >= DEEPEST:
            return CUT
        self._above.append(id(value))
        try:
            return copy(value)
        finally:
            self._above.pop()

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, inner in list(value.items()):
            if not self._room():
                break
            text = key if type(key) is str else str(self.guarded(key))
            name, secret = self._key(text) if len(text) <= LONGEST_KEY else self._key(text[:LONGEST_KEY])
            self._characters -= len(name)
            if secret and inner is not None:
                found[name] = MASK
            else:
                found[name] = self._text(inner) if type(inner) is str else self.guarded(inner)
        return found

    def _list(self, value: Sequence[Any]) -> list[Any]:
        found = []
        for inner in list(value[:ITEMS] if isinstance(value, list | tuple) else value):
            if not self._room():
                break
            found.append(self.guarded(inner))
        return found

    def _room(self) -> bool:
        self._items -= 1
        return self._items >= 0 and self._characters > 0

    def _text(self, text: str) -> str:
        if len(text) > LONGEST_TEXT or len(text) > self._characters:
            text = text[: max(min(LONGEST_TEXT, self._characters), 0)] + CUT
        self._characters -= len(text)
        return masked(text if text.isascii() and "\0" not in text else _whole(text))


def _whole(text: str) -> str:
    """Return a text that UTF-8 and every database can hold."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _long(number: int) -> str:
    return str(number) if number.bit_length() <= LONGEST_KEY else f"<integer of {number.bit_length()} bits>"


def _bytes(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()
