"""Values of settings as TOML writes them. The standard library reads TOML but does not write it.

Source: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from nilometer.core import quantity
from nilometer.core.quantity import Duration, Rollup, Size
from nilometer.core.setting import Bins
from nilometer.core.url import Url

EXACT = 1 << 53
"""Up to here every whole number is a float64; larger ones keep their exponent."""


def literal(value: object) -> str:
    """Return one value in TOML. A URL's secrets are masked."""
    if isinstance(value, Bins):
        return f"{{match = {literal(value.match)}, bins = [{', '.join(map(literal, value.bins))}]}}"
    if isinstance(value, Duration | Size | Rollup):
        return literal(quantity.written(value))
    if isinstance(value, str | Path | Url):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value)


def _number(value: object) -> str:
    if isinstance(value, float):
        if math.isinf(value):
            return '"inf"'
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    return str(value)
