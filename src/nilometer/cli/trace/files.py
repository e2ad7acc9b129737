"""A file of traces: what `nilometer trace export` and ``osprofiler trace show --json`` write, and lists of notifications."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.backends._parts.held_traces import HeldTraces
from nilometer.core.errors import InputError
from nilometer.traces.files import spans_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span

SPANS = 10_000_000
"""Spans that a file may hold."""


def is_file(text: str) -> bool:
    """Return whether a text names a file that is there."""
    try:
        return "://" not in text and Path(text).is_file()
    except (OSError, ValueError):
        return False


class Filed:
    """The traces of a file; it is read, never written. Raise `InputError` for one that holds none."""

    def __init__(self, name: str) -> None:
        self._held = HeldTraces(SPANS)
        try:
            self._held.add(spans_in(Path(name).read_bytes()))
        except (OSError, InputError) as error:
            message = f"{name}: {error}"
            raise InputError(message) from error

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return a page of traces, newest first."""
        return self._held.find(query, limit, cursor)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return the spans of a trace, none for an unknown one."""
        return self._held.read(trace, most)

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Raise `InputError`."""
        del spans
        message = "a file is only read; export traces with --out"
        raise InputError(message)

    def delete_trace(self, trace: str) -> bool:
        """Raise `InputError`."""
        del trace
        message = "a file is only read"
        raise InputError(message)

    def drop_traces(self, before: float) -> int:
        """Nothing is deleted."""
        del before
        return 0

    def close(self) -> None:
        """Nothing is held."""
