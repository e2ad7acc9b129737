"""The sinks of a server: exchanged without a gap, spools named for places, history's settings in the store's URL."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.cli.plan import Plan
from nilometer.cli.sinks import Sinks, readable, with_history
from nilometer.core.errors import UrlError
from nilometer.core.losses import Losses
from nilometer.core.quantity import duration
from nilometer.core.record import Event, Flush, Kind, Window, block
from nilometer.core.settings import load
from nilometer.core.url import parse
from nilometer.history.options import Options
from nilometer.ingest.statsd.mode import StatsdMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nilometer.core.settings import Settings

SETTINGS = load(None, {}, {"stop.deadline": "5s"})


def flush(number: int) -> Flush:
    return Flush(Window(number - 1, number, 1.0), (block(Kind.GAUGE, {"value": [number]}, ["g"]),))


class Kept:
    """A sink that keeps what it is given; `meanwhile` happens while it closes."""

    def __init__(self) -> None:
        self.flushes: list[Flush] = []
        self.events: list[Event] = []
        self.meanwhile: Callable[[], object] = list

    def write(self, flush: Flush) -> None:
        self.flushes.append(flush)

    def write_events(self, events: Sequence[Event]) -> None:
        self.events += events

    def close(self) -> None:
        self.meanwhile()


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> dict[str, Kept]:
    """Let every URL of ``null://`` open a `Kept`, by the text of the URL."""
    made: dict[str, Kept] = {}
    takers: dict[str, Kept] = {}

    def opened(url: object, capability: str) -> Kept:
        taker = takers.setdefault(str(url), Kept())
        kept = taker if capability == registry.EVENTS else made.setdefault(str(url), Kept())
        kept.events = taker.events
        return kept

    monkeypatch.setattr(registry, "open", opened)
    return made


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    made = Sinks(tmp_path, Losses())
    yield made
    made.close(5.0)


def change(sinks: Sinks, *wanted: str, settings: Settings = SETTINGS) -> None:
    sinks.change(sinks.prepare(map(parse, wanted)), settings)


def held(sinks: Sinks) -> tuple[float, ...]:
    """Return what the only sink was told: bytes and seconds of its spool, first and longest delay of its worker."""
    (sink,) = sinks._opened.values()
    options = sink.worker._options
    return sink.spool._size, sink.spool._age, options.first, options.most


@pytest.mark.usefixtures("backends")
def test_the_settings_of_spool_and_retry_reach_a_sink_when_it_opens_and_when_they_change(sinks: Sinks) -> None:
    names = ("spool.size", "spool.age", "retry.first", "retry.most")
    change(sinks, "null://a", settings=load(None, {}, dict(zip(names, ("65KiB", "3h", "2s", "9s"), strict=True))))
    assert held(sinks) == (65 << 10, 3 * 3600, 2.0, 9.0)

    change(sinks, "null://a", settings=load(None, {}, dict(zip(names, ("66KiB", "4h", "3s", "8s"), strict=True))))
    assert held(sinks) == (66 << 10, 4 * 3600, 3.0, 8.0)


def test_every_sink_gets_every_flush(sinks: Sinks, backends: dict[str, Kept]) -> None:
    change(sinks, "null://a", "null://b")
    sinks.deliver(flush(1))
    sinks.deliver(flush(2))
    sinks.close(5.0)

    assert backends["null://a"].flushes == backends["null://b"].flushes == [flush(1), flush(2)]


def test_a_flush_during_an_exchange_goes_to_the_new_sink(sinks: Sinks, backends: dict[str, Kept]) -> None:
    change(sinks, "null://a?x=1")
    sinks.deliver(flush(1))
    backends["null://a?x=1"].meanwhile = lambda: sinks.deliver(flush(2))
    change(sinks, "null://a?x=2")
    sinks.close(5.0)

    assert backends["null://a?x=1"].flushes == [flush(1)]
    assert backends["null://a?x=2"].flushes == [flush(2)]


def test_sinks_that_stay_are_not_opened_again(sinks: Sinks, backends: dict[str, Kept]) -> None:
    change(sinks, "null://a")
    prepared = sinks.prepare([parse("null://a"), parse("null://b")])

    assert list(prepared.backends) == ["null://b"]
    assert set(backends) == {"null://a", "null://b"}


def test_a_spool_is_named_for_the_place_and_not_for_the_options(
    sinks: Sinks, backends: dict[str, Kept], tmp_path: Path
) -> None:
    change(sinks, "null://a?x=1")
    change(sinks, "null://a?x=2")

    assert len(list(tmp_path.iterdir())) == 1
    assert len(backends) == 2


def test_two_sinks_to_the_same_place_have_a_spool_and_a_name_each(
    sinks: Sinks, backends: dict[str, Kept], tmp_path: Path
) -> None:
    change(sinks, "null://a?x=1", "null://a?x=2")

    assert len(list(tmp_path.iterdir())) == len(backends) == 2
    assert [status.name for status in sinks.statuses()] == ["null://a", "null://a 2"]


def test_a_password_is_in_no_name(sinks: Sinks, backends: dict[str, Kept], tmp_path: Path) -> None:
    change(sinks, "null://user:geheim@a/x")

    assert len(backends) == 1
    assert "geheim" not in "".join(path.name for path in tmp_path.iterdir())
    assert "geheim" not in sinks.statuses()[0].name


