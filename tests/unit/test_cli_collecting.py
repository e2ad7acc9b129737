"""What commands and the server share when they collect: names of checks, lines, runs within a server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import magnetodb
from nilometer.cli.collecting import opening, sending, serving
from nilometer.cli.link import Access
from nilometer.collect.sample import Sample
from nilometer.core.errors import ConfigError, UrlError
from nilometer.core.losses import Losses
from nilometer.core.settings import load
from nilometer.core.table import SIZE, Fault, Figure, Table
from nilometer.core.url import named
from nilometer.testing.answering import Answering, Reply
from nilometer.testing.ports import free_port
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.settings import Settings


@pytest.mark.parametrize(
    ("text", "name", "asked"),
    [
        ("http://a", "health.a", "http://a/"),
        ("https://a.example:8443/x/health?deep=true&a=b%26c", "health.a_example_8443_x_health", None),
        ("shop=https://a/h?q=1", "health.shop", "https://a/h?q=1"),
        ("http://a:8480/healthcheck?fullcheck=true", "magnetodb.health", "http://a:8480/healthcheck?fullcheck=true"),
        ("magnetodb+http://a", "magnetodb.health", "http://a:8480/healthcheck?fullcheck=true"),
        ("node1=magnetodb+https://a:1/base", "node1.magnetodb.health", "https://a:1/base/healthcheck?fullcheck=true"),
        ("http://[::1]:80/ready", "health.1_80_ready", "http://[::1]:80/ready"),
        ("http://a/b%20c", "health.a_b_20c", "http://a/b%20c"),
    ],
)
def test_a_check_is_called_by_its_name_or_by_where_it_is(text: str, name: str, asked: str | None) -> None:
    found = opening.spec(named(text))
    assert found.name == name
    assert found.base + found.path == (asked or text)


def test_two_checks_of_one_name_are_refused_and_one_that_stands_there_twice_is_one() -> None:
    assert len(opening.specs(map(named, ["http://a/x", "http://a/x"]))) == 1
    with pytest.raises(UrlError, match=r"two health checks would have the name magnetodb.health; name one of them: NAME="):
        opening.specs(map(named, ["magnetodb+http://a", "magnetodb+http://b"]))


def test_what_a_checks_query_keeps_secret_is_not_shown() -> None:
    url = f"a=http://127.0.0.1:{free_port()}/h?api_key=s3cr3t&deep=1"
    checker = opening.checker([named(url)], Access(), seconds=30)
    ((_, health),) = checker.run(threading.Event())
    assert health.reason.startswith(str(named(url)).removeprefix("a=") + ": no answer: ")
    assert "s3cr3t" not in health.reason
    with pytest.raises(UrlError) as caught:
        opening.specs([named(url), named("a=http://b/?token=s3cr3t")])
    assert "s3cr3t" not in str(caught.value)


def test_samples_are_lines_of_a_kernel_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [
        Sample("g", "a.b", 5),
        Sample("g", "n", -2.5),
        Sample("c", "k", 3),
        Sample("g", "t", 1, (("x", "y z"), ("q", "1|2"))),
    ]
    assert b"\n".join(sending.pieces(samples)) == b"a.b:5|g\nn:0|g\nn:-2.5|g\nk:3|c\nt:1|g|#x:y z,q:1_2"
    monkeypatch.setattr(sending, "PIECE", 20)
    assert list(sending.pieces(samples)) == [b"a.b:5|g", b"n:0|g\nn:-2.5|g", b"k:3|c", b"t:1|g|#x:y z,q:1_2"]
    assert list(sending.pieces([])) == []


# -- in a server -------------------------------------------------------------------------------------------------------------


class Source:
    """What opens in place of a MagnetoDB."""

    def __init__(self) -> None:
        self.go, self.reads, self.closed = threading.Event(), 0, 0
        self.go.set()

    def read_tables(self) -> Iterator[Table | Fault]:
        self.reads += 1
        yield Table("a", "t", figures={SIZE: Figure(self.reads)})
        self.go.wait(30)
        yield Fault("a", "bad", "torn \x1b[2J")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    found = Source()
    monkeypatch.setattr(magnetodb, "open", lambda _: found)
    return found


def settings(**flags: str) -> Settings:
    given = {"sources": "magnetodb+http://h", "every": "1s", **flags}
    return load(None, {}, {f"tables.{name}": text for name, text in given.items()})


class Fed:
    """Keeps the lines that a kernel would get."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.losses = Losses()
        self.collecting = serving.Collecting(self.feed, self.losses)

    def feed(self, data: bytes) -> None:
        self.lines += data.decode().split("\n")


