"""The dialects besides statsd's own: what a line of DogStatsD, or with tags in its name, means.

Rules, the same for all of them:

* A line is UTF-8; a carriage return at its end is not part of it.
* ``_e{`` begins an event, ``_sc|`` a service check (`notices`), anything else a metric (`metrics`).
* The dialect says which styles of tags in the name are known (`names`). ``auto`` knows every style, ``dogstatsd`` none.

docs/reference/dialects.md has the grammar and the reasons for the choices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.ingest._reference.dialects import metrics, notices
from nilometer.ingest._reference.reading import RefusedError

if TYPE_CHECKING:
    from nilometer.ingest._reference.reading import Reading

STYLES = {"auto": "[;#,", "dogstatsd": "", "graphite": ";", "influx": ",", "librato": "#", "signalfx": "["}
"""By dialect the marks that begin tags in a name."""
EVENT, CHECK = "_e{", "_sc|"
NOT_UTF8 = "not UTF-8"


def read(line: bytes, dialect: str, *, absolute: bool, sanitize: bool) -> Reading:
    """Return what a line means. Raise `RefusedError` when all of it is bad."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(NOT_UTF8) from error
    if text.startswith(EVENT):
        return notices.event(text.removeprefix(EVENT))
    if text.startswith(CHECK):
        return notices.check(text.removeprefix(CHECK), sanitize=sanitize)
    return metrics.read(text, STYLES[dialect], absolute=absolute, sanitize=sanitize)
