"""Install the servers that the tests start, into ``.cache/``: ``make servers``. With ``--slow``, those built from source too.

Each server has its own function here and its own versions beside this file. What cannot be installed is written to
``.cache/left-out.json`` with the reason and the cure; tests that need it are then listed as left out, and fail under CI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache"
APT = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=500")


class Server(NamedTuple):
    """A program that tests need: how it is made, what shows that it is there, and what a person can do without it."""

    install: Callable[[], None]
    proof: Path
    pins: Path | None
    cure: str


def call(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command; a failure carries the last lines that it printed."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        tail = " ".join((done.stderr + done.stdout).strip().splitlines()[-2:])
        message = f"{' '.join(command[:3])} … failed: {tail}"
        raise RuntimeError(message)


def apt(*packages: str) -> None:
    """Install Debian packages, which only root can."""
    if os.geteuid() != 0:
        message = "only root can install Debian packages"
        raise RuntimeError(message)
    call("apt-get", "update", "-qq")
    call(*APT, *packages)


def graphite() -> None:
    """carbon and graphite-web in an environment of their own."""
    call(sys.executable, "-m", "venv", str(CACHE / "graphite"))
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(CACHE / "graphite/bin/python")
    call(uv, "pip", "install", "-p", python, "-r", str(HERE / "graphite.txt"), env={"GRAPHITE_NO_PREFIX": "True"})


def moto() -> None:
    """moto, which answers as CloudWatch does, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "moto"))
    uv = str(Path(sys.executable).with_name("uv"))
    call(uv, "pip", "install", "-p", str(CACHE / "moto/bin/python"), "-r", str(HERE / "moto.txt"))


def nats() -> None:
    """NATS, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "nats"))
    uv = str(Path(sys.executable).with_name("uv"))
    call(uv, "pip", "install", "-p", str(CACHE / "nats/bin/python"), "-r", str(HERE / "nats.txt"))


def statsd() -> None:
    """The reference server, from npm."""
    npm("statsd")


def hot_shots() -> None:
    """A client for Node, from npm."""
    npm("hot-shots")


def npm(what: str) -> None:
    """Install the packages that a folder beside this file names."""
    folder = CACHE / what
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / what / name, folder / name)
    call("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)


def prometheus() -> None:
    """Prometheus, as Debian has it."""
    apt("prometheus")


def postgresql() -> None:
    """PostgreSQL, as Debian has it."""
    apt("postgresql")


def mariadb() -> None:
    """MariaDB, as Debian has it."""
    apt("mariadb-server")


def redis() -> None:
    """Redis, as Debian has it."""
    apt("redis-server")


def rabbitmq() -> None:
    """RabbitMQ, as Debian has it."""
    apt("rabbitmq-server")


def oslo() -> None:
    """oslo.messaging and what Ceilometer makes events with, which send and read beside ours, in an environment of their own."""
    call(sys.executable, "-m", "venv", str(CACHE / "oslo"))
    uv = str(Path(sys.executable).with_name("uv"))
    call(uv, "pip", "install", "--no-deps", "-p", str(CACHE / "oslo/bin/python"), "-r", str(HERE / "oslo/requirements.txt"))


def osprofiler() -> None:
    """osprofiler, whose place ours takes, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "osprofiler"))
    uv = str(Path(sys.executable).with_name("uv"))
    pins = str(HERE / "osprofiler/requirements.txt")
    call(uv, "pip", "install", "-p", str(CACHE / "osprofiler/bin/python"), "-r", pins)


def fedora_messaging() -> None:
    """fedora-messaging, which publishes and consumes beside ours, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "fedora-messaging"))
    uv = str(Path(sys.executable).with_name("uv"))
    pins = str(HERE / "fedora-messaging/requirements.txt")
    call(uv, "pip", "install", "-p", str(CACHE / "fedora-messaging/bin/python"), "-r", pins)


def secantusdb() -> None:
    """SecantusDB, which speaks MongoDB's wire protocol, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "secantusdb"))
    uv = str(Path(sys.executable).with_name("uv"))
    call(uv, "pip", "install", "-p", str(CACHE / "secantusdb/bin/python"), "-r", str(HERE / "secantusdb.txt"))


def llvm() -> None:
    """The coverage tools of the LLVM that rustc was built with."""
    apt(f"llvm-{llvm_version()}")


def llvm_version() -> str:
    """Return the major version of rustc's LLVM."""
    verbose = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    return verbose.partition("LLVM version: ")[2].partition(".")[0].strip()


def llvm_proof() -> Path:
    """Return where the coverage tool stands once it is installed."""
    return Path(f"/usr/bin/llvm-cov-{llvm_version()}") if shutil.which("rustc") else Path("/nonexistent")


def statsd_exporter() -> None:
    """Prometheus' statsd_exporter, from its Go module."""
    call("go", "install", "github.com/prometheus/statsd_exporter@v0.30.0", env={"GOBIN": str(CACHE / "bin")})


def opensearch() -> None:
    """OpenSearch from its jars, and the program that starts one node of it."""
    call("javac", "-cp", "lib/*", "-d", "classes", "Main.java", cwd=jars("opensearch"))


def cassandra() -> None:
    """Cassandra from its jars."""
    jars("cassandra")


def kafka() -> None:
    """Kafka from its jars."""
    jars("kafka")


def jars(name: str) -> Path:
    """Lay the jars that a ``pom.xml`` beside this file names into a folder of the cache, and return that."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / name, folder)
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib")
    call("mvn", "-q", "-B", *goal, cwd=folder)
    return folder


def cargo_fuzz() -> None:
    """The fuzzer's cargo command."""
    call("cargo", "install", "--locked", "--root", str(CACHE), "cargo-fuzz@0.13.2")


