"""Events to test with: a few plain ones, and whatever an event can be, for Hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from nilometer.core.record import Event
from nilometer.core.wire.event import PRIORITIES

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

START = 1_700_000_000.25
"""When the first of `several` happened, in seconds since the epoch."""


def several(count: int = 3, kind: str = "table.create.end") -> list[Event]:
    """Return events that differ in everything, a second apart."""
    return [
        Event(
            id=f"{kind}-{number}",
            time=START + number,
            type=kind,
            publisher=f"magnetodb.host{number}",
            priority=PRIORITIES[number % len(PRIORITIES)],
            tenant=f"tenant{number % 2}",
            payload={"table_name": f"Tĥread {number}", "rows": number, "sizes": [1.5, None, True]},
            context={"request_id": f"req-{number}"},
        )
        for number in range(count)
    ]


def any_event() -> SearchStrategy[Event]:
    """Return what makes events of every shape that can be sent and read back."""
    short = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
    named = short.filter(bool)
    return st.builds(
        Event,
        id=named,
        time=st.floats(1e8, 2e11),
        type=named,
        publisher=short,
        priority=st.sampled_from(PRIORITIES),
        tenant=short,
        payload=anything(),
        context=anything(),
    )


def anything() -> SearchStrategy[dict[str, object]]:
    """Return what makes objects of JSON, a few levels deep."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    single = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts
    nested = st.recursive(
        single, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
    )
    return st.dictionaries(texts, nested, max_size=4)
