"""What values must be besides their types: each check returns what is wrong with one, or the empty string."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nilometer.core.template import template
from nilometer.core.traces.rules import Chosen, Measured

if TYPE_CHECKING:
    from nilometer.core.quantity import Rollup

ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+\Z")


def origin(value: str) -> str:
    """Check a site, as browsers name it."""
    return "" if ORIGIN.match(value) else "expected scheme, host and port alone, such as https://grafana.example"


def prefix(value: str) -> str:
    """Check what the names of series begin with."""
    return "expected a name without spaces, slashes or a final dot" if set(value) & set(" /\n\t|:") or value[-1:] == "." else ""


def rollup(value: Rollup) -> str:
    """Check a rollup of the embedded store."""
    return "" if value.step % 1 == 0 else "expected a step of whole seconds"


def table_name(value: str) -> str:
    """Check the template of a table's name."""
    try:
        template("expected a template", value, "source", "project", "table")
    except ValueError as error:
        return str(error)
    return ""


def tag(value: str) -> str:
    """Check a tag."""
    name, _, content = value.partition(":")
    return "" if name and content and not set(value) & set(" ;|\n\t") else "expected a tag such as env:prod"


def sampling(value: str) -> str:
    """Check which part is kept of certain traces."""
    try:
        Chosen.read(value)
    except ValueError as error:
        return str(error)
    return ""


def span_metric(value: str) -> str:
    """Check what becomes of certain spans."""
    try:
        Measured.read(value)
    except ValueError as error:
        return str(error)
    return ""
