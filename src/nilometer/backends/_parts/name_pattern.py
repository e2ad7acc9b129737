"""A glob over names in the words of a database: it finds all that the glob finds, and more where it has no such words."""

from __future__ import annotations

import re

ANY, ONE, CLASS = "*", "?", "["


def regular(glob: str) -> str:
    """Return a regular expression, in what the usual dialects have in common; its dot is to match a newline, too."""
    plain, cut = _plain(glob)
    return "^" + "".join(_sign(sign) for sign in plain) + ("" if cut else "$")


def _sign(sign: str) -> str:
    return ".*" if sign == ANY else "." if sign in (ONE, "\x00") else re.escape(sign)


def wildcard(glob: str) -> str:
    """Return a pattern of Lucene, where a backslash escapes."""
    plain, cut = _plain(glob)
    return plain.replace("\\", "\\\\") + (ANY if cut else "")


def _plain(glob: str) -> tuple[str, bool]:
    """Return the glob up to the first class of characters, and whether there is one."""
    plain, cut, _ = glob.partition(CLASS)
    return plain, bool(cut)
