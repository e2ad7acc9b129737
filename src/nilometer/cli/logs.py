"""The server's log: lines of text or JSON on standard error; serving statsd's configuration file, on standard output."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.core.settings import LogSection

TEXT = "%(asctime)s %(levelname)s %(message)s"
STATSD, STATSD_TIME = "%(asctime)s - %(message)s", "%d %b %H:%M:%S"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (seconds since the epoch), level, logger, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        entry = {
            "time": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _formatter(settings: LogSection, *, statsd: bool) -> logging.Formatter:
    if settings.format == "json":
        return JsonFormatter()
    formatter = logging.Formatter(STATSD, STATSD_TIME) if statsd else logging.Formatter(TEXT)
    formatter.default_msec_format = "%s.%03d"
    formatter.converter = time.localtime
    return formatter


def configure(settings: LogSection, *, statsd: bool = False) -> None:
    """Send the program's log where it belongs, at the level and in the form that the settings ask for."""
    handler = logging.StreamHandler(sys.stdout if statsd else sys.stderr)
    handler.setFormatter(_formatter(settings, statsd=statsd))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
