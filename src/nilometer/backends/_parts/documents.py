"""A flush as documents: one for each series and window, its statistics as fields.

::

    {"@timestamp": 1700000010000, "name": "web.wait", "kind": "timer", "tags": {"zone": "a"},
     "interval": 10.0, "source": "host1", "count": 4.0, "mean": 2.5, "upper_90": 3.0,
     "sketch": {"values": [1.0, 3.0], "counts": [1, 3]}}

Rules:

* Times are milliseconds since the epoch; the time is the window's end.
* A statistic whose name has a dot is an object's field there: ``histogram.bin_10``. Tags' names lose their dots, since ``a``
  and ``a.b`` cannot both be fields; a tag without a value has the empty string.
* A sketch is values, ascending, and how many there are of each, as `distributions` makes them: what Elasticsearch's type of
  field `histogram` takes.
* NaN and infinite values have no place in JSON: they are left out and counted, and a document without a statistic too.
* An id is made of source, kind, key and window: a series of a window has the same one wherever it is written again.
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.backends._parts.distributions import of_sketch
from nilometer.core.sketch import decoded
from nilometer.core.wire.key import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.record import Block, Event, Flush
    from nilometer.core.sketch import Sketch

ID_BYTES = 16
ENCODER = json.JSONEncoder(separators=(",", ":"))


class Document(NamedTuple):
    """A document's number within its flush, its id, its JSON, and how many of its values were left out as not finite."""

    number: int
    id: str
    body: bytes
    not_finite: int


def identity(*parts: object) -> str:
    """Return the id that belongs to these parts: 22 characters of ``[A-Za-z0-9_-]``."""
    text = "\n".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(hashlib.blake2b(text, digest_size=ID_BYTES).digest()).rstrip(b"=").decode()


def ids(flush: Flush, source: str) -> Iterator[str]:
    """Yield the id of each series of the flush, those without a document too."""
    window = f"{flush.window.start!r} {flush.window.end!r}"
    for block in flush.blocks:
        for key in block.keys():  # noqa: SIM118 a method, of no dictionary
            yield identity(source, block.kind, window, key)


def documents(flush: Flush, source: str) -> Iterator[Document]:
    """Yield the flush's documents."""
    common = {"@timestamp": milliseconds(flush.window.end), "interval": flush.window.interval, "source": source}
    rows = (row for block in flush.blocks for row in _rows(block))
    for number, (name, (fields, not_finite)) in enumerate(zip(ids(flush, source), rows, strict=True)):
        yield Document(number, name, _text(common | fields) if fields else b"", not_finite)


def _rows(block: Block) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each series' own fields, none when no value is left, and how many values were left out."""
    columns = [(each.name, list(each.values), each.present) for each in block.columns]
    sketches = decoded(block.sketches, block.count)
    for index, key in enumerate(block.keys()):
        values = {name: numbers[index] for name, numbers, present in columns if present is None or present[index]}
        finite = values
        if not all(map(math.isfinite, values.values())):
            finite = {name: value for name, value in values.items() if math.isfinite(value)}
        name, tags = split(key)
        fields: dict[str, Any] = {"name": name, "kind": block.kind.value}
        if tags:
            fields["tags"] = _tags(tags)
        sketch, beyond = _sketch(sketches[index])
        own = finite | sketch
        yield (fields | own if own else {}), len(values) - len(finite) + beyond


def _sketch(sketch: Sketch | None) -> tuple[dict[str, Any], int]:
    """Return the field of a sketch, none without one, and how many of its values are not finite."""
    points = of_sketch(sketch) if sketch else []
    finite = [point for point in points if math.isfinite(point.value)]
    if not finite:
        return {}, len(points)
    values, counts = zip(*finite, strict=True)
    return {"sketch": {"values": values, "counts": counts}}, len(points) - len(finite)


def _tags(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in text[1:].split(";"))
    return {name.replace(".", "_") or "_": value for name, _, value in pairs}


def event_documents(events: Iterable[Event]) -> Iterator[Document]:
    """Yield the events' documents; ids are made of publisher and id."""
    for number, event in enumerate(events):
        fields = {
            "@timestamp": milliseconds(event.time),
            "id": event.id,
            "type": event.type,
            "publisher": event.publisher,
            "priority": event.priority,
            "tenant": event.tenant,
            "payload": dict(event.payload),
        }
        yield Document(number, identity("event", event.publisher, event.id), _text(fields), 0)


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, halves rounded up."""
    return math.floor(seconds * 1000 + 0.5)


def _text(fields: dict[str, Any]) -> bytes:
    return ENCODER.encode(fields).encode()
