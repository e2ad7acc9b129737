"""How an event looks in the terminal: one line, in colours by priority; or JSON. What peers sent shows no control character."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from nilometer.cli import moment
from nilometer.core.show import printable
from nilometer.core.wire import event as wire
from nilometer.events.reading import as_json

if TYPE_CHECKING:
    from nilometer.core.record import Event

COLOURS = {"critical": "bright_red", "error": "red", "warn": "yellow", "audit": "cyan", "debug": "bright_black"}
WIDEST = max(map(len, wire.PRIORITIES))


def line(event: Event, width: int = 0) -> str:
    """Return an event on one line, cut to `width` where that is not 0, with colours."""
    words = [event.type, *(f"{name}={value}" for name in ("tenant", "publisher") if (value := getattr(event, name)))]
    text = printable(" ".join([event.priority.ljust(WIDEST), *words, wire.text(event.payload).decode()]))
    whole = f"{moment.shown(event.time)} {text}"
    shown = whole if not width or len(whole) <= width else whole[: width - 1] + "…"
    colour = COLOURS.get(event.priority)
    return click.style(shown, fg=colour) if colour else shown


def as_line_of_json(event: Event) -> str:
    """Return an event as JSON on one line."""
    text = as_json(event).decode()
    return text if text.isprintable() else json.dumps(json.loads(text), separators=(",", ":"))
