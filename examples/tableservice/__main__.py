"""Run the service: ``python -m tableservice --port 8480 --database sqlite:///tables.db --statsd statsd://127.0.0.1:8125``."""

from __future__ import annotations

import argparse
import os
import socket

import uvicorn

from tableservice.app import application
from tableservice.service import Service
from tableservice.settings import Settings, from_environment


def main() -> None:
    """Listen, say where, and serve until a signal ends it."""
    usual = from_environment(os.environ)
    parser = argparse.ArgumentParser(prog="python -m tableservice", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8480, help="0 takes one that is free")
    parser.add_argument("--database", default=usual.database, metavar="URL", help="SQLAlchemy's URL; default: %(default)s")
    parser.add_argument("--statsd", default=usual.statsd, metavar="URL", help="where metrics go; default: %(default)s")
    parser.add_argument(
        "--node", default=usual.node, metavar="NAME", help="its name in metrics; by default that of the machine"
    )
    parser.add_argument("--events", default=usual.events, metavar="URL", help="where usage events go; by default nowhere")
    parser.add_argument("--weather", action="store_true", default=usual.weather, help="a slow and failing storage, to look at")
    given = parser.parse_args()
    service = Service(Settings(given.database, given.statsd, given.node, given.weather, given.events))
    listener = socket.create_server((given.host, given.port), backlog=128)
    host, port = listener.getsockname()[:2]
    print(f"tableservice listens on http://{host}:{port}", flush=True)
    config = uvicorn.Config(application(service), access_log=False, log_level="warning", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
