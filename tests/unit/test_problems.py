"""What is wrong now, in words; and what happened lately."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.cli.main import main
from nilometer.core.event_status import EventsStatus, KeepStatus, WayStatus
from nilometer.core.losses import LOSSES, Losses
from nilometer.core.settings import load
from nilometer.core.statistics import FillStatus, Progress, State, StatisticsStatus
from nilometer.core.trace_status import TracesStatus
from nilometer.core.url import parse
from nilometer.ingest.admin import recent as module
from nilometer.ingest.admin.problems import CURES, View, problems
from nilometer.ingest.admin.recent import Recent
from nilometer.ingest.listeners import Listener
from nilometer.ingest.relay.relay import TargetStatus
from nilometer.testing.clock import ManualClock
from nilometer.testing.control import status

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_700_000_000.0


class SetClock(ManualClock):
    """A clock that is set while its monotonic side goes on."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def monotonic(self) -> float:
        return super().time()


GOOD = Listener(parse("udp://:8125"), buffers=[16 << 20])
INTENDED = {"kernel.rule", "sink.tag"}


def stopped(ident: str, error: str = "KeyError: 'x'") -> Progress:
    return Progress(ident, state=State.STOPPED, error=error, culprit="id-1", at=1, since=NOW - 60)


def view(settings: Mapping[str, str] | None = None, **changes: Any) -> View:  # noqa: ANN401 the fields of View
    values: dict[str, Any] = {"now": NOW, "written": NOW - 5, "listeners": [GOOD], "settings": load(None, {}, settings or {})}
    return View(**(values | changes))


