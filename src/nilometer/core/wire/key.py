"""Series keys: ``name`` or ``name;tag=value;tag=value``, and how they are cleaned.

Source: the reference server's ``sanitizeKeyName``: runs of white space become ``_``, ``/`` becomes ``-``, and what is not
in ``[A-Za-z0-9_.;=-]`` is dropped, in this order.
"""

from __future__ import annotations

import re

from nilometer.core.wire.number import WHITESPACE

CLEAN = re.compile(r"[a-zA-Z_\-0-9.;=]*")
SPACES = re.compile(f"[{WHITESPACE}]+")
FOREIGN = re.compile(r"[^a-zA-Z_\-0-9.;=]")


def clean(key: str) -> str:
    """Return the key with white space, slashes and foreign characters replaced or dropped."""
    return key if CLEAN.fullmatch(key) else FOREIGN.sub("", SPACES.sub("_", key).replace("/", "-"))


def split(key: str) -> tuple[str, str]:
    """Return the name, and the tags with the ``;`` before them (empty when there are none)."""
    name, semicolon, tags = key.partition(";")
    return name, semicolon + tags
