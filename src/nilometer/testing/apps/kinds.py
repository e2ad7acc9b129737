"""The servers that run an application: how each is started on a loopback port.

Each has one worker process, so that a test knows whom it asks, but several threads where the server offers them.
"""

from __future__ import annotations

import shlex
import sys
from signal import SIGINT, SIGTERM, Signals
from typing import NamedTuple

import pytest

PYTHON = (sys.executable, "-m")
HOST = "127.0.0.1"
GUNICORN = "gunicorn --bind {host}:{port} --graceful-timeout 5 --no-control-socket --worker-class"


class Kind(NamedTuple):
    """A server: its name, ``wsgi`` or ``asgi``, its command with ``{host}``, ``{port}``, ``{app}`` in it, what stops it."""

    name: str
    interface: str
    command: str
    stop: Signals = SIGTERM

    def arguments(self, port: int, app: str, *more: str) -> list[str]:
        """Return the command line for an application ``module:name``; `more` options stand before the application."""
        program, *options = shlex.split(self.command)
        head = [f"{sys.prefix}/bin/uwsgi"] if program == "uwsgi" else [*PYTHON, program]
        filled = [option.format(host=HOST, port=port, app=app, prefix=sys.prefix) for option in options]
        last = [] if "{app}" in self.command else [app]
        return [*head, *filled, *more, *last]


WSGI = (
    Kind("gunicorn sync", "wsgi", f"{GUNICORN} sync"),
    Kind("gunicorn gthread", "wsgi", f"{GUNICORN} gthread --threads 4"),
    Kind("gunicorn gevent", "wsgi", f"{GUNICORN} gevent"),
    Kind(
        "uWSGI",
        "wsgi",
        "uwsgi --http-socket {host}:{port} --wsgi {app} --home {prefix} --master --processes 1 --threads 4 "
        "--need-app --die-on-term --hook-master-start 'unix_signal:15 gracefully_kill_them_all'",  # waits for its workers
    ),
    Kind("waitress", "wsgi", "waitress --listen={host}:{port} --threads=4", SIGINT),  # SIGTERM just kills it
    Kind("granian WSGI", "wsgi", "granian --interface wsgi --host {host} --port {port} --blocking-threads 4 --no-ws"),
)
ASGI = (
    Kind("uvicorn", "asgi", "uvicorn --host {host} --port {port}"),
    Kind("hypercorn", "asgi", "hypercorn --bind {host}:{port}"),
    Kind("granian ASGI", "asgi", "granian --interface asgi --host {host} --port {port}"),
)
KINDS = {kind.name: kind for kind in WSGI + ASGI}
FIRST = ("gunicorn sync", "granian WSGI", "uvicorn")
TRIALS = [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in KINDS]
"""What tests of a request run over: all servers, those that are not among the first in the slow tests."""
