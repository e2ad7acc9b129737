"""What lines mean, as plain dicts; see `Kernel.explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.record import Kind
from nilometer.ingest._reference.reading import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.ingest._reference.reading import Reading, Value


def explained(reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield a dict for each value, one for an event or a service check; bad ones have ``error``."""
    if reading.notice is not None:
        yield reading.notice
        return
    for value in reading.values:
        if isinstance(value, Refusal):
            yield {"error": value.reason, "fields": value.fields}
        else:
            yield _value(reading, value)


def _value(reading: Reading, value: Value) -> dict[str, Any]:
    found: dict[str, Any] = {"name": reading.name, "type": value.type}
    if value.type == Kind.SET:
        found["set_value"] = value.samples[0].text
    else:
        found["values"] = [sample.number for sample in value.samples]
    found |= {"rate": value.rate, "tags": list(reading.tags), "key": reading.key}
    if any(sample.change for sample in value.samples):
        found["relative"] = True
    return found | reading.extras
