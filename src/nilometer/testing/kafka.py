"""A real Kafka for tests: one node, broker and controller in one (KRaft), on free loopback ports, stopped by its process.

`make test-slow` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from nilometer.testing.frozen import freeze
from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_ports
from nilometer.testing.servers import CHECKOUT, START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.testing.certificates import Certificate

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
MEMORY = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={protocol}://localhost:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name={protocol}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocol}:{protocol}
log.dirs={folder}/data
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
"""
LOGIN = ("me", "s3cr3t")
"""Who may log in where a certificate is given."""
SECURE = """ssl.keystore.type=PEM
ssl.keystore.certificate.chain={certificate}
ssl.keystore.key={key}
ssl.truststore.type=PEM
ssl.truststore.certificates={certificate}
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="{user}" password="{password}" user_{user}="{password}";
"""


def jars() -> str:
    """Return the class path, below the checkout's ``.cache``. Raise `Missing`."""
    folder = CHECKOUT / ".cache" / "kafka"
    if not (folder / "lib").is_dir() or shutil.which("java") is None:
        message = f"{folder} holds no Kafka, or java is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "kafka")
    return f"{folder}/lib/*"


class Kafka:
    """A node; its address stays the same over a restart, and so does what it holds.

    With a certificate it speaks TLS alone, and takes a login.
    """

    def __init__(self, folder: Path, secure: Certificate | None = None) -> None:
        self.folder = folder
        self.port, controller = free_ports(2)
        self._properties = folder / "server.properties"
        protocol = "PLAINTEXT" if secure is None else "SASL_SSL"
        text = PROPERTIES.format(protocol=protocol, port=self.port, controller=controller, folder=folder)
        if secure is not None:
            user, password = LOGIN
            text += SECURE.format(certificate=_lines(secure.certificate), key=_lines(secure.key), user=user, password=password)
        self._properties.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._properties)).wait()

    def _java(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output").open("ab") as output:
            command = ["java", *MEMORY, "-cp", jars(), *arguments]
            return subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output)  # noqa: S603 ours

    def start(self) -> None:
        """Start the node, and return when it accepts."""
        self._process = self._java("kafka.Kafka", str(self._properties))
        until(lambda: accepts(self.port), "Kafka accepts", START, self.log)

    def stop(self) -> None:
        """Stop the node; what it holds stays in its folder."""
        self.thaw()
        stop(self._process)
        self._process = None

    def freeze(self) -> None:
        """Stop every thread of the node; the system goes on accepting for it."""
        if self._process is not None:
            freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Return the end of what it printed."""
        return (self.folder / "output").read_text(errors="replace")[-4000:]


def _lines(path: Path) -> str:
    """Return a file as one value of several lines."""
    return " \\\n".join(path.read_text().split("\n")[:-1])


@contextlib.contextmanager
def kafka(folder: Path, secure: Certificate | None = None) -> Iterator[Kafka]:
    """Start a node in a folder, and stop it in the end. Raise `Missing` when it is not installed."""
    server = Kafka(folder, secure)
    try:
        server.start()
        yield server
    finally:
        server.stop()
