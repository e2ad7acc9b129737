"""The servers that are measured, each started on free ports by a command; `Peer.counted` says what a server has counted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import machine

from nilometer.testing.carbon import Carbon
from nilometer.testing.ports import free_port
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"
COUNTER = re.compile(
    rb"^(?:[\w.-]*\bstats_counts\.|counts\.)?(?:[\w.-]*\.)?bench\.c\d+\.x*(?P<count>\.count)?[ |](?P<value>\S+?)[ |]\d+$",
    re.MULTILINE,
)
"""A counter of the load in Graphite's lines (``path value time``) or statsite's (``path|value|time``)."""
EXPOSED = re.compile(rb"^bench_c\d+_x* (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """How a server is started. `{port}`, `{carbon}`, `{http}`, `{config}`, `{folder}` are filled in."""

    name: str
    command: str
    config: Callable[[dict[str, object]], str] | None = None
    scraped: bool = False
    needs: Path | None = None
    cure: str = ""


def statsd_config(at: dict[str, object]) -> str:
    """Return statsd's own configuration."""
    interval = int(float(str(at["interval"])) * 1000)
    graphite = {"legacyNamespace": False}
    ports = {"port": at["port"], "mgmt_port": at["http"], "graphiteHost": "127.0.0.1", "graphitePort": at["carbon"]}
    return json.dumps({**ports, "address": "127.0.0.1", "flushInterval": interval, "graphite": graphite})


def recipes(extra: list[str]) -> list[Recipe]:
    """Return the servers to compare: ours, the reference, statsd_exporter, and those named as ``NAME=COMMAND``."""
    ours = f"{sys.prefix}/bin/nilometer serve --statsd-config {{config}}"
    exporter = (
        "--statsd.listen-udp=127.0.0.1:{port} --statsd.listen-tcp= --web.listen-address=127.0.0.1:{http} --log.level=error"
    )
    known = [
        Recipe("Nilometer", ours, statsd_config),
        Recipe(
            "statsd (Node)",
            f"node {CACHE}/statsd/node_modules/statsd/stats.js {{config}}",
            statsd_config,
            needs=CACHE / "statsd/node_modules/statsd/stats.js",
            cure="make servers",
        ),
        Recipe(
            "statsd_exporter",
            f"{CACHE}/bin/statsd_exporter {exporter}",
            scraped=True,
            needs=CACHE / "bin/statsd_exporter",
            cure="install Go, then: python tests/servers/install.py --slow",
        ),
    ]
    named = (text.partition("=") for text in extra)
    return known + [Recipe(name, command) for name, _, command in named]


def counted(text: bytes) -> float:
    """Return the sum of the load's counters: ``….count`` of the new names, ``stats_counts.…`` of the old, ``counts.…``."""
    total = 0.0
    for match in COUNTER.finditer(text):
        old = match[0].startswith((b"counts.", b"stats_counts."))
        if match["count"] or old:
            total += float(match["value"])
    return total


class Peer:
    """One running server."""

    def __init__(self, recipe: Recipe, interval: float) -> None:
        self.recipe, self.folder = recipe, Path(tempfile.mkdtemp(prefix="bench-"))
        self.carbon = Carbon(buffer=0)
        self.port, self.http = free_port(socket.SOCK_DGRAM), free_port()
        at: dict[str, object] = {"port": self.port, "carbon": self.carbon.port, "http": self.http, "interval": interval}
        at |= {"folder": self.folder, "config": self.folder / "config.js"}
        if recipe.config:
            (self.folder / "config.js").write_text(recipe.config(at))
        self._log = (self.folder / "log").open("wb")
        environment = os.environ | {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder)}
        command = shlex.split(recipe.command.format_map(at))
        self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=self._log, stderr=self._log)
        self._total = 0.0
        self.text = b""
        self._wait()

    def _wait(self) -> None:
        """Wait until the server holds its UDP port, and the port where it is asked if it has one."""
        wanted = {f":{self.port:04X} "} | ({f":{self.http:04X} "} if self.recipe.scraped else set())

        def log() -> str:
            return (self.folder / "log").read_text()[-500:]

        def held() -> bool:
            if self._process.poll() is not None:
                message = f"{self.recipe.name} ended: {log()}"
                raise RuntimeError(message)
            ports = "".join(Path(f"/proc/net/{table}").read_text() for table in ("udp", "udp6", "tcp", "tcp6"))
            return all(port in ports for port in wanted)

        until(held, f"{self.recipe.name} listens on UDP port {self.port}", told=log)

    def counted(self) -> float:
        """Return the counters that the server has reported so far."""
        if self.recipe.scraped:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=60) as answer:
                return sum(float(value) for value in EXPOSED.findall(answer.read()))
        self.text = self.carbon.server.inbox.take_lines()
        self._total += counted(self.text)
        return self._total

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used."""
        return machine.cpu(self._process.pid)

    def rss(self) -> float:
        """Return the most memory that the server has held, in MB."""
        return machine.peak_memory(self._process.pid)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._process.kill()
        self._process.wait()
        self._log.close()
        self.carbon.close()
        shutil.rmtree(self.folder, ignore_errors=True)
