"""What a server hands to its successor: the gauges, and the end of the last window that it wrote.

Rules:

* One JSON file in the state directory, replaced as a whole: a crash leaves the old one or the new one.
* A file that cannot be read costs the gauges, never the start: it is set aside and named in the log.
"""

from __future__ import annotations

import json
import logging
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG = logging.getLogger(__name__)
VERSION = 1


@dataclass(frozen=True, slots=True)
class Carryover:
    """`written`: end of the last window that went to the sinks, in seconds since the epoch; `gauges` by key."""

    written: float = 0.0
    gauges: Mapping[str, float] = field(default_factory=dict)


def save(path: Path, carryover: Carryover) -> None:
    """Replace the file. Raise `StoreError` when the disk does not take it."""
    aside = path.with_suffix(".tmp")
    document = {"version": VERSION, "written": carryover.written, "gauges": dict(carryover.gauges)}
    try:
        with aside.open("w", encoding="utf-8") as stream:
            json.dump(document, stream)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError as error:
        message = f"{path}: gauges cannot be kept: {error.strerror}"
        raise StoreError(message) from error


def restore(path: Path) -> Carryover:
    """Return what the last server left; nothing when there is no file or it is broken."""
    try:
        document = json.loads(path.read_text("utf-8"))
        return _parse(document)
    except FileNotFoundError:
        return Carryover()
    except (OSError, ValueError, TypeError, RecursionError) as error:
        LOG.warning("%s: gauges are not restored: %s", path, error)
        _set_aside(path)
        return Carryover()


def _parse(document: object) -> Carryover:
    """Read a document. Raise ValueError or TypeError when it is none of ours."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        message = f"not a file of version {VERSION}"
        raise ValueError(message)
    gauges = (
        {key: float(value) for key, value in document["gauges"].items()} if isinstance(document.get("gauges"), dict) else {}
    )
    written = float(document.get("written", 0.0))
    return Carryover(written if math.isfinite(written) else 0.0, gauges)


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".corrupt"))
    except OSError as error:
        LOG.warning("%s: cannot be set aside: %s", path, error.strerror)
