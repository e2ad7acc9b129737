"""A configuration file of statsd: its values, typed, each wrong one named with its place in the file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.errors import ConfigError
from nilometer.core.wire.number import from_text
from nilometer.ingest.statsd import keys, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nilometer.ingest.statsd.literal import Literal
    from nilometer.ingest.statsd.mode import Json

LARGEST = 1 << 20
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Document:
    """A file's keys and values. Every method that reads a value raises `ConfigError` for one of another kind."""

    literal: Literal
    values: dict[str, Json]

    def wrong(self, key: str, value: Json, expected: str) -> ConfigError:
        """Return the error for a value that has no meaning."""
        shown = json.dumps(value)
        shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."
        return ConfigError(f"{self.literal.place(key)}: {key} = {shown}: expected {expected}")

    def text(self, value: Json, key: str) -> str:
        """Return a text."""
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text")
        return value

    def number(self, value: Json, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a number, which may be written as text."""
        number = from_text(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            bounds = "" if math.isinf(low) else f" from {low:g}" + ("" if math.isinf(high) else f" to {high:g}")
            raise self.wrong(key, value, "a number" + bounds)
        return number

    def listed(self, value: Json, key: str) -> list[Json]:
        """Return a list."""
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        return value

    def object(self, value: Json, key: str) -> dict[str, Json]:
        """Return an object."""
        if not isinstance(value, dict):
            raise self.wrong(key, value, "an object")
        return value

    def section(self, key: str) -> dict[str, Json]:
        """Return the object that a key of the file holds, empty when there is none."""
        value = self.values.get(key)
        return self.object(value, key) if truthy(value) else {}

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return whether a key is on, as JavaScript judges it."""
        return truthy(self.values[key]) if key in self.values else default

    def port(self, value: Json, key: str, default: int, low: int = 0) -> int:
        """Return a port; what JavaScript takes for false is the default."""
        return int(self.number(value if truthy(value) else default, key, low=low, high=65535))

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for every key without effect, those within it left out."""
        yield from self._about(self.values, "", lambda key: keys.reason(key) and f"has no effect: {keys.reason(key)}")

    def alone(self) -> Iterator[str]:
        """Yield a sentence for every key that no setting of ours stands for."""
        yield from self._about(self.values, "", lambda key: keys.alone(key) and f"has no setting: {keys.alone(key)}")

    def _about(self, value: Json, path: str, say: Callable[[str], str]) -> Iterator[str]:
        """Yield what there is to say of each key, or of those within it."""
        inner = []
        if isinstance(value, dict):
            inner = [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
        elif isinstance(value, list):
            inner = [(f"{path}[{number}]", item) for number, item in enumerate(value) if isinstance(item, dict)]
        for key, item in inner:
            said = "" if key.endswith("]") else say(key)
            if said:
                yield f"{self.literal.place(key)}: {key} {said}"
            else:
                yield from self._about(item, key, say)


def truthy(value: Json) -> bool:
    """Whether JavaScript takes a value for true."""
    if isinstance(value, list | dict):
        return True
    return bool(value) and value == value  # noqa: PLR0124 NaN is false


def load(file: Path) -> Document:
    """Read a file. Raise `ConfigError` when it cannot be read or is no configuration."""
    found = literal.read(_text(file), str(file))
    if not isinstance(found.value, dict):
        message = f'{found.place("")}: not an object of keys and values, such as {{"graphiteHost": "localhost"}}'
        raise ConfigError(message)
    return Document(found, found.value)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise ConfigError(message) from error
    if len(data) > LARGEST:
        message = f"{file}: larger than {LARGEST} bytes, which no configuration file is"
        raise ConfigError(message)
    return data.decode("utf-8", "replace")
