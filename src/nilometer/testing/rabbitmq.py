"""A real RabbitMQ for tests: one node on free loopback ports, in a folder of its own, stopped by its process.

It takes some ten seconds to start. Its distribution port and its own epmd listen on loopback only, and end with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.testing.frozen import stopped
from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_ports
from nilometer.testing.servers import START, STOP, accepts
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.certificates import Certificate

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
LARGEST = 6 << 20
"""Bytes of a message, at most: far fewer than by default."""


class RabbitMQ:
    """A node that can be stopped, started again with what it holds, and frozen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._dist, self._epmd = free_ports(3)
        self.url = f"amqp://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(f"loopback_users.guest = true\nmax_message_size = {LARGEST}\n")

    def by_certificate(self, own: Certificate, user: str) -> int:
        """Have the node, before it starts, speak TLS, too, to the user who has a certificate by `own`. Return the port."""
        (port,) = free_ports(1)
        (self.folder / "plugins").write_text("[rabbitmq_auth_mechanism_ssl].")
        lines = [
            f"listeners.ssl.1 = 127.0.0.1:{port}",
            f"ssl_options.cacertfile = {own.certificate}",
            f"ssl_options.certfile = {own.certificate}",
            f"ssl_options.keyfile = {own.key}",
            "ssl_options.verify = verify_peer",
            "ssl_options.fail_if_no_peer_cert = true",
            "ssl_cert_login_from = common_name",
            "auth_mechanisms.1 = EXTERNAL",
            f"default_user = {user}",
        ]
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
        return port

    @property
    def environment(self) -> dict[str, str]:
        """What RabbitMQ's programs are told."""
        return os.environ | {
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd),
            "RABBITMQ_NODENAME": f"nilometer{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK,
        }

    def start(self) -> None:
        """Start the node, and return when it accepts connections. Raise `Missing` where it is not installed."""
        program = PROGRAMS / "rabbitmq-server"
        if not program.exists():
            message = f"{program} is missing; type: apt-get install rabbitmq-server"
            raise Missing(message, "rabbitmq")
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 ours
                [program], cwd=self.folder, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        until(lambda: b"Starting broker" in self._output() and accepts(self.port), "RabbitMQ accepts", START, self.log)

    def _output(self) -> bytes:
        return (self.folder / "output").read_bytes()

    def log(self) -> str:
        """Return the end of what it printed."""
        return self._output()[-3000:].decode("utf-8", "replace")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the node; what it holds durably stays in its folder."""
        process, self._process = self._process, None
        if process is None:
            return
        self._signal(process, signal.SIGCONT)
        self._signal(process, number)
        try:
            process.wait(STOP * 3)
        except subprocess.TimeoutExpired:
            self._signal(process, signal.SIGKILL)
            process.wait(STOP)
        (self.folder / "output").unlink(missing_ok=True)

    def kill(self) -> None:
        """End the node as a power cut does."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Have the node do nothing, while connections are still accepted."""
        if self._process is not None:
            self._signal(self._process, signal.SIGSTOP)
            stopped(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._signal(self._process, signal.SIGCONT)

    def close(self) -> None:
        """Stop the node and its epmd."""
        self.stop()
        with contextlib.suppress(OSError):
            subprocess.run(["epmd", "-kill"], env=self.environment, capture_output=True, timeout=STOP, check=False)  # noqa: S607 Erlang's

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[RabbitMQ]:
    """Run a node in a folder, and stop it in the end. Raise `Missing` where it is not installed."""
    server = RabbitMQ(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder / "data", ignore_errors=True)
