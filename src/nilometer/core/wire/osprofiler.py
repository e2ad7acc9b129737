"""OSProfiler's notifications: two documents a span, one when it starts, one when it stops.

::

    {"name": "wsgi-start", "base_id": "<uuid>", "trace_id": "<uuid>", "parent_id": "<uuid>",
     "timestamp": "2026-11-22T03:56:36.627297", "info": {"request": {"path": …}, "host": "vm"}, "project": …, "service": …}

Source: osprofiler 4.4.0, ``osprofiler/profiler.py`` and ``osprofiler/drivers/base.py``.

Rules:

* The span's id is ``trace_id``, the trace's ``base_id``; the root's ``parent_id`` is the ``base_id``. Ids are written as UUIDs
  (`core/traces/ids.py`), times in UTC, to the microsecond.
* `notes` lays a span out as such documents: those that it came with, or its own, whose ``info`` is what OSProfiler's readers
  know (request, requests, db, function, etype, message). What these cannot hold goes along as ``info["nilometer"]`` of the
  last one, so that `spans` gives the same span back.
* `spans` reads documents in order of writing. One that is no notification is left out, and counted: it hides no other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nilometer.core.errors import InputError
from nilometer.core.traces.ids import span_id, trace_id, uuid
from nilometer.core.traces.span import NANO, Span, merge
from nilometer.core.wire import osprofiler_info as infos
from nilometer.core.wire import span as wire
from nilometer.core.wire.osprofiler_info import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

START, STOP = "-start", "-stop"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|\+00:00)?", re.ASCII)
OURS = "nilometer"
REMEMBERED, SHORT = 10_000, 40
"""Ids that are known again, those of so many characters at most."""
EXTRA = (
    "start",
    "end",
    "parent",
    "kind",
    "status",
    "error",
    "message",
    "events",
    "links",
    "part",
    "scope",
    "state",
    "resource",
)
"""What goes along for our own readers, besides the attributes."""
UNUSUAL = tuple((name, Span._field_defaults[name]) for name in EXTRA if name in Span._field_defaults)
KEPT = (*EXTRA, "attributes")
TOLD = ("trace", "id", "name", "start", "end", "service", "project", "host")
"""What the documents tell in their own words."""


class Read(NamedTuple):
    """The spans of some documents, each once, in order of start; and how many documents were none."""

    spans: list[Span]
    bad: int


# -- writing -----------------------------------------------------------------------------------------------------------


def notes(span: Span) -> list[dict[str, Any]]:
    """Return the documents of a span: start and stop, or the one that is there of a part."""
    if span.notes:
        return [dict(note) for note in span.notes]
    start, stop = infos.pair(span)
    base, own = uuid(span.trace), uuid(span.id)
    ids = {"base_id": base, "trace_id": own, "parent_id": uuid(span.parent) if span.parent else base}
    found = []
    if span.part != "stop":
        found.append(_note(span, START, ids, span.start, start))
    if span.part != "start":
        found.append(_note(span, STOP, ids, span.end, stop))
    found[-1]["info"][OURS] = _rest(span)
    return found


def _note(span: Span, suffix: str, ids: dict[str, str], time: int, info: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": span.name + suffix,
        **ids,
        "timestamp": timestamp(time),
        "info": {**info, "host": span.host},
        "project": span.project,
        "service": span.service,
    }


def _rest(span: Span) -> dict[str, Any]:
    """Return what the documents do not tell."""
    found: dict[str, Any] = {"start": span.start, "end": span.end, "parent": span.parent}
    for name, usual in UNUSUAL:
        value = getattr(span, name)
        if value != usual:
            found[name] = wire.plain(name, value)
    found["attributes"] = wire.sound(span.attributes)
    return found


def timestamp(time: int) -> str:
    """Return ns since the epoch as OSProfiler writes a time: UTC without a zone, six digits of a second."""
    second, rest = divmod(time, NANO)
    return f"{_written(second)}.{rest // 1000:06d}"


@lru_cache(REMEMBERED)
def _written(second: int) -> str:
    return f"{(EPOCH + timedelta(seconds=second)):%Y-%m-%dT%H:%M:%S}"


# -- reading -----------------------------------------------------------------------------------------------------------


def spans(documents: Iterable[object]) -> Read:
    """Return the spans that documents tell of, in order of writing."""
    found: list[Span] = []
    bad = 0
    for document in documents:
        try:
            found.append(half(document))
        except InputError:
            bad += 1
    return Read(merge(found), bad)


def half(document: object) -> Span:
    """Return the part of a span that one document tells of; whole where it says so. Raise `InputError`."""
    if not isinstance(document, dict):
        _wrong("is no object")
    name, stops = _name(document)
    time = time_of(document.get("timestamp"))
    info = document.get("info")
    info = info if isinstance(info, dict) else {}
    base, own = _id(document, "base_id"), _id(document, "trace_id")
    parent = _id(document, "parent_id", base)
    trace = _canonical(base)
    ours = info.get(OURS)
    told = Told("internal", {}) if isinstance(ours, dict) else infos.told(info, stops=stops)
    span = Span(
        trace,
        _span(own),
        "" if parent == base or _canonical(parent) == trace else _span(parent),
        name,
        time,
        time,
        told.kind,
        told.status,
        told.error,
        told.message,
        _text(document.get("service")),
        _text(document.get("project")),
        _text(info.get("host")),
        told.attributes,
        part="stop" if stops else "start",
        notes=(document,),
    )
    return _restored(span, ours) if isinstance(ours, dict) else span


def _restored(span: Span, ours: Mapping[str, Any]) -> Span:
    """Return one of our own spans as it was. Raise `InputError`."""
    known = {name: ours[name] for name in KEPT if name in ours}
    return wire.from_object({**{name: getattr(span, name) for name in TOLD}, **known})


def _name(document: Mapping[str, Any]) -> tuple[str, bool]:
    """Return a span's name, and whether the document tells of its end: as OSProfiler, whatever ends in ``stop``."""
    whole = document.get("name")
    if not isinstance(whole, str):
        _wrong("has no name")
    stops = whole.endswith("stop")
    for suffix in (START, STOP):
        if whole.endswith(suffix):
            return whole[: -len(suffix)], stops
    return whole, stops


def _id(document: Mapping[str, Any], name: str, usual: str = "") -> str:
    found = document.get(name)
    if found is None:
        found = usual
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        _wrong(f"has no {name}")
    return str(found)


@lru_cache(REMEMBERED)
def _cached_trace(text: str) -> str:
    return trace_id(text)


@lru_cache(REMEMBERED)
def _cached_span(text: str) -> str:
    return span_id(text)


def _canonical(text: str) -> str:
    return _cached_trace(text) if len(text) <= SHORT else trace_id(text)


def _span(text: str) -> str:
    return _cached_span(text) if len(text) <= SHORT else span_id(text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def time_of(value: object) -> int:
    """Return ns since the epoch. Raise `InputError` for a value that is no time as OSProfiler writes it."""
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        _wrong("has no timestamp such as 2026-11-22T03:56:36.627297")
    return _second(match[1]) * NANO + int((match[2] or "0").ljust(9, "0"))


@lru_cache(REMEMBERED)
def _second(text: str) -> int:
    """Return the whole second since the epoch. Raise `InputError`."""
    try:
        since = datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH
    except ValueError as error:
        _wrong(f"has a timestamp that is none: {error}")
    return since.days * 86_400 + since.seconds


def _wrong(reason: str) -> NoReturn:
    message = f"a notification {reason}"
    raise InputError(message) from None
