"""Sizes and spans of time in words."""

from __future__ import annotations


def size(count: float) -> str:
    """Return bytes in their largest unit."""
    for each, unit in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if count >= each:
            return f"{count / each:.3g} {unit}"
    return f"{count / 1024:.0f} KiB"


def span(seconds: float) -> str:
    """Return a span in its largest unit."""
    for each, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * each:
            return f"{seconds / each:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
