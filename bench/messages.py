"""Measure how many messages a second statistics take: ``python bench/messages.py [--only NAME] [--write]``.

The program ``nilometer statistics serve``, its store a file of SQLite, over a real RabbitMQ: its queue holds all messages when
it is started, so that nothing but the program sets the pace, once with a prefetch of one, so that each message is a batch, once
in batches of up to 500. Then from an archive, by the program while it serves and by ``nilometer statistics backfill``. Told are
messages a second until the inbox had committed the last, and until every statistic had. Beside it fedora-messaging's own
consumer over the same messages, with a callback that keeps nothing: how fast this queue can be read at all, by it.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import machine
from bus import STEP, records
from section import write

from nilometer.testing import fedora_messaging
from nilometer.testing.missing import Missing
from nilometer.testing.rabbitmq import rabbitmq
from nilometer.testing.statistics_program import Bus, Program
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.rabbitmq import RabbitMQ

HERE = Path(__file__).parent
BATCH = 500
LOOK = 0.02
"""Seconds between two looks at the store."""
PATIENCE = 900.0
AGO = 2 * 3600
"""Seconds since the last message of the archive: all that is newer may be under way still."""
CONFIGURATION = """
amqp_url = "amqp://guest:guest@127.0.0.1:{port}/%2F"
[qos]
prefetch_size = 0
prefetch_count = {ahead}
[queues.{queue}]
durable = true
auto_delete = false
exclusive = false
arguments = {{}}
[[bindings]]
queue = "{queue}"
exchange = "{exchange}"
routing_keys = ["#"]
[consumer_config]
count = {count}
file = "{file}"
"""


class Case(NamedTuple):
    """Something that is measured: what is done, `ahead` messages of a bus at a time, or none of a bus; for these plugins."""

    what: str
    messages: int
    ahead: int
    plugins: str = "all"


class Result(NamedTuple):
    """Messages a second until they were in the inbox, and until all statistics had them; CPU in µs a message; MB."""

    stored: float
    counted: float | None
    cpu: float
    memory: float


class Watch:
    """Looks into a store while the program works: how many messages are `stored` in the inbox, and `counted` by all."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _number(self, question: str) -> int:
        if not self._file.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5)) as connection:
            try:
                ((found,),) = connection.execute(question).fetchall()
            except sqlite3.OperationalError:  # there are no tables yet
                return 0
        return int(found or 0)

    def stored(self) -> int:
        """Return how many messages the inbox had."""
        return self._number("SELECT max(number) FROM nilometer_statistics_inbox")

    def counted(self) -> int:
        """Return how many messages every statistic had."""
        return self._number("SELECT min(position) FROM nilometer_statistics")

    def measured(self, count: int, process: int, *, counting: bool = True) -> Result:
        """Wait until all is there; the first batch begins the time, and does not count."""
        until(self.stored, "the first message is stored", PATIENCE)
        begin, at_first = time.perf_counter(), self.stored()
        stored = counted = 0.0
        while not stored or (counting and not counted):
            time.sleep(LOOK)
            now = time.perf_counter() - begin
            stored = stored or (now if self.stored() >= count else 0.0)
            counted = counted or (now if counting and self.counted() >= count else 0.0)
            if now > PATIENCE:
                message = f"{self.stored()} of {count} messages stored, {self.counted()} counted"
                raise TimeoutError(message)
        rate = (count - at_first) / stored
        cpu = machine.cpu(process) / count * 1e6
        return Result(rate, count / counted if counting else None, cpu, machine.peak_memory(process))


def live(case: Case, broker: RabbitMQ, folder: Path) -> Result:
    """Have a queue full of messages read."""
    with closing(Bus(broker)) as bus:
        bus.url += f"&prefetch={case.ahead}"
        file = folder / "statistics.db"
        program = Program(bus, f"sqlite:///{file}", folder / "state", "--plugins", case.plugins)
        until(lambda: bus.waiting() == 0, "its queue is there")
        program.stop()
        bus.publish(records(case.messages, time.time() - case.messages * STEP), confirmed=False)
        until(lambda: bus.waiting() == case.messages, "the queue is full")
        program.start()
        try:
            return Watch(file).measured(case.messages, program.serving.process.pid)
        finally:
            program.stop()


