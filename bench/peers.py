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
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sink import Sink, counted

from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"
TICKS = os.sysconf("SC_CLK_TCK")
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


class Peer:
    """One running server."""

    def __init__(self, recipe: Recipe, interval: float) -> None:
        self.recipe, self.folder, self.sink = recipe, Path(tempfile.mkdtemp(prefix="bench-")), Sink()
        self.port, self.http = free_port(socket.SOCK_DGRAM), free_port()
        at: dict[str, object] = {"port": self.port, "carbon": self.sink.port, "http": self.http, "interval": interval}
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
        """Wait until the server holds its UDP port."""
        wanted = f":{self.port:04X} "
        for _ in range(200):
            if self._process.poll() is not None:
                message = f"{self.recipe.name} ended: {(self.folder / 'log').read_text()[-500:]}"
                raise RuntimeError(message)
            if wanted in Path("/proc/net/udp").read_text() + Path("/proc/net/udp6").read_text():
                return
            time.sleep(0.05)
        message = f"{self.recipe.name} does not listen on UDP port {self.port}"
        raise RuntimeError(message)

    def counted(self) -> float:
        """Return the counters that the server has reported so far."""
        if self.recipe.scraped:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=60) as answer:
                return sum(float(value) for value in EXPOSED.findall(answer.read()))
        self.text = self.sink.take()
        self._total += counted(self.text)
        return self._total

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> float:
        """Return the most memory that the server has held, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._process.kill()
        self._process.wait()
        self._log.close()
        self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)
