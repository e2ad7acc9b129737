"""Real servers for tests: each starts on free loopback ports, in a folder of its own, and is stopped by its process.

`make servers` installs them; one that is missing raises `Missing`, whose message says what to type.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_ports
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

VENV = "NILOMETER_GRAPHITE_VENV"
CHECKOUT = Path(__file__).parents[3]
START, STOP = 90.0, 10.0
"""Seconds that a server has to start and to stop."""


def programs() -> Path:
    """Return the folder of Graphite's programs: below ``$NILOMETER_GRAPHITE_VENV``, else below the checkout's ``.cache``."""
    folder = Path(os.environ.get(VENV) or CHECKOUT / ".cache" / "graphite") / "bin"
    if not (folder / "carbon-cache.py").exists():
        message = f"{folder} holds no Graphite; type: make servers (or name an environment that does with {VENV})"
        raise Missing(message, "graphite")
    return folder


CARBON = """[cache]
STORAGE_DIR = {folder}
LOCAL_DATA_DIR = {folder}/whisper
CONF_DIR = {folder}/conf
LOG_DIR = {folder}/log
PID_DIR = {folder}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
ENABLE_UDP_LISTENER = False
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = 5000
ENABLE_TAGS = True
GRAPHITE_URL = http://127.0.0.1:{web}
"""
SCHEMAS = "[all]\npattern = .*\nretentions = {retention}\n"
SETTINGS = """from graphite.settings import *
SECRET_KEY, ALLOWED_HOSTS, DEBUG, TIME_ZONE = "test", ["*"], False, "UTC"
STORAGE_DIR, CONF_DIR, LOG_DIR, INDEX_FILE = "{folder}", "{folder}/conf", "{folder}/log", "{folder}/index"
WHISPER_DIR = "{folder}/whisper"
STANDARD_DIRS = [WHISPER_DIR]
CARBONLINK_HOSTS, CLUSTER_SERVERS = ["127.0.0.1:{query}"], []
DATABASES = {{"default": {{"NAME": "{folder}/graphite.db", "ENGINE": "django.db.backends.sqlite3"}}}}
"""


class Ports(NamedTuple):
    """Where a Graphite listens: carbon's lines, pickles and cache queries, and the web application."""

    line: int
    pickle: int
    query: int
    web: int


class Graphite:
    """A real carbon-cache and graphite-web. `retention` is whisper's, ``seconds:duration``."""

    def __init__(self, folder: Path, retention: str = "1s:1h") -> None:
        self._programs, self.folder = programs(), folder
        self.ports = Ports(*free_ports(len(Ports._fields)))
        self._carbon: subprocess.Popen[bytes] | None = None
        self._web: subprocess.Popen[bytes] | None = None
        self._configure(retention)

    def _configure(self, retention: str) -> None:
        values = {"folder": self.folder, "retention": retention, **self.ports._asdict()}
        files = {"conf/carbon.conf": CARBON, "conf/storage-schemas.conf": SCHEMAS, "graphite_under_test.py": SETTINGS}
        for part in ("conf", "log", "whisper"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / name).write_text(text.format(**values))

    def url(self, scheme: str) -> str:
        """Return the URL that reaches its carbon: of ``graphite`` or ``graphite+pickle``."""
        return f"{scheme}://127.0.0.1:{self.ports.pickle if scheme.endswith('pickle') else self.ports.line}"

    def start(self) -> None:
        """Start both, and return when both answer."""
        tables = self._run("python", "-W", "ignore", "-m", "django", "migrate", "--run-syncdb", "-v0")
        self._web = self._run("gunicorn", "-b", f"127.0.0.1:{self.ports.web}", "--threads", "4", "graphite.wsgi:application")
        self.start_carbon()
        tables.wait(START)
        until(lambda: self._answers("/metrics/find?query=*"), "graphite-web answers", START, self.log)

    def start_carbon(self) -> None:
        """Start carbon alone: again, after `stop_carbon`."""
        configuration = f"--config={self.folder}/conf/carbon.conf"
        self._carbon = self._run("python", str(self._programs / "carbon-cache.py"), configuration, "--nodaemon", "start")
        until(lambda: accepts(self.ports.line) and accepts(self.ports.pickle), "carbon accepts", START, self.log)

    def stop_carbon(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop carbon alone, and return when its process is gone."""
        stop(self._carbon, number)
        self._carbon = None
        (self.folder / "carbon-cache-a.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop both."""
        self.stop_carbon()
        stop(self._web)
        self._web = None

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        settings = dict.fromkeys(("DJANGO_SETTINGS_MODULE", "GRAPHITE_SETTINGS_MODULE"), "graphite_under_test")
        environment = {**os.environ, **settings, "PYTHONPATH": str(self.folder), "GRAPHITE_NO_PREFIX": "True"}
        with (self.folder / "log" / "output").open("ab") as output:
            command = [str(self._programs / program), *arguments]
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=output, stderr=output)  # noqa: S603 ours

    def log(self) -> str:
        """Return the end of what the programs printed."""
        return (self.folder / "log" / "output").read_text(errors="replace")[-4000:]

    def _answers(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.get(path) is not None)
        return False

    def get(self, path: str) -> Any:  # noqa: ANN401 whatever JSON the server sends
        """Return the JSON that a path answers with. Raise OSError (HTTPError for its status codes)."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.web}{path}", timeout=STOP) as answer:
            return json.load(answer)

    def render(self, target: str, start: int, end: int) -> dict[str, dict[int, float]]:
        """Return each found series' points with ``start <= time <= end`` (whole seconds), by the name that Graphite gives."""
        query = urlencode({"target": target, "from": start - 1, "until": end, "format": "json", "noCache": "true"})
        found = self.get(f"/render?{query}")
        return {each["target"]: {time: value for value, time in each["datapoints"] if value is not None} for each in found}


@contextlib.contextmanager
def graphite(folder: Path) -> Iterator[Graphite]:
    """Start a Graphite in a folder, and stop it in the end. Raise `Missing` when it is not installed."""
    server = Graphite(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def accepts(port: int) -> bool:
    """Say whether somebody accepts connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def stop(process: subprocess.Popen[bytes] | None, number: signal.Signals = signal.SIGTERM) -> None:
    """Stop a process that was started here; kill it when it takes too long."""
    if process is None:
        return
    process.send_signal(number)
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
