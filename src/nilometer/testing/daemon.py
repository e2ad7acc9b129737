"""Starts any StatsD daemon that reads statsd's own configuration file, on free ports, its Graphite a fake carbon."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from nilometer.testing.carbon import Carbon

    Config = dict[str, Any]


class Command(NamedTuple):
    """How a daemon is started: its command line with ``{config}`` in it, the pattern of the line that says it listens."""

    line: str
    ready: str = "server is up"
    cwd: str | None = None


class Daemon:
    """The server under test, started on free ports with the given configuration."""

    def __init__(self, config: Config, command: Command, carbon: Carbon, udp_sink: int = 0, tcp_sink: int = 0) -> None:
        self.carbon, self.udp_sink, self.tcp_sink = carbon, udp_sink, tcp_sink
        self.folder = Path(tempfile.mkdtemp(prefix="statsd-case-"))
        self.udp, self.tcp, self.admin_port = free_port(socket.SOCK_DGRAM), free_port(), free_port()
        self.uds, self.config = self.folder / "ingest.sock", self.folder / "config.js"
        self.write(config)
        self.output: list[str] = []
        self.up, self.ended = threading.Event(), threading.Event()
        self.ready = re.compile(command.ready.encode())
        arguments = shlex.split(command.line.replace("{config}", str(self.config)))
        # our server's HTTP interface, which no case asks, would only slow the start
        environment = {**os.environ, "NILOMETER_WEB_LISTEN": "[]", "HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder)}
        self.process = subprocess.Popen(  # noqa: S603 the daemon that the tests name
            arguments, cwd=command.cwd or self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.pump = threading.Thread(target=self._pump, daemon=True)
        self.pump.start()

    def write(self, config: Config) -> None:
        """Write the configuration, with the ports and the addresses of this run."""
        text = json.dumps(config).replace('"@UDPSINK"', str(self.udp_sink)).replace('"@TCPSINK"', str(self.tcp_sink))
        c = json.loads(text)
        if c.setdefault("flushInterval", 1000) is None:
            del c["flushInterval"]
        if not c.pop("_nographite", False):
            c["graphiteHost"] = "127.0.0.1"
        c |= {"graphitePort": self.carbon.port, "graphitePicklePort": self.carbon.port}
        c |= {"mgmt_port": self.admin_port, "mgmt_address": "127.0.0.1"}
        for server in c.get("servers", [c]):
            tcp = server.get("server", "").endswith("tcp")
            if tcp and server.get("socket") == "@UDS":
                server["socket"] = str(self.uds)
            else:
                server |= {"port": self.tcp if tcp else self.udp, "address": "127.0.0.1"}
        self.config.write_text(json.dumps(c))

    def _pump(self) -> None:
        for line in self.process.stdout or ():
            self.output.append(line.decode("utf8", "replace"))
            if self.ready.search(line):
                self.up.set()
        self.ended.set()
        self.up.set()

    def admin(self, command: str) -> str:
        """Send one command to the management port and return the answer."""
        with socket.create_connection(("127.0.0.1", self.admin_port), timeout=2) as s:
            s.sendall(command.encode("latin1"))
            s.settimeout(0.35)
            reply = b""
            try:
                while not reply.endswith(b"END\n\n") and (data := s.recv(1 << 16)):
                    reply += data
            except TimeoutError:
                pass
        return reply.decode("latin1")

    def stop(self) -> None:
        """End the daemon and remove its files."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.pump.join(5)
        if self.process.stdout and not self.pump.is_alive():
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