def test_a_wrong_url_changes_nothing(sinks: Sinks) -> None:
    change(sinks, "null://")
    with pytest.raises(UrlError):
        change(sinks, "graphite://")

    assert [status.name for status in sinks.statuses()] == ["null://"]


def test_without_sinks_the_embedded_store_is_used_but_not_in_place_of_statsd(tmp_path: Path) -> None:
    store = tmp_path / "a b.db"

    assert [str(url) for url in Plan(SETTINGS).sinks(store)] == [f"sqlite:///{tmp_path}/a%20b.db"]
    assert Plan(SETTINGS).sinks(store)[0].path == f"/{store}"
    assert Plan(SETTINGS, StatsdMode()).sinks(store) == []


def test_settings_of_history_reach_the_store_and_its_own_options_win() -> None:
    changed = load(None, {}, {"history.retention": "3d", "history.rollups": "1m:10d 5m:20d"})
    url = parse("sqlite:///x.db?retention=2d")

    assert with_history(url, SETTINGS) == url
    assert with_history(url, changed).query == (("retention", "2d"), ("rollups", "1m:10d,5m:20d"))
    assert with_history(parse("null://"), changed) == parse("null://")
    assert with_history(dataclasses.replace(url, query=()), changed).query[0] == ("retention", "3d")


@pytest.mark.parametrize(
    ("query", "settings", "levels"),
    [
        ("", {"history.retention": "30d"}, ["30d", "365d"]),
        ("", {"history.retention": "500d"}, ["500d"]),
        ("?retention=90d", {}, ["90d", "365d"]),
        ("?retention=90d&rollups=1h:100d", {}, ["90d", "100d"]),
        ("?retention=2d", {"history.retention": "90d"}, ["2d", "30d", "365d"]),
    ],
)
def test_the_default_rollups_never_stand_in_the_way_of_a_long_retention(
    tmp_path: Path, query: str, settings: dict[str, object], levels: list[str]
) -> None:
    url = with_history(parse(f"sqlite:///{tmp_path}/x.db{query}"), load(None, {}, settings))
    assert [level.keep for level in url.options(Options).levels()] == [int(duration(text)) for text in levels]
    registry.open(url, registry.METRICS).close()


def test_rollups_that_were_asked_for_must_outlive_their_points(tmp_path: Path) -> None:
    settings = load(None, {}, {"history.retention": "30d", "history.rollups": "1m:30d"})
    with pytest.raises(UrlError, match="kept for longer"):
        registry.open(with_history(parse(f"sqlite:///{tmp_path}/x.db"), settings), registry.METRICS)


def test_a_retention_that_is_none_is_refused_by_the_store(tmp_path: Path) -> None:
    with pytest.raises(UrlError, match="retention"):
        registry.open(with_history(parse(f"sqlite:///{tmp_path}/x.db?retention=long"), SETTINGS), registry.METRICS)


def test_events_go_to_every_sink_that_takes_them(sinks: Sinks, backends: dict[str, Kept]) -> None:
    change(sinks, "null://a", "null://b")
    sinks.deliver_events([Event("1", 5.0, "dogstatsd.event")])
    sinks.close(5.0)
    assert [[event.id for event in backends[url].events] for url in ("null://a", "null://b")] == [["1"], ["1"]]


def test_events_that_nobody_takes_are_counted(tmp_path: Path) -> None:
    losses = Losses()
    Sinks(tmp_path, losses).deliver_events([Event("1", 5.0, "dogstatsd.event")])
    assert losses.totals()["event", "no_sink"] == 1


def test_who_watches_gets_every_flush_and_hinders_none(sinks: Sinks, backends: dict[str, Kept]) -> None:
    seen: list[Flush] = []

    def fails(flush: Flush) -> None:
        raise RuntimeError(flush)

    change(sinks, "null://a")
    sinks.watch(fails)
    end = sinks.watch(seen.append)
    sinks.deliver(flush(1))
    end()
    sinks.deliver(flush(2))
    sinks.close(5.0)
    assert seen == [flush(1)]
    assert backends["null://a"].flushes == [flush(1), flush(2)]


def test_series_are_read_from_the_first_sink_that_another_process_can_read() -> None:
    assert readable(map(parse, ["null://", "memory://", "sqlite:///a", "sqlite:///b"])) == parse("sqlite:///a")
    assert readable([parse("null://")]) is None


@pytest.mark.parametrize("asked", [{"timers.sketch": "true"}, {"rules.list": ['{prefix = "a", sketch = true}']}])
def test_sketches_that_no_sink_takes_are_warned_of(
    asked: dict[str, str], sinks: Sinks, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(None, {}, asked)
    for wanted in (("null://", "memory://"), ("null://",)):
        assert "no sink takes them" not in caplog.text
        change(sinks, *wanted, settings=settings)
    assert "no sink takes them; those that do are cloudwatch, elasticsearch," in caplog.text


def test_nothing_is_said_of_sketches_where_none_are_asked_for(sinks: Sinks, caplog: pytest.LogCaptureFixture) -> None:
    change(sinks, "null://", settings=load(None, {}, {"rules.list": ['{prefix = "a", sketch = false}']}))
    assert "sketch" not in caplog.text
