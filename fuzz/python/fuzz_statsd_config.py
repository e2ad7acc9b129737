"""Invariant: whatever a configuration file of statsd holds is read, or refused by a `ConfigError`; nothing else is raised.

Besides: what is read and written as JSON is read as the same again.
"""

from __future__ import annotations

import json
import math
import sys

import atheris

with atheris.instrument_imports():
    from nilometer.core.errors import ConfigError
    from nilometer.ingest.statsd.literal import read

WORDS = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ",",
    "'",
    '"',
    "\\",
    "+",
    "-",
    "0x",
    "1e9",
    "//",
    "/*",
    "*/",
    "require('os')",
    "undefined",
]
WORDS += [
    ".hostname()",
    ".split('.')",
    "[0]",
    "module.exports =",
    "null",
    "Infinity",
    "\u2028",
    "\\u{1F600}",
    "__proto__",
    "$a",
    ";",
]


def expand(data: bytes) -> str:
    """Turn high bytes into words that files are made of."""
    start = 256 - len(WORDS)
    return "".join(WORDS[byte - start] if byte >= start else chr(byte) for byte in data)


def finite(value: object) -> bool:
    """Whether JSON can carry a value."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def one(data: bytes) -> None:
    """Read one file."""
    try:
        value = read(expand(data), "config.js", lambda: "a.b").value
    except ConfigError as error:
        if not str(error).startswith("config.js:"):
            raise
        return
    if finite(value) and read(json.dumps(value), "config.js").value != value:
        message = f"{value!r} is not read again"
        raise AssertionError(message)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
