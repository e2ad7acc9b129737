"""Traces in a file: whatever somebody has kept of them, by what it looks like.

Known are our spans, as a list or an object a line (`core/wire/span`); OSProfiler's report; its notifications, as a list or an
object a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.wire import osprofiler as wire
from nilometer.core.wire import span as spans_wire
from nilometer.core.wire.bounded_json import read, read_many
from nilometer.traces import osprofiler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

LARGEST = 1 << 30
"""Bytes of a file, at most."""


def spans_in(data: bytes) -> list[Span]:
    """Return the spans that the bytes of a file tell of. Raise `InputError` for what is none of the known forms."""
    if len(data) > LARGEST:
        message = f"{len(data)} bytes are more than the {LARGEST} of a file of traces"
        raise InputError(message)
    lines = data.splitlines()
    if len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[0].startswith(b"{"):
        return _listed(read_many([line for line in lines if line.strip()]))
    found = read(data, LARGEST)
    if isinstance(found, dict) and "children" in found:
        return osprofiler.spans(found)
    return _listed(found if isinstance(found, list) else [found])


def _listed(found: Sequence[Any]) -> list[Span]:
    if any(isinstance(each, dict) and "base_id" in each for each in found):
        return wire.spans(found).spans
    spans = []
    for number, each in enumerate(found):
        try:
            spans.append(spans_wire.from_object(each))
        except InputError as error:
            message = f"entry {number}: {error}"
            raise InputError(message) from error
    return spans
