#!/usr/bin/env python3
# ruff: noqa: T201 a runner prints its findings
"""Run black-box cases against a StatsD daemon: real process, real sockets, a fake carbon that records every flush.

    statsd_cases.py --command 'nilometer serve --statsd-config {config}' ../data/statsd_golden.json
    statsd_cases.py --reference --command 'node stats.js {config}' ../data/statsd_golden.json

{config} is a file in statsd's own format; the runner fills in ports and the Graphite address.
A case holds `config`, `send` (operations in order) and `expect` (assertions); where the reference has a bug, `product`
replaces `send` and `expect` unless --reference is given. Cases marked `quirk` are run and listed, and fail nothing.
Exit status 0 when nothing failed.
"""

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import stat
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.testing.carbon import QUIET, Carbon, parse
from nilometer.testing.daemon import Command, Daemon

if TYPE_CHECKING:
    from collections.abc import Callable

    Case = dict[str, Any]

VOLATILE = re.compile(r"timestamp_lag|processing_time|calculationtime|graphiteStats\.(last_|flush_)")


class Failed(Exception):
    """A case that cannot be run to its end."""


def stream_out(s: socket.socket, chunks: list[str]) -> None:
    for chunk in chunks:
        s.sendall(chunk.encode("latin1"))
        time.sleep(0.05)
    s.close()


