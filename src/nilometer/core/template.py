"""Names of series made from templates, checked once: ``{task}.timing`` with a task is ``table.create.timing``."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FOREIGN = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST = 200


def template(option: str, text: str, *fields: str) -> Callable[..., str]:
    """Return what fills a template's `fields` in by name. Raises ValueError for a text that asks for anything else."""
    try:
        asked = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        message = f"{option}: {text!r} is no template: {error}"
        raise ValueError(message) from error
    known = ", ".join(f"{{{field}}}" for field in fields)
    if unknown := sorted(asked - set(fields)):
        message = f"{option}: {text!r} asks for {', '.join(map(repr, unknown))}; what can be asked for: {known}"
        raise ValueError(message)
    if fields[-1] not in asked:
        message = f"{option}: {text!r} holds no {{{fields[-1]}}}, so that all series would have one name"
        raise ValueError(message)
    return text.format


def clean(name: str) -> str:
    """Return a name with the characters of a StatsD name only, dots kept; ``unnamed`` when nothing is left of it."""
    return FOREIGN.sub("_", name[:LONGEST]).strip("._") or "unnamed"