@pytest.fixture
def fed() -> Iterator[Fed]:
    found = Fed()
    yield found
    found.collecting.stop(10)


def test_what_fails_is_counted_told_once_and_a_problem(source: Source, fed: Fed, caplog: pytest.LogCaptureFixture) -> None:
    fed.collecting.change(serving.prepare(settings()), 0)
    until(lambda: source.reads >= 2 and len(fed.lines) >= 12, "two runs")
    until(lambda: fed.losses.totals()["collect", "table"] >= 2, "they are counted")
    assert fed.collecting.problems() == ["tables of magnetodb_http_h: a.bad: torn \\x1b[2J"]
    assert caplog.text.count("a.bad: torn") == 1
    assert fed.lines[:2] == ["tables.a.t.size_bytes:1|g", "tables.a.t.stale:0|g"]
    assert "collect.skipped:0|c" in fed.lines


def test_a_source_that_hangs_is_skipped_counted_and_a_problem(source: Source, fed: Fed) -> None:
    source.go.clear()
    fed.collecting.change(serving.prepare(settings()), 0)
    until(lambda: fed.losses.totals()["collect", "source"] >= 2, "two runs come to their end without it")
    assert source.reads == 1
    assert fed.collecting.problems() == ["tables of magnetodb_http_h: it was not at its end when the time was up (0.9 s)"]
    assert [line for line in fed.lines if "size_bytes" in line] == ["tables.a.t.size_bytes:1|g"]
    source.go.set()
    until(lambda: source.reads > 1, "it is read again")


def test_other_settings_take_the_place_of_the_old_and_the_same_change_nothing(source: Source, fed: Fed) -> None:
    fed.collecting.change(serving.prepare(settings()), 0)
    until(lambda: fed.lines, "it is read")
    fed.collecting.change(serving.prepare(settings()), 10)
    assert source.closed == 1  # what was opened for the same settings
    fed.collecting.change(serving.prepare(settings(prefix="other")), 10)
    assert source.closed == 2
    until(lambda: "other.tables.a.t.size_bytes" in str(fed.lines), "the new name is used")
    fed.collecting.change(serving.prepare(load(None, {})), 10)
    assert source.closed == 3
    assert fed.collecting.problems() == []


def test_stopping_hands_over_nothing_of_a_reading_that_was_broken_off(source: Source, fed: Fed) -> None:
    source.go.clear()
    fed.collecting.change(serving.prepare(settings(every="1h")), 0)
    until(lambda: source.reads, "it is read")
    fed.collecting.stop(10)
    assert fed.lines == []
    source.go.set()


def test_health_checks_are_asked_with_a_token(tmp_path: Path, fed: Fed) -> None:
    file = tmp_path / "token"
    file.write_text("s3cr3t")
    with Answering(lambda asked: Reply(200, {"db": asked.headers.get("authorization") == "Bearer s3cr3t"})) as server:
        given = {"health": f"shop=http://{server.address}/h", "token_file": str(file), "every": "1s"}
        fed.collecting.change(serving.prepare(load(None, {}, {f"tables.{name}": text for name, text in given.items()})), 0)
        until(lambda: fed.lines, "it is asked")
        fed.collecting.stop(10)
    assert fed.lines[:2] == ["health.shop.all:1|g", "health.shop.db:1|g"]
    with pytest.raises(ConfigError, match=r"tables\.token_file: .* cannot be read"):
        serving.prepare(load(None, {}, {"tables.health": "http://h", "tables.token_file": "/nowhere"}))
