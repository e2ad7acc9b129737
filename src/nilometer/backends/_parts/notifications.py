"""OSProfiler's notifications as documents of a database: ids that make writing idempotent, and nothing that it cannot hold.

Rules:

* A document's id is made of trace, span and which of its documents it is: writing again replaces it.
* What goes along for our own readers, ``info["nilometer"]``, is stored as a text of JSON: whatever it holds becomes no field.
* An integer beyond 64 bits, and what lies deeper than `DEEPEST`, is stored as its text; a key without NUL, and no dollar first.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.span_document import LARGEST, LAST, digest
from nilometer.core.errors import InputError
from nilometer.core.traces.ids import trace_id
from nilometer.core.wire import osprofiler
from nilometer.core.wire import span as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nilometer.core.traces.span import Span

Document = dict[str, Any]
DEEPEST = 20
"""Levels of objects and lists in each other: Lucene takes 20 by default, MongoDB 100."""
OURS = osprofiler.OURS


def documents(spans: Sequence[Span]) -> dict[str, Document]:
    """Return the documents of spans by their ids."""
    found: dict[str, Document] = {}
    for span in spans:
        for number, note in enumerate(osprofiler.notes(span)):
            end = "stop" if str(note.get("name")).endswith("stop") else "start"
            name = digest(span.trace, span.id, end, str(number // 2))
            found.pop(name, None)
            found[name] = _stored(note)
    return found


def errors(spans: Sequence[Span]) -> dict[str, Document]:
    """Return what OSProfiler keeps of traces with an error, by the trace's id."""
    found: dict[str, Document] = {}
    for span in spans:
        if span.failed:
            note = osprofiler.notes(span)[-1]
            found[span.trace] = {name: held(note.get(name)) for name in ("base_id", "timestamp")}
    return found


def _stored(note: Mapping[str, Any]) -> Document:
    info = note.get("info")
    if isinstance(info, dict) and OURS in info:
        note = {**note, "info": {**info, OURS: wire.text(info[OURS]).decode("ascii")}}
    found = {key(name): held(value) for name, value in note.items()}
    size = len(wire.text(found))
    if size > LARGEST:
        kept = info if isinstance(info, dict) else {}
        small = {name: held(kept[name])[:1000] for name in ("host", "etype") if isinstance(kept.get(name), str)}
        found["info"] = {**small, "nilometer.left_out": f"{size} bytes"}
    return found


def held(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 any value of JSON
    """Return a value as the databases can hold it."""
    if isinstance(value, dict | list | tuple):
        if depth >= DEEPEST:
            return wire.text(value).decode()
        if isinstance(value, dict):
            return {key(name): held(inner, depth + 1) for name, inner in value.items()}
        return [held(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    large = isinstance(value, int) and not -LAST <= value <= LAST
    return str(value) if large else wire.sound(value)


def key(name: object) -> str:
    """Return a key as the databases can hold it."""
    text = str(name).encode("utf-8", "replace").decode().replace("\x00", "\\0")
    return f"_{text}" if text.startswith("$") else text


def spans(found: Iterable[Mapping[str, Any]]) -> list[Span]:
    """Return the spans that stored documents tell of, in order of writing."""
    return osprofiler.spans(map(_read, found)).spans


def _read(document: Mapping[str, Any]) -> Document:
    note = {name: value for name, value in document.items() if name != "_id"}
    info = note.get("info")
    ours = info.get(OURS) if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(ours, str):
        return note
    try:
        return {**note, "info": {**info, OURS: json.loads(ours)}}
    except (ValueError, RecursionError):
        return {**note, "info": {name: value for name, value in info.items() if name != OURS}}


def trace_of(base: object) -> str:
    """Return the trace's id that a ``base_id`` means."""
    return trace_id(str(base))


def times(first: object, last: object) -> Iterator[int]:
    """Yield those of two timestamps that are any, in ns."""
    for value in (first, last):
        try:
            yield osprofiler.time_of(value)
        except InputError:
            continue
