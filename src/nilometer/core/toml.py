"""Values of settings as TOML writes them. The standard library reads TOML but does not write it.

Source: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from nilometer.core import quantity
from nilometer.core.quantity import Expiry, Quantity
from nilometer.core.rules import RuleTable
from nilometer.core.setting import Bins
from nilometer.core.url import NamedUrl, Url

EXACT = 1 << 53
"""Up to here every whole number is a float64; larger ones keep their exponent."""


def literal(value: object) -> str:
    """Return one value in TOML. A URL's secrets are masked."""
    if isinstance(value, Bins | RuleTable):
        given = value.given() if isinstance(value, RuleTable) else value._asdict()
        return f"{{{', '.join(f'{key} = {literal(item)}' for key, item in given.items())}}}"
    if isinstance(value, Quantity):
        text = quantity.written(value)
        return text if text.isdecimal() and isinstance(value, Expiry) else literal(text)
    if isinstance(value, str | Path | Url | NamedUrl):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    return str(value).lower() if isinstance(value, bool) else _number(value)


def _number(value: object) -> str:
    if isinstance(value, float):
        if math.isinf(value):
            return '"inf"'
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    return str(value)
