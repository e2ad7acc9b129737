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
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 1 << 20
"""Bytes of one message or event, at most."""
DEEPEST = 64
"""Levels of objects and lists in each other, at most."""
ESCAPE, STRING = re.compile(rb"\\.", re.DOTALL), re.compile(rb'"[^"]*"')
OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
ALIKE = bytes.maketrans(b"{}", b"[]")


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
    if data.count(b"{") + data.count(b"[") > DEEPEST and _is_deep(data):
        _wrong(f"objects and lists lie in each other more than {DEEPEST} deep")
    return whole(found) if "\\ud" in text or "\\uD" in text else found


def read_object(data: bytes, largest: int = LARGEST) -> dict[str, Any]:
    """Return the object that the bytes hold. Raise `InputError` as `read` does, and for any other value."""
    found = read(data, largest)
    if not isinstance(found, dict):
        _wrong(f"{kind(found)} where an object is wanted")
    return found


def read_many(texts: Sequence[bytes], largest: int = LARGEST) -> list[Any]:
    """Return what each text says, None for one that `read` would refuse. All at once, which is much quicker than one by one."""
    if all(len(text) <= largest for text in texts):
        try:
            found = read(b"[" + b",\n".join(texts) + b"]", sum(map(len, texts)) + 2 * len(texts) + 2)
        except InputError:
            pass
        else:
            if len(found) == len(texts):
                return list(found)
    return [_read_or_none(text, largest) for text in texts]


def _read_or_none(text: bytes, largest: int) -> Any:  # noqa: ANN401 whatever JSON there is
    try:
        return read(text, largest)
    except InputError:
        return None


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


def _is_deep(data: bytes) -> bool:
    """Return whether more than `DEEPEST` levels lie in each other, in bytes that are JSON.

    All but quotes and brackets is taken out, then what is quoted, then level after level from within. Two quotes that meet may
    be one text's end and the next one's beginning: without both, what is quoted stays so.
    """
    left = (ESCAPE.sub(b"", data) if b"\\" in data else data).translate(ALIKE, OTHERS)
    left = STRING.sub(b"", left.replace(b'""', b""))
    for _ in range(DEEPEST):
        left = left.replace(b"[]", b"")
        if not left:
            return False
    return True


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
