"""``nilometer top``: rates, the course of them, what is drawn, what happens when the server goes away."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from nilometer.cli import asking
from nilometer.cli.asking import Answers
from nilometer.cli.main import main
from nilometer.cli.top import Trend, view
from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SINK = {"name": "null://", "last_error": "", "last_success": None, "spool_items": 1, "spool_bytes": 2000, "written": 3}


def answers(
    lines: float,
    uptime: float,
    relay: Sequence[dict[str, Any]] = (),
    ways: Sequence[dict[str, Any]] = (),
    **top_lists: list[dict[str, Any]],
) -> Answers:
    totals = {"lines": lines, "bad_lines": 1}
    stats = {"totals": totals, "uptime": uptime, "health": "up", "losses": {"spool.age": 4, "spool.size": 0}}
    stats |= {"sinks": [SINK], "relay": relay, "events": {"ways": ways}}
    return Answers("http://there:1", stats, {"names": [], "sources": [], "refused": []} | top_lists)


def shown(snapshot: Answers, trend: Trend) -> str:
    console = Console(file=io.StringIO(), width=100, no_color=True)
    console.print(view(snapshot, trend))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rates_are_of_the_time_between_two_looks() -> None:
    trend = Trend()
    assert [trend.add(answers(*each)) for each in ((100, 10), (150, 11), (150, 12), (400, 14))] == [10, 50, 0, 125]
    assert trend.sparkline() == "▂▄▁█"


def test_a_server_that_began_anew_has_a_rate_of_its_own() -> None:
    trend = Trend()
    assert [trend.add(answers(*each)) for each in ((100, 10), (6, 2))] == [10, 3]


def test_nothing_coming_in_is_a_flat_line() -> None:
    trend = Trend()
    trend.add(answers(0, 0))
    assert trend.add(answers(0, 1)) == 0
    assert trend.sparkline() == "▁▁"


def test_servers_that_lines_are_forwarded_to_are_drawn_where_there_are_any() -> None:
    target = {"name": "udp://a:1", "up": False, "sent": 1200, "bytes": 9000, "lost": 3, "error": "refused"}
    trend = Trend()
    trend.add(answers(1, 1))
    told = shown(answers(1, 1, relay=[target, target | {"name": "tcp://b:2", "up": True}]), trend)
    assert "forwarded to" in told
    assert re.search(r"1,200 +udp://a:1 +9,000 bytes +3 lost +away: refused", told)
    assert re.search(r"tcp://b:2 .* ok", told)
    assert "forwarded to" not in shown(answers(1, 1), trend)


def test_ways_in_of_events_are_drawn_where_there_are_any() -> None:
    way = {"name": "nats://a", "stored": 1200, "duplicates": 3, "bad": 2, "waiting": 0, "lag": 90.0, "error": ""}
    trend = Trend()
    trend.add(answers(1, 1))
    told = shown(answers(1, 1, ways=[way, way | {"name": "amqp://b", "lag": None, "error": "refused"}]), trend)
    assert re.search(r"1,200 +nats://a +3 known, 2 bad, 0 waiting +1.5m behind +ok", told)
    assert re.search(r"1,200 +amqp://b +3 known, 2 bad, 0 waiting +away: refused", told)
    assert "events, by" not in shown(answers(1, 1), trend)


def test_what_is_drawn_tells_all_and_holds_no_control_characters() -> None:
    snapshot = answers(
        12_000,
        7200,
        names=[{"kind": "counter", "key": "web\x1b[2J", "updates": 11_000}],
        sources=[{"source": "10.0.0.1", "lines": 12}],
        refused=[{"source": "10.0.0.1", "reason": "no value", "refused": 1, "line": "[bold]x"}],
    )
    trend = Trend()
    trend.add(snapshot)
    text = shown(snapshot, trend)
    for part in ("http://there:1 · up 2.0h · health up · 12,000 lines · 1 bad", "2 lines/s", "4  spool.age", "web\\x1b[2J"):
        assert part in text
    for part in ("11,000  counter", "[bold]x", "no flush yet", "1 in spool, 2,000 bytes", "ok"):
        assert part in text
    assert "spool.size" not in text


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterable[Answers | Exception]], None]:
    """Answer with these, one at a time; in the end somebody interrupts."""

    def begin(found: Iterable[Answers | Exception]) -> None:
        left = iter(found)

        def ask() -> Answers:
            each = next(left, KeyboardInterrupt())
            if isinstance(each, BaseException):
                raise each
            return each

        monkeypatch.setattr(asking, "asker", lambda *_: ask)
        monkeypatch.setattr("time.sleep", lambda _: None)

    return begin


def test_a_server_that_is_away_for_a_while_is_told_of(
    serve: Callable[[Iterable[Answers | Exception]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    serve([answers(1, 1), Unavailable("away"), answers(5, 3)])
    assert main(["top", "--json"]) == 130
    seen = capsys.readouterr()
    assert [json.loads(line)["rate"] for line in seen.out.splitlines()] == [1, 2]
    assert seen.err == "away\n"


def test_a_terminal_is_drawn_anew(
    serve: Callable[[Iterable[Answers | Exception]], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    monkeypatch.setenv("TERM", "xterm")
    serve([answers(1, 1), Unavailable("away"), answers(5, 3)])
    assert main(["top"]) == 130
    seen = capsys.readouterr()
    assert "2 lines/s" in seen.out
    assert "\x1b[?1049h" in seen.out
    assert not seen.err


@pytest.mark.parametrize("url", ["udp://a", "http://", "http://a/b", "nothing", "http://a:1?x=1"])
def test_a_wrong_url_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--once", url]) == 2
    assert f"{url}: expected a URL such as http://127.0.0.1:8127" in capsys.readouterr().err


def test_a_token_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--once", "--token-file", "/nowhere/token"]) == 2
    assert "--token-file: /nowhere/token cannot be read" in capsys.readouterr().err
