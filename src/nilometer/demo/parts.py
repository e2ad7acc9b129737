"""The three processes: which programs they are, what they are told, how they say that they are up."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import nilometer
from nilometer.core.errors import ConfigError
from nilometer.demo.page import NODE

NEEDED = ("click", "fastapi", "rich", "sqlalchemy", "uvicorn", "yaml")
"""What the server and the example import, all of it in the extra ``server``."""
SETTINGS = """\
# The server of the demonstration: everything on this machine, on free ports, flushed every second.
[server]
state = "{state}"
listen = ["udp://127.0.0.1:0"]

[web]
listen = ["http://127.0.0.1:{port}"]

[admin]
listen = []

[flush]
interval = "1s"

[timers]
percentiles = [50, 90, 95, 99]

# What the service's database holds, read from its file.
[tables]
sources = ["sqlite:///{database}"]
prefix = "{node}"
every = "2s"
delay = "5s"
"""
DATABASE = "tables.db"
EVENTS = "/api/v1/events"
"""Where a server takes events; what sends them there needs urllib3."""
SERVER_UP = r"server is up()"
SERVER_UDP = r"listening on (udp://[^\s,]+)"
SERVER_WEB = r"HTTP interface on (http://[^\s,]+)"
SERVICE_UP = r"tableservice listens on (http://\S+)"
TRAFFIC_UP = r"(traffic begins)"


class Program(NamedTuple):
    """The name that people know, and the arguments of Python."""

    name: str
    arguments: tuple[str, ...]


def check() -> None:
    """Raise `ConfigError` when something is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = f"the demonstration needs {', '.join(missing)}; type: pip install 'nilometer[server]'"
        raise ConfigError(message)
    example()


def example() -> Path:
    """Return the folder that holds the example: in the installed package, else in the checkout. Raise `ConfigError`."""
    package = Path(nilometer.__file__).parent
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / "tableservice" / "app.py").exists():
            return folder
    message = f"the example service is not here: neither {package}/examples nor a checkout holds it; install nilometer again"
    raise ConfigError(message)


def environment() -> dict[str, str]:
    """Return what the processes find: the example, and no settings of somebody's server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NILOMETER_", "TABLESERVICE_"))}
    kernel = {name: os.environ[name] for name in ("NILOMETER_KERNEL",) if name in os.environ}
    paths = [str(example()), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, **kernel, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def server(folder: Path, port: int) -> Program:
    """Return the server; its settings are written into `folder`."""
    file = folder / "nilometer.toml"
    told = {"state": folder / "state", "port": port, "database": quote(str(folder / DATABASE)), "node": NODE}
    file.write_text(SETTINGS.format(**told), encoding="utf-8")
    return Program("the server", ("-m", "nilometer", "serve", "-c", str(file)))


def service(folder: Path, statsd: str, server: str) -> Program:
    """Return the example service, which sends its metrics to a URL, and its events to the server at another."""
    database = f"sqlite:///{folder / DATABASE}"
    told = ("--port", "0", "--database", database, "--statsd", statsd, "--node", NODE, "--weather")
    events = ("--events", f"webhook+{server}{EVENTS}") if find_spec("urllib3") else ()
    return Program("the table service", ("-m", "tableservice", *told, *events))


def traffic(url: str, rate: float) -> Program:
    """Return those who use the service at a URL, `rate` times a second."""
    return Program("the traffic", ("-m", "tableservice.traffic", "--url", url, "--rate", f"{rate:g}"))