def atheris() -> None:
    """The Python fuzzer, in an environment of its own."""
    call(sys.executable, "-m", "venv", str(CACHE / "atheris"))
    uv = str(Path(sys.executable).with_name("uv"))
    call(uv, "pip", "install", "-p", str(CACHE / "atheris/bin/python"), "-r", str(HERE / "atheris.txt"))


def chromium() -> None:
    """A browser, from Debian."""
    apt("chromium", "fonts-dejavu-core")


MAVEN = "install a JDK and Maven (Debian: apt-get install default-jdk-headless maven)"
NODE = "install node and npm (Debian: apt-get install nodejs npm)"
FAST = {
    "graphite": Server(graphite, CACHE / "graphite/bin/carbon-cache.py", HERE / "graphite.txt", "check that pip works"),
    "moto": Server(moto, CACHE / "moto/bin/moto_server", HERE / "moto.txt", "check that pip works"),
    "nats": Server(nats, CACHE / "nats/bin/nats-server", HERE / "nats.txt", "check that pip works"),
    "statsd": Server(
        statsd,
        CACHE / "statsd/node_modules/statsd/stats.js",
        HERE / "statsd/package-lock.json",
        NODE,
    ),
    "hot-shots": Server(
        hot_shots, CACHE / "hot-shots/node_modules/hot-shots/package.json", HERE / "hot-shots/package-lock.json", NODE
    ),
    "prometheus": Server(prometheus, Path("/usr/bin/prometheus"), None, "as root: apt-get install prometheus"),
    "chromium": Server(chromium, Path("/usr/bin/chromium"), None, "as root: apt-get install chromium"),
    "oslo": Server(
        oslo, CACHE / "oslo/bin/oslo-messaging-send-notification", HERE / "oslo/requirements.txt", "check that pip works"
    ),
    "rabbitmq": Server(
        rabbitmq, Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), None, "as root: apt-get install rabbitmq-server"
    ),
    "redis": Server(redis, Path("/usr/bin/redis-server"), None, "as root: apt-get install redis-server"),
}
SLOW = {
    "llvm": Server(llvm, llvm_proof(), None, "as root: apt-get install llvm-N, N being the LLVM version of `rustc -vV`"),
    "postgresql": Server(postgresql, Path("/usr/lib/postgresql"), None, "as root: apt-get install postgresql"),
    "mariadb": Server(mariadb, Path("/usr/sbin/mariadbd"), None, "as root: apt-get install mariadb-server"),
    "statsd_exporter": Server(statsd_exporter, CACHE / "bin/statsd_exporter", None, "install Go 1.24 or newer"),
    "opensearch": Server(
        opensearch,
        CACHE / "opensearch/classes/Main.class",
        HERE / "opensearch/pom.xml",
        MAVEN,
    ),
    "fedora-messaging": Server(
        fedora_messaging,
        CACHE / "fedora-messaging/bin/fedora-messaging",
        HERE / "fedora-messaging/requirements.txt",
        "check that pip works",
    ),
    "osprofiler": Server(
        osprofiler, CACHE / "osprofiler/bin/osprofiler", HERE / "osprofiler/requirements.txt", "check that pip works"
    ),
    "secantusdb": Server(secantusdb, CACHE / "secantusdb/bin/secantusd-py", HERE / "secantusdb.txt", "check that pip works"),
    "cassandra": Server(cassandra, CACHE / "cassandra/lib/cassandra-all-5.0.9.jar", HERE / "cassandra/pom.xml", MAVEN),
    "kafka": Server(kafka, CACHE / "kafka/lib/kafka_2.13-4.1.1.jar", HERE / "kafka/pom.xml", MAVEN),
    "cargo-fuzz": Server(cargo_fuzz, CACHE / "bin/cargo-fuzz", None, "install cargo, then: cargo install cargo-fuzz"),
    "atheris": Server(
        atheris, CACHE / "atheris/bin/python", HERE / "atheris.txt", "check that pip works; atheris needs CPython 3.11 to 3.13"
    ),
}


def is_fresh(name: str, server: Server) -> bool:
    """Say whether a server is installed in the versions that stand beside this file."""
    if not server.proof.exists():
        return False
    stamp = CACHE / "stamps" / f"server-{name}"
    return server.pins is None or (stamp.exists() and stamp.read_bytes() == server.pins.read_bytes())


def ensure(name: str, server: Server) -> str | None:
    """Install a server unless it is there. Return the reason when it cannot be."""
    if is_fresh(name, server):
        return None
    print(f"installing {name} …", flush=True)
    try:
        server.install()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    if server.pins:
        (CACHE / "stamps").mkdir(parents=True, exist_ok=True)
        (CACHE / "stamps" / f"server-{name}").write_bytes(server.pins.read_bytes())
    return None if server.proof.exists() else f"{server.proof} is not there after the installation"


def main() -> int:
    """Install what is asked for, note what is missing."""
    wanted = FAST | (SLOW if "--slow" in sys.argv else {})
    missing = {}
    for name, server in wanted.items():
        reason = ensure(name, server)
        if reason:
            missing[name] = {"reason": reason, "cure": server.cure}
            print(f"LEFT OUT {name}: {reason}\n    cure: {server.cure}", file=sys.stderr)
    CACHE.mkdir(exist_ok=True)
    (CACHE / "left-out.json").write_text(json.dumps(missing, indent=1))
    return int(bool(missing) and bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
