"""Traces in a server: where spans come from, what becomes of them, the store that keeps them. Built of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.cli.state import in_state

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.cli.plan import Plan
    from nilometer.core.url import Url

NONE, SQLITE = "none", "sqlite"
FILE = "traces.db"
"""In the state directory: the store that nobody named."""


def store_url(plan: Plan, state: Path) -> Url | None:
    """Return the URL of the store of traces, None for none: in statsd's place, and alone, only one that is named."""
    url = plan.settings.traces.store
    if url.scheme == NONE or ((plan.alone or plan.statsd is not None) and not named(plan)):
        return None
    if not named(plan) and registry.TRACES not in registry.capabilities(url.scheme):
        return None
    return in_state(url, state / FILE)


def named(plan: Plan) -> bool:
    """Return whether somebody named the store."""
    return plan.settings.origin("traces.store") != "default"