def test_a_server_that_is_well_has_none() -> None:
    target = TargetStatus("a", True, 1, 1, 0, "", "a:1")  # noqa: FBT003 it is up
    events = EventsStatus((WayStatus("http"),), KeepStatus("a"))
    fill, running = FillStatus("https://archive", missing=100.0, wanted=200.0), Progress("a-1d")
    statistics = StatisticsStatus((WayStatus("amqp://a"),), (fill,), KeepStatus("a"), progress=(running,))
    assert problems(view(sinks=[status("null://")], events=events, relay=[target], statistics=statistics)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"written": NOW - 100}, ["no flush for 100 s"]),
        (
            {"sinks": [status("graphite://a", failing_since=NOW - 180, last_error="graphite://a: nobody", spool_items=18)]},
            ["graphite://a: away for 3 min: nobody;", "18 flushes wait", "nilometer check graphite://a"],
        ),
        ({"sinks": [status("a", failing_since=NOW, last_error="x")]}, ["a: away for 0 s", "nothing is lost so far"]),
        ({"sinks": [status("a", last_error="too large")]}, ["a: refused a flush, which is lost: too large"]),
        ({"sinks": [status("a", spool_items=3)]}, ["a: behind: 3 flushes wait in its spool"]),
        ({"sinks": [status("a", spool_items=9, spool_bytes=900 << 20)]}, ["behind", "88% of 1 GiB", "raise spool.size"]),
        ({"sinks": [status("a", failing_since=NOW - 4 * 86400, last_error="x")]}, ["away for 4 d", "older than 7d will go"]),
        ({"orphans": ["/state/spool/x"]}, ["/state/spool/x holds flushes for a sink that is not configured"]),
        (
            {
                "events": EventsStatus(
                    (WayStatus("http", waiting=1200),), KeepStatus("postgresql://a", "postgresql://a: x", NOW - 300)
                )
            },
            ["postgresql://a: keeps no events for 5 min: x; 1,200 events wait here", "nilometer check postgresql://a"],
        ),
        (
            {"events": EventsStatus((), KeepStatus("sqlite:///a", "the disk is full", NOW))},
            ["sqlite:///a: keeps no events for 0 s: the disk is full;", "see that its file can be written"],
        ),
        (
            {"events": EventsStatus((WayStatus("nats://a", error="refused", away_since=NOW - 7200.0),))},
            ["nats://a: no events from there for 2 h: refused; try it: nilometer check nats://a"],
        ),
        (
            {"statistics": StatisticsStatus(store=KeepStatus("postgresql://a", "postgresql://a: x", NOW - 300))},
            ["postgresql://a: keeps no statistics for 5 min: x; messages wait on their buses; try it: nilometer check"],
        ),
        (
            {"traces": TracesStatus(store=status("sqlite:///t", failing_since=NOW - 300.0, last_error="sqlite:///t: full"))},
            ["sqlite:///t: keeps no traces for 5 min: full; nothing is lost so far; see that its file can be written"],
        ),
        (
            {"traces": TracesStatus(waiting=49_000, written_down=1 << 40)},
            [
                "49,000 of 50,000 spans wait: soon no more are taken; keep fewer, see what is slow, or raise traces.queue",
                "spans that are not stored take ",
            ],
        ),
        (
            {"traces": TracesStatus((WayStatus("amqp://a", error="no", away_since=NOW - 7200.0),))},
            ["amqp://a: no spans from there for 2 h: no; try it: nilometer check amqp://a"],
        ),
        (
            {"statistics": StatisticsStatus((WayStatus("amqp://a", error="refused", away_since=NOW - 7200.0),))},
            ["amqp://a: no messages for statistics from there for 2 h: refused; try it: nilometer check amqp://a"],
        ),
        (
            {
                "statistics": StatisticsStatus(
                    fill=(FillStatus("https://a", 600, 700, error="https://a: 503", away_since=NOW - 9),)
                )
            },
            ["https://a: fills no gaps for 9 s: 503; messages of 10 min are missing; it is asked again"],
        ),
        (
            {"statistics": StatisticsStatus(progress=tuple(stopped(f"by-x-{each}") for each in ("1s", "1m", "1d")))},
            ["the statistic by-x-1s and 2 more: stopped for 60 s: KeyError: 'x' at the message 'id-1'; no other stops"],
        ),
        ({"series": 950_000}, ["limits.series is nearly reached: 950,000 of 1,000,000"]),
        ({"connections": 1000}, ["limits.connections is nearly reached"]),
        ({"free": 100 << 20}, ["the disk has only 100 MiB left"]),
        (
            {"relay": [TargetStatus("udp://b:1", False, 0, 0, 0, "refused", "a:1")]},  # noqa: FBT003 it is down
            ["udp://b:1: nothing is forwarded there: refused"],
        ),
        ({"jumped": -3600.0}, ["the system's clock was set back by 60 min", "NTP"]),
        ({"jumped": 7300.0}, ["the system's clock was set ahead by 2 h"]),
        ({"kernel": "reference"}, ["the reference kernel is in use"]),
        ({"listeners": []}, ["name a listener in server.listen"]),
        (
            {"listeners": [GOOD, Listener(parse("udp://:1"), buffers=[16 << 20, 212_992])]},
            ["udp://:1: the receive buffer is only 208 KiB", "sysctl -w net.core.rmem_max"],
        ),
        ({"healthy": False}, ["somebody has said that the server is down"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_problem_names_culprit_and_cure(changes: dict[str, Any], words: list[str]) -> None:
    told = " ".join(problems(view(**changes)))
    assert [word for word in words if word not in told] == []


def test_a_server_of_statistics_alone_needs_no_listener() -> None:
    assert problems(view(listeners=[], statistics=StatisticsStatus())) == []


def test_statistics_that_stopped_apart_are_told_apart() -> None:
    found = stopped("a"), stopped("b", "boom" * 1000), Progress("c")
    told = problems(view(statistics=StatisticsStatus(progress=found)))
    assert [each.partition(":")[0] for each in told] == ["the statistic a", "the statistic b"]
    assert told[0].endswith("mend the plugin, then: nilometer statistics resume a")
    assert len(told[1]) < 1000


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.metric)
def test_every_loss_has_a_cure_unless_it_is_intended(loss: Any) -> None:  # noqa: ANN401 a line of the list
    name = f"{loss.stage}.{loss.reason}"
    told = problems(view(lost={name: 1234}))
    if name in INTENDED:
        assert told == []
    else:
        assert len(told) == 1
        assert told[0].startswith("in the last minutes: 1,234 ")
        assert told[0].endswith(CURES[name])


def test_every_cure_is_of_a_loss() -> None:
    assert CURES.keys() == {f"{loss.stage}.{loss.reason}" for loss in LOSSES} - INTENDED


def test_what_ended_is_forgotten() -> None:
    clock, losses = ManualClock(), Losses()
    losses.count("spool", "size", 100)
    recent = Recent(losses, clock)
    assert recent.lost() == {}
    for _ in range(10):
        clock.advance(module.STEP)
        losses.count("kernel", "bad_line", 2)
        recent.note()
        recent.note()
    assert recent.lost() == {"kernel.bad_line": 20}
    for _ in range(int(module.SPAN / module.STEP) - 5):
        clock.advance(module.STEP)
        recent.note()
    assert recent.lost() == {"kernel.bad_line": 10}
    for _ in range(5):
        clock.advance(module.STEP)
        recent.note()
    assert recent.lost() == {}
    assert len(recent._samples) <= module.SPAN / module.STEP + 1


def test_a_clock_that_was_set_is_noticed_for_a_while() -> None:
    clock = SetClock()
    recent = Recent(Losses(), clock)
    clock.ahead = -60
    assert recent.jumped() == -60
    for _ in range(int(module.SPAN / module.STEP) + 1):
        clock.advance(module.STEP)
        recent.note()
    assert recent.jumped() == 0


def test_what_a_cure_says_to_type_can_be_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line, pipe, command = CURES["kernel.bad_line"].rpartition("echo ")[2].partition(" | nilometer ")
    assert pipe
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.strip("'").encode())))
    assert main(command.split()) == 0
    assert json.loads(capsys.readouterr().out)["error"]
