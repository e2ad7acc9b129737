"""Graphite's globs: ``*``, ``?`` and ``[a-z]`` stay within a part of a path, ``{a,b}`` is either, ``**`` any number of parts.

Rules:

* A pattern becomes one regular expression, of a length that its own bounds: nothing is multiplied out.
* For stores, whose globs cross dots, a pattern also becomes a glob that matches all that it matches, and more.

Source: graphite-web 1.1, "Paths and Wildcards"; Python's ``fnmatch``.
"""

from __future__ import annotations

import re

from nilometer.query.limits import QueryError

WILD = re.compile(r"[*?\[{]")
SIGNS = {"*": "[^.]*", "?": "[^.]", "{": "(?:", "}": ")", ",": "|"}
ANY_PARTS = r"(?:[^.]+\.)*"
DEEP = "**"
CLASS = re.compile(r"\[(!?)(\]?[^\]]*)\]")
GLOBBED = re.compile(r"[*?\[]")


def is_wild(pattern: str) -> bool:
    """Say whether it can match more than one path."""
    return WILD.search(pattern) is not None


def escaped(text: str) -> str:
    """Return a store's glob for the text as it stands."""
    return GLOBBED.sub(r"[\g<0>]", text)


def superset(pattern: str) -> str:
    """Return a store's glob for all that the pattern matches, and more."""
    plain, depth = [], 0
    for sign in pattern:
        if sign == "{":
            depth += 1
            plain.append("*")
        elif sign == "}" and depth:
            depth -= 1
        elif not depth:
            plain.append(sign)
    glob = re.sub(r"\*\*+\.?", "*", "".join(plain))
    return glob if depth == 0 else pattern.partition("{")[0] + "*"


def compiled(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths that the pattern means, whole."""
    parts = pattern.split(".")
    text = ""
    for place, part in enumerate(parts, 1):
        if part == DEEP:
            text += ANY_PARTS if place < len(parts) else ANY_PARTS + "[^.]+"
        else:
            text += _part(part) + (r"\." if place < len(parts) else "")
    try:
        return re.compile(text + r"\Z")
    except re.error as error:
        message = f"{pattern[:200]!r} is no pattern of paths: its braces or brackets do not match"
        raise QueryError(message) from error


def _part(part: str) -> str:
    depth, at, made = 0, 0, []
    pairs = part.count("{") == part.count("}")
    while at < len(part):
        sign = part[at]
        group = CLASS.match(part, at) if sign == "[" else None
        if group is not None and group.group(2):
            made.append(f"(?!\\.)[{'^' if group.group(1) else ''}{_class(group.group(2))}]")
            at = group.end()
            continue
        depth += (sign == "{") - (sign == "}")
        special = sign in "*?" or (pairs and sign in "{}") or (pairs and sign == "," and depth > 0)
        made.append(SIGNS[sign] if special else re.escape(sign))
        at += 1
    return "".join(made)


def _class(signs: str) -> str:
    """Return the signs of a class, ranges kept, those that run backwards left out."""
    found = []
    for low, high in re.findall(r"(?s)(.)(?:-(.))?", signs):
        if not high:
            found.append(re.escape(low))
        elif low <= high:
            found.append(f"{re.escape(low)}-{re.escape(high)}")
    return "".join(found) or r"^\s\S"