@dataclass
class Play:
    """A case while it runs: the daemon, its carbon, and what has been asked for so far."""

    daemon: Daemon
    carbon: Carbon
    interval: float
    want: int = 0
    replies: list[str] = field(default_factory=list)
    uds_mode: str | None = None

    def perform(self, op: Case) -> None:
        """Carry out one operation."""
        ((name, argument),) = op.items()
        action: Callable[[Any], None] | None = getattr(self, f"do_{name}", None)
        if action is None:
            message = f"unknown operation {op}"
            raise Failed(message)
        action(argument)

    def do_udp(self, text: str) -> None:
        self.datagram(text.encode("latin1"))

    def do_udp_b64(self, text: str) -> None:
        self.datagram(base64.b64decode(text))

    def datagram(self, data: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(data, ("127.0.0.1", self.daemon.udp))

    def do_tcp(self, chunks: list[str]) -> None:
        s = socket.create_connection(("127.0.0.1", self.daemon.tcp))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream_out(s, chunks)

    def do_uds(self, chunks: list[str]) -> None:
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(self.daemon.uds))
        stream_out(s, chunks)

    def do_admin(self, command: str) -> None:
        time.sleep(0.05)
        self.replies.append(self.daemon.admin(command))

    def do_flush(self, count: int) -> None:
        self.want += count
        try:
            self.carbon.wait(self.want, self.interval * count + 5)
        except TimeoutError:
            if self.daemon.process.poll() is None:
                raise

    def do_sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def do_reload(self, config: Case) -> None:
        self.daemon.write(config)
        time.sleep(0.4)

    def do_rewrite_raw(self, text: str) -> None:
        self.daemon.config.write_text(text)
        time.sleep(0.6)

    def do_term(self, number: int) -> None:
        self.daemon.process.send_signal(signal.Signals(number))
        self.daemon.process.wait(5)
        time.sleep(0.4)

    def do_tcp_rst(self, where: str) -> None:
        s = socket.create_connection(("127.0.0.1", self.daemon.tcp if where == "ingest" else self.daemon.admin_port))
        s.sendall(b"a:1|c\n")
        time.sleep(0.1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        time.sleep(0.4)

    def do_sink_down(self, _: object) -> None:
        self.carbon.close()
        time.sleep(0.05)

    def do_uds_mode(self, _: object) -> None:
        self.uds_mode = oct(stat.S_IMODE(self.daemon.uds.stat().st_mode))

    def play(self, case: Case) -> None:
        """Wait until the daemon is up and has flushed once, then carry out the case's operations."""
        if not self.daemon.up.wait(20):
            message = "not ready within 20 s: " + "".join(self.daemon.output)[-600:]
            raise Failed(message)
        if not case.get("nosync"):
            if self.daemon.ended.is_set():
                message = f"ended with status {self.daemon.process.wait(5)}: " + "".join(self.daemon.output)[-600:]
                raise Failed(message)
            self.carbon.wait(1, self.interval * 2 + 8, told=lambda: "".join(self.daemon.output)[-600:])
            self.want = len(self.carbon.flushes())
        time.sleep(0.05)  # the reference says that it is up a moment before it listens
        for op in case["send"]:
            self.perform(op)
        time.sleep(0.05)


def waiting(sink: socket.socket) -> list[str]:
    """Return the datagrams that have come."""
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(sink.recv(1 << 16).decode("latin1"))
    return found


def run(case: Case, options: argparse.Namespace) -> Case:
    """Run one case and return what was seen."""
    interval = (case.get("config", {}).get("flushInterval", 1000) or 10000) / 1000
    carbon, tcp_sink = Carbon(quiet=min(QUIET, interval / 4)), Carbon()
    udp_sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp_sink.bind(("127.0.0.1", 0))
    udp_sink.settimeout(0.3)
    command = Command(options.command, options.ready, options.cwd)
    daemon = Daemon(case.get("config", {}), command, carbon, udp_sink.getsockname()[1], tcp_sink.port)
    play = Play(daemon, carbon, interval)
    seen: Case = {"error": None, "udp_sink": []}
    try:
        play.play(case)
        seen["udp_sink"] = waiting(udp_sink)
    except Exception as error:  # noqa: BLE001 a case must never end the run
        seen["error"] = f"{type(error).__name__}: {error}"
    finally:
        seen["exit"] = daemon.process.poll()
        raw = carbon.flushes(complete=False)
        daemon.stop()
        time.sleep(0.05)
        seen["tcp_sink"] = b"".join(tcp_sink.flushes(complete=False)).decode("latin1")
        for s in (carbon, tcp_sink, udp_sink):
            s.close()
    seen |= {"replies": play.replies, "uds_mode": play.uds_mode, "output": "".join(daemon.output)}
    try:
        return seen | flushed(raw, case)
    except ValueError as error:
        return seen | {"error": f"no lines of Graphite: {error}", "raw": raw, "flushes": [], "baseline": []}


def flushed(raw: list[bytes], case: Case) -> Case:
    """Return the flushes, the baseline apart."""
    pickled = case.get("config", {}).get("graphiteProtocol") == "pickle"
    rows = [[row[:2] for row in parse(data, pickled=pickled)] for data in raw]
    if case.get("nosync"):
        return {"raw": raw, "flushes": rows, "baseline": []}
    return {"raw": raw[1:], "flushes": rows[1:], "baseline": rows[0] if rows else []}


def check_flush(want: Case, seen: Case) -> list[str]:
    number = want["flush"]
    if number > len(seen["flushes"]):
        return [f"flush {number} missing"]
    rows = seen["flushes"][number - 1] if number else seen["baseline"]
    got, faults = dict(rows), []
    for path, value in want.get("lines", {}).items():
        if path not in got:
            faults.append(f"{path} missing, want {value}")
        elif value is not None and got[path] != value:
            faults.append(f"{path} = {got[path]}, want {value}")
    faults += [f"{path} present = {got[path]}" for path in want.get("absent", []) if path in got]
    faults += [f"{p} present" for prefix in want.get("absent_prefix", []) for p in got if p.startswith(prefix)]
    if "order" in want and (order := [p for p, _ in rows if p in set(want["order"])]) != want["order"]:
        faults.append(f"order {order}, want {want['order']}")
    if "exact" in want and (lines := [f"{p} {v}" for p, v in rows if not VOLATILE.search(p)]) != want["exact"]:
        faults.append(f"lines {lines}, want {want['exact']}")
    return [f"flush {number}: {fault}" for fault in faults]


def check_reply(want: Case, seen: Case) -> list[str]:
    number = want["reply"]
    if number >= len(seen["replies"]):
        return [f"reply {number} missing"]
    reply, faults = seen["replies"][number], []
    if "equals" in want and reply != want["equals"]:
        faults.append(f"{reply!r}, want {want['equals']!r}")
    faults += [f"{reply!r} lacks {part!r}" for part in want.get("contains", []) if part not in reply]
    faults += [f"{reply!r} holds {part!r}" for part in want.get("not_contains", []) if part in reply]
    if "regex" in want and not re.search(want["regex"], reply, re.DOTALL):
        faults.append(f"{reply!r} does not match {want['regex']}")
    return [f"reply {number}: {fault}" for fault in faults]


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def check_process(want: Case, seen: Case) -> list[str]:
    """Compare how the daemon ended and what it printed."""
    faults = []
    if want.get("exit") and seen["exit"] is None:
        faults.append("still alive")
    if want.get("alive") and seen["exit"] is not None:
        faults.append(f"exited {seen['exit']}: {seen['output'][-600:]}")
    if "exit_code" in want and seen["exit"] != want["exit_code"]:
        faults.append(f"exit status {seen['exit']}, want {want['exit_code']}")
    output = seen["output"]
    faults += [f"output lacks {part!r}" for part in as_list(want.get("stdout_contains", [])) if part not in output]
    return faults + [f"output holds {part!r}" for part in as_list(want.get("stdout_not_contains", [])) if part in output]


def check_sinks(want: Case, seen: Case) -> list[str]:
    """Compare what the sinks saw as a whole."""
    keys = [key for key in ("udp_sink", "tcp_sink", "uds_mode") if key in want and seen[key] != want[key]]
    faults = [f"{key} {seen[key]!r}, want {want[key]!r}" for key in keys]
    if "flush_count" in want and len(seen["flushes"]) != want["flush_count"]:
        faults.append(f"{len(seen['flushes'])} flushes, want {want['flush_count']}")
    raw = b"".join(seen["raw"]).decode("latin1")
    if "raw_regex" in want and not re.search(want["raw_regex"], raw, re.DOTALL):
        faults.append(f"bytes do not match {want['raw_regex']}: {raw[:400]!r}")
    return faults


def check(expect: list[Case], seen: Case) -> list[str]:
    """Return what differs from the expectation, nothing when the case passes."""
    faults = [f"runner: {seen['error']}"] if seen["error"] else []
    for want in expect:
        if "flush" in want:
            faults += check_flush(want, seen)
        if "reply" in want:
            faults += check_reply(want, seen)
        faults += check_process(want, seen) + check_sinks(want, seen)
    return faults


def attempt(case: Case, options: argparse.Namespace) -> tuple[Case, list[str]]:
    """Run a case, once more if it differs (machines stall), and return what still differs."""
    product = {} if options.reference else case.get("product", {})
    case = case | product
    for _ in range(2):
        faults = check(case["expect"], run(case, options))
        if not faults:
            break
    return case, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--command", required=True, help="the daemon, with {config} where its file goes")
    parser.add_argument("--cwd", help="folder to start it in")
    parser.add_argument("--ready", default="server is up", help="regular expression of the line that says it listens")
    parser.add_argument("--only", action="append", default=[], help="group, or start of a case's name; repeatable")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--reference", action="store_true", help="expect the reference's bugs too")
    options = parser.parse_args()
    cases = [case for path in options.data for case in json.loads(path.read_text())]
    if options.only:
        cases = [c for c in cases if any(c["group"] == o or c["name"].startswith(o) for o in options.only)]
    passed = failed = differ = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for case, faults in pool.map(lambda c: attempt(c, options), cases):
            if not faults:
                passed += 1
                continue
            quirk = case.get("quirk") and not options.reference
            differ, failed = differ + bool(quirk), failed + (not quirk)
            print("DIFFERS" if quirk else "FAIL", case["group"], case["name"], *faults, sep="\n    ", flush=True)
    print(f"{passed} passed, {failed} failed")
    if differ:
        print(f"of the quirks, {differ} differ from the reference")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
