"""The reference server and ours get the same datagrams and send Graphite the same lines.

The lines are drawn from good, nearly good and bad parts, without what ends the reference server or what it is known to get
wrong: names that every JavaScript object has, names that are whole numbers (it sends them first), rates such as ``@+1``
(and a carriage return behind a lone ``@``).
Where idle series are deleted, the order of lines within a kind is not compared.
"""

from __future__ import annotations

import random
import shlex
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nilometer.testing import streams
from nilometer.testing.carbon import Carbon, parse
from nilometer.testing.daemon import Command, Daemon
from nilometer.testing.javascript import statsd

DEADLY = {"@+1", "@ 1", "@Infinity"}
NAMES = [name for name in streams.NAMES if name not in {"constructor", "0"}]
RATES = [rate for rate in streams.RATES if rate not in DEADLY]
CONFIGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "percentiles": {"percentThreshold": [90, 99.9, -10, 50, -100, 100, 0, 150], "flushInterval": 1500},
    "bins": {
        "histogram": [
            {"metric": "web", "bins": [1, 10, 100, "inf"]},
            {"metric": "a.b", "bins": []},
            {"metric": "", "bins": [0.5, 5]},
        ],
        "percentThreshold": [],
    },
    "choice": {
        "calculatedTimerMetrics": ["count", "upper_percent", "mean", "histogram", "count_ps"],
        "histogram": [{"metric": "", "bins": [5]}],
    },
    "idle": {"deleteIdleStats": True, "gaugesMaxTTL": 2},
    "raw keys": {"keyNameSanitize": False, "graphite": {"globalSuffix": "sfx", "globalPrefix": "p", "prefixCounter": ""}},
    "old tree": {"graphite": {"legacyNamespace": True}, "flush_counts": False, "prefixStats": "me"},
}
VOLATILE = ("timestamp_lag", "processing_time", "calculationtime", "graphiteStats")
WINDOWS = 4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def datagrams(draw: random.Random, count: int) -> list[bytes]:
    """Return datagrams of a few lines each."""
    return ["\n".join(line(draw) for _ in range(draw.randrange(1, 20))).encode() for _ in range(count)]


def line(draw: random.Random) -> str:
    values = [value(draw) for _ in range(draw.choice([0, 1, 1, 1, 1, 1, 1, 2, 3]))]
    tags = "|#" + ",".join(draw.choices(streams.TAGS, k=draw.randrange(4))) if draw.random() < 0.2 else ""
    text = ":".join([draw.choice(NAMES), *values]) + tags
    return text + draw.choice(["", "", "", "\r"]) * (not text.endswith("@"))


def value(draw: random.Random) -> str:
    number = draw.choice(streams.NUMBERS) if draw.random() < 0.3 else repr(round(draw.uniform(-5, 500), draw.randrange(8)))
    type_ = draw.choice(streams.TYPES) if draw.random() < 0.1 else draw.choice(["c", "ms", "g", "s"])
    rate = [draw.choice(RATES)] if draw.random() < 0.1 else draw.choice([[], [], ["@0.1"]])
    return "|".join([number, type_, *rate])


def play(command: str, config: dict[str, Any], windows: list[list[bytes]]) -> list[list[tuple[str, str]]]:
    """Run a server, send it each window's datagrams right after a flush, and return what the flushes held."""
    carbon = Carbon()
    daemon = Daemon({"graphite": {"legacyNamespace": False}} | config, Command(command), carbon)
    try:
        assert daemon.up.wait(30), "".join(daemon.output)
        assert not daemon.ended.is_set(), "".join(daemon.output)
        carbon.wait(1, told=lambda: "".join(daemon.output))
        for number, window in enumerate(windows, 2):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for data in window:
                    sender.sendto(data, ("127.0.0.1", daemon.udp))
            carbon.wait(number, told=lambda: "".join(daemon.output))
        return [[row[:2] for row in parse(data)] for data in carbon.flushes()[1 : len(windows) + 1]]
    finally:
        daemon.stop()
        carbon.close()


def steady(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out what tells of the server's own time."""
    return [row for row in rows if not any(word in row[0] for word in VOLATILE)]


@pytest.mark.parametrize("kernel", ["reference", "native"])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_datagrams_make_the_same_lines(name: str, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NILOMETER_KERNEL", kernel)
    draw = random.Random(name)  # noqa: S311 a sample to test with
    windows = [datagrams(draw, 25) for _ in range(WINDOWS)]
    commands = [
        shlex.join(statsd()) + " {config}",
        shlex.join([sys.executable, "-m", "nilometer", "serve", "--statsd-config"]) + " {config}",
    ]
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = pool.map(lambda command: play(command, CONFIGS[name], windows), commands)
    for number in range(WINDOWS):
        wanted, found = steady(theirs[number]), steady(ours[number])
        if name == "idle":
            wanted, found = sorted(wanted), sorted(found)
        assert found == wanted, f"window {number}"
