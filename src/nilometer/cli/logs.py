"""The server's log: lines of text or JSON on standard error, standard output or syslog.

In statsd's place a line of text looks as statsd's does. A message that begins with ``DEBUG: `` is one for which statsd names no
level: in syslog it has the priority that statsd's file names, and the word is left out.
"""

from __future__ import annotations

import json
import logging
import sys
import syslog
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from nilometer.core.sections import LogSection
    from nilometer.ingest.statsd.mode import StatsdMode

TEXT = "%(asctime)s %(levelname)s %(message)s"
STATSD, STATSD_TIME = "%(asctime)s - %(message)s", "%d %b %H:%M:%S"
BARE = "%(message)s"
PLAIN = "DEBUG: "
PRIORITIES = {
    logging.DEBUG: syslog.LOG_DEBUG,
    logging.INFO: syslog.LOG_INFO,
    logging.WARNING: syslog.LOG_WARNING,
    logging.ERROR: syslog.LOG_ERR,
}


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


class SyslogHandler(logging.Handler):
    """Writes to the system's log by way of the C library, which finds the daemon again when that restarts."""

    def __init__(self, name: str, plain: int | None = None) -> None:
        super().__init__()
        self._plain = plain
        syslog.openlog(name, syslog.LOG_PID, syslog.LOG_LOCAL0)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, at the priority that goes with its level."""
        text, priority = self.format(record), PRIORITIES.get(record.levelno, syslog.LOG_CRIT)
        if self._plain is not None and text.startswith(PLAIN):
            text, priority = text.removeprefix(PLAIN), self._plain
        syslog.syslog(priority, text.replace("\0", ""))


class QuietStream(logging.StreamHandler[TextIO]):
    """Write to a stream; when nobody can take the log any more, say nothing, instead of a traceback with every record."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 logging calls it so
        """Pass over what the stream's other end did; show what is wrong in the record."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _formatter(settings: LogSection, *, statsd: bool) -> logging.Formatter:
    if settings.format == "json":
        return JsonFormatter()
    if settings.to == "syslog":
        return logging.Formatter(BARE)
    formatter = logging.Formatter(STATSD, STATSD_TIME) if statsd else logging.Formatter(TEXT)
    formatter.default_msec_format = "%s.%03d"
    formatter.converter = time.localtime
    return formatter


def _handler(settings: LogSection, statsd: StatsdMode | None) -> logging.Handler:
    if settings.to == "syslog":
        return SyslogHandler(settings.name, None if statsd is None else getattr(syslog, statsd.priority))
    return QuietStream(sys.stdout if settings.to == "stdout" else sys.stderr)


def configure(settings: LogSection, statsd: StatsdMode | None = None) -> None:
    """Send the program's log where it belongs, at the level and in the form that the settings ask for."""
    handler = _handler(settings, statsd)
    handler.setFormatter(_formatter(settings, statsd=statsd is not None))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each step of its own
