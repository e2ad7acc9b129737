"""Telemetry for services: one record, one pipe, one URL.

What an application imports stands here: ``from nilometer import StatsD``. It is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.emit import tracer
    from nilometer.emit.client import StatsClient, StatsD, TCPStatsClient, UnixSocketStatsClient
    from nilometer.emit.notifier import Notifier

__all__ = ["Notifier", "StatsClient", "StatsD", "TCPStatsClient", "UnixSocketStatsClient", "tracer"]
_PLACES = dict.fromkeys(__all__, "nilometer.emit.client") | {"Notifier": "nilometer.emit.notifier", "tracer": "nilometer.emit"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    place = _PLACES[name]
    return import_module(f"{place}.{name}") if name == "tracer" else getattr(import_module(place), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