@contextmanager
def archive(count: int, begin: int) -> Iterator[str]:
    """Run an archive of messages; give its URL."""
    command = [sys.executable, str(HERE / "bus_archive.py"), str(count), str(begin)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield (process.stdout.readline() if process.stdout else "").strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def filled(case: Case, broker: RabbitMQ, folder: Path) -> Result:
    """Have the program fill its gaps from an archive."""
    begin = int(time.time()) - AGO - case.messages * STEP
    since = dt.datetime.fromtimestamp(begin, dt.UTC).isoformat().removesuffix("+00:00")
    file = folder / "statistics.db"
    with closing(Bus(broker)) as bus, archive(case.messages, begin) as url:
        wanted = ("--plugins", case.plugins, "--archive", url, "--statistics-since", since)
        program = Program(bus, f"sqlite:///{file}", folder / "state", *wanted)
        try:
            return Watch(file).measured(case.messages, program.serving.process.pid)
        finally:
            program.stop()


def by_hand(case: Case, broker: RabbitMQ, folder: Path) -> Result:
    """Have ``nilometer statistics backfill`` fill the inbox; nobody counts."""
    del broker
    begin = int(time.time()) - AGO - case.messages * STEP
    file = folder / "statistics.db"
    with archive(case.messages, begin) as url:
        command = [f"{sys.prefix}/bin/nilometer", "statistics", "backfill", "--archive", url, "--store", f"sqlite:///{file}"]
        command += ["--from", str(begin), "--to", str(begin + case.messages * STEP)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            return Watch(file).measured(case.messages, process.pid, counting=False)
        finally:
            process.wait()


def fedora(case: Case, broker: RabbitMQ, folder: Path) -> float:
    """Have fedora-messaging's consumer read a queue full of messages; return how many a second."""
    file, config = folder / "took", folder / "fedora.toml"
    with closing(Bus(broker)) as bus:
        about = {"port": broker.port, "ahead": case.ahead, "queue": bus.name, "exchange": bus.name}
        config.write_text(CONFIGURATION.format(**about, count=case.messages, file=file))
        bus.declare()
        bus.publish(records(case.messages, time.time() - case.messages * STEP), confirmed=False)
        until(lambda: bus.waiting() == case.messages, "the queue is full")
        command = [fedora_messaging.program("fedora-messaging"), "--conf", str(config), "consume"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--callback-file", f"{HERE / 'bus_fedora.py'}:Counted"], stdout=log, stderr=log
            )
        try:
            until(file.exists, "fedora-messaging read all", PATIENCE, (folder / "log").read_text)
        finally:
            process.kill()
            process.wait()
        return (case.messages - 1) / float(file.read_text())


def cases(options: argparse.Namespace) -> dict[str, Case]:
    """Return what is measured, by a short name."""
    some, many, old = options.single, options.messages, options.archived
    return {
        "live-1": Case("RabbitMQ, one by one", some, 1),
        "live-500": Case("RabbitMQ, batches of up to 500", many, BATCH),
        "volume-500": Case("RabbitMQ, batches of up to 500", many, BATCH, "volume"),
        "archive": Case("an archive, while it serves", old, 0),
        "archive-volume": Case("an archive, while it serves", old, 0, "volume"),
        "by-hand": Case("an archive, `statistics backfill`", old, 0, "none"),
    }


def measure(wanted: dict[str, Case], broker: RabbitMQ) -> Iterator[str]:
    """Yield rows on our program."""
    yield "| messages from | plugins | messages | into the inbox, a second | counted, a second | CPU µs a message | MB |"
    yield "|---" * 7 + "|"
    for name, case in wanted.items():
        run = by_hand if name == "by-hand" else live if case.ahead else filled
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = run(case, broker, Path(folder))
        counted = "–" if found.counted is None else f"{found.counted:,.0f}"
        rates = f"{case.messages:,} | {found.stored:,.0f} | {counted} | {found.cpu:,.0f} | {found.memory:,.0f}"
        yield f"| {case.what} | {case.plugins} | {rates} |"


def beside(wanted: dict[str, Case], broker: RabbitMQ) -> Iterator[str]:
    """Yield rows on fedora-messaging, where it can be had."""
    yield "| read by fedora-messaging, and kept nowhere | messages | a second |"
    yield "|---" * 3 + "|"
    for name in {"live-1", "live-500"} & wanted.keys():
        print(f"fedora-messaging, {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            rate = fedora(wanted[name], broker, Path(folder))
        yield f"| {wanted[name].what} | {wanted[name].messages:,} | {rate:,.0f} |"


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--single", type=int, default=1_000, help="messages that are taken one by one")
    parser.add_argument("--messages", type=int, default=20_000, help="messages in a queue that are taken in batches")
    parser.add_argument("--archived", type=int, default=40_000, help="messages of the archive")
    parser.add_argument("--only", action="append", help="measure this alone: live-1, archive, …; may be repeated")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    wanted = {name: case for name, case in cases(options).items() if not options.only or name in options.only}
    lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", ""]
    with tempfile.TemporaryDirectory() as folder, rabbitmq(Path(folder)) as broker:
        lines += measure(wanted, broker)
        with contextlib.suppress(Missing):
            lines += ["", *beside(wanted, broker)]
    print("\n".join(lines))
    if options.write:
        write("messages", lines)


if __name__ == "__main__":
    main()
