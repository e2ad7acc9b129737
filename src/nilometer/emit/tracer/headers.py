"""Headers that carry a trace from service to service: W3C's, and OSProfiler's signed ones beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.traces import ids
from nilometer.core.wire import trace_info, traceparent
from nilometer.emit.tracer.context import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.emit.tracer.active import Active


def written(found: Active | Remote, keys: Sequence[str]) -> dict[str, str]:
    """Return the headers of a span. OSProfiler's go along with a key, and only for what is traced."""
    sampled = bool(found.sampled)
    told = {traceparent.PARENT: traceparent.written(ids.w3c_trace(found.trace), ids.w3c_span(found.id), sampled=sampled)}
    if found.state:
        told[traceparent.STATE] = found.state
    key = found.key or (keys[0] if keys else "")
    if key and sampled:
        info, signature = trace_info.signed(key, ids.uuid(found.trace), ids.uuid(found.id))
        told |= {trace_info.INFO: info, trace_info.SIGNATURE: signature}
    return told


def read(given: Mapping[str, str], keys: Sequence[str]) -> Remote | None:
    """Return the span from which a request came: the signed one where it is good, else W3C's; None without either."""
    found = {name.lower(): value for name, value in given.items()}
    parent = traceparent.read(found.get(traceparent.PARENT), found.get(traceparent.STATE))
    signed = trace_info.verified(
        found.get(trace_info.INFO.lower()), found.get(trace_info.SIGNATURE.lower()), keys
    ) if keys else None  # fmt: skip
    if signed is not None and str(signed.base_id):
        trace, span = ids.trace_id(str(signed.base_id)), ids.span_id(str(signed.parent_id))
        root = span if span != trace else ""
        return Remote(trace, root, sampled=True, state=parent.state if parent else "", key=signed.key)
    return None if parent is None else Remote(parent.trace, parent.span, parent.sampled, parent.state)
