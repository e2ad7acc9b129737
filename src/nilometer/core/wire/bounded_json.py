"""JSON that comes from the network: bounded in size and depth, with nothing in it that a store or another program chokes on.

Rules:

* `read` raises `InputError` for whatever is no such JSON, and nothing else. The message quotes nothing of the bytes.
* NaN and Infinity are no JSON. A number beyond the range of a double is refused, not made infinite.
* A text with half of a surrogate pair, which no UTF-8 can hold, gets U+FFFD in its place.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

from nilometer.core.errors import InputError

LARGEST = 1 << 20
"""Bytes of one message or event, at most."""
DEEPEST = 64
"""Levels of objects and lists in each other, at most."""
STRING, BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"'), re.compile(r"[][{}]")


def read(data: bytes, largest: int = LARGEST) -> Any:  # noqa: ANN401 whatever JSON there is
    """Return what the bytes say, up to `largest` of them, as dict, list, str, int, float, bool and None. Raise `InputError`."""
    if len(data) > largest:
        _wrong(f"{len(data)} bytes of JSON are more than the {largest} allowed")
    try:
        text = data.decode()
        found = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        _wrong(f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        _wrong(f"no JSON: {error.msg} at character {error.pos}")
    except ValueError as error:
        _wrong(f"no JSON: {error}")
    except RecursionError:
        _wrong(f"objects and lists lie in each other more than {DEEPEST} deep")
    if text.count("{") + text.count("[") > DEEPEST and _depth(text) > DEEPEST:
        _wrong(f"objects and lists lie in each other more than {DEEPEST} deep")
    return whole(found) if "\\ud" in text or "\\uD" in text else found


def read_object(data: bytes, largest: int = LARGEST) -> dict[str, Any]:
    """Return the object that the bytes hold. Raise `InputError` as `read` does, and for any other value."""
    found = read(data, largest)
    if not isinstance(found, dict):
        _wrong(f"{kind(found)} where an object is wanted")
    return found


def kind(value: object) -> str:
    """Return what JSON calls a value, with its article."""
    for types, name in (
        (dict, "an object"),
        (list, "a list"),
        (str, "a text"),
        (bool, "true or false"),
        (int | float, "a number"),
    ):
        if isinstance(value, types):
            return name
    return "null" if value is None else type(value).__name__


def _depth(text: str) -> int:
    """Return how many levels of objects and lists lie in each other in a text that is JSON."""
    steps = (1 if sign in "{[" else -1 for sign in BRACKET.findall(STRING.sub("", text)))
    return max(accumulate(steps), default=0)


def whole(value: Any) -> Any:  # noqa: ANN401 whatever JSON there is
    """Return the value with U+FFFD for each half of a surrogate pair. `value` is at most `DEEPEST` levels deep."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {whole(name): whole(inner) for name, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        message = "a number is beyond the range of a double"
        raise ValueError(message)
    return number


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _wrong(reason: str) -> NoReturn:
    raise InputError(reason) from None
