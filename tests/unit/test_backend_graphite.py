"""The Graphite sinks: what goes over the wire, what a lost connection costs, what a URL may say."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import graphite, registry
from nilometer.backends._parts.graphite_stats import Stats
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Kind, Window, block
from nilometer.testing import contract, flushes
from nilometer.testing.carbon import Carbon, unpickled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = contract.END


@pytest.fixture
def carbon() -> Iterator[Carbon]:
    peer = Carbon()
    yield peer
    peer.close()


def written(carbon: Carbon, flush: Flush, options: str) -> dict[str, float]:
    """Write a flush, and return value by path once its last byte is there."""
    with contract.opened(carbon.url + options) as sink:
        sink.write(flush)
    carbon.server.wait_for_ends()
    return {path: value for (path, _), value in carbon.points().items()}


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ("", "stats.gauges.contract.mark"),
        ("&namespace=legacy", "stats.gauges.contract.mark"),
        ("&namespace=legacy&prefix=ignored", "stats.gauges.contract.mark"),
        ("&prefix=", "gauges.contract.mark"),
        ("&prefix=a.b&prefix_gauge=g", "a.b.g.contract.mark"),
        ("&prefix_gauge=", "stats.contract.mark"),
        ("&suffix=end", "stats.gauges.contract.mark.end"),
    ],
)
def test_paths_follow_the_options(carbon: Carbon, options: str, path: str) -> None:
    assert written(carbon, flushes.marked(END), options) == {path: END}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_prefix(carbon: Carbon, kind: Kind) -> None:
    paths = written(carbon, flushes.every_kind(END), f"&prefix_{kind}=x")
    wanted = sum(len(each.columns) * each.count for each in flushes.every_kind(END).blocks if each.kind is kind)
    assert len([path for path in paths if path.startswith("stats.x.")]) == wanted


def test_counts_are_left_out_on_request(carbon: Carbon) -> None:
    paths = written(carbon, flushes.every_kind(END), "&counts=false")
    assert not [path for path in paths if path.startswith("stats.counters.") and path.partition(";")[0].endswith(".count")]
    assert "stats.counters.contract.requests.rate" in paths


def test_names_are_cleaned_on_request(carbon: Carbon) -> None:
    assert "stats.gauges.contract.gre" in written(carbon, flushes.foreign(END), "&sanitize=true")


@pytest.mark.parametrize("pickled", [False, True])
def test_connections_share_a_flush(*, pickled: bool) -> None:
    peer = Carbon(pickled=pickled, options="&connections=3")
    with contract.opened(peer.url) as sink:
        sink.write(flushes.many(END, 3000))
        assert peer.lacks(flushes.many(END, 3000)) == []
    sizes = [len(part) for part in peer.server.inbox.parts()]
    assert len(sizes) == 3
    assert min(sizes) > max(sizes) / 2
    peer.close()


def test_one_connection_of_several_that_is_lost_is_opened_anew() -> None:
    peer = Carbon(options="&connections=3")
    with contract.opened(peer.url) as sink:
        sink.write(flushes.many(END, 100))
        assert peer.lacks(flushes.many(END, 100)) == []
        peer.leave()
        with pytest.raises(Unavailable):
            sink.write(flushes.many(END + 10, 100))
        peer.come_back()
        sink.write(flushes.many(END + 10, 100))
        assert peer.lacks(flushes.many(END + 10, 100)) == []
    peer.close()


def test_flushes_share_a_connection(carbon: Carbon) -> None:
    with contract.opened(carbon.url) as sink:
        for number in range(3):
            sink.write(flushes.marked(END + number))
            assert carbon.lacks(flushes.marked(END + number)) == []
    assert len(carbon.server.inbox.parts()) == 1


@pytest.mark.parametrize(("resend", "arrives"), [(0, [False, False]), (1, [False, True]), (2, [True, True])])
def test_flushes_that_a_dead_carbon_did_not_read_are_sent_again(resend: int, arrives: list[bool]) -> None:
    peer = Carbon(options=f"&resend={resend}")
    with contract.opened(peer.url) as sink:
        sink.write(flushes.marked(END))
        assert peer.lacks(flushes.marked(END)) == []
        peer.leave()
        peer.server.inbox.clear()
        peer.come_back()
        sink.write(flushes.marked(END + 10))
        assert peer.lacks(flushes.marked(END + 10)) == []
        peer.leave()
        peer.server.inbox.clear()
        peer.come_back()
        sink.write(flushes.marked(END + 20))
        assert peer.lacks(flushes.marked(END + 20)) == []
        seconds = {second for _, second in peer.points()}
    assert [second in seconds for second in (END, END + 10)] == arrives
    peer.close()


def test_a_pickle_is_a_list_of_paths_with_timestamp_and_text() -> None:
    layout = graphite.Layout(Naming(), pickle=True)
    (frame,) = layout(flushes.marked(END, 2.5), 1)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert unpickled(frame[4:]) == [("stats.gauges.contract.mark", (int(END), "2.5"))]


@pytest.mark.parametrize("shares", [1, 2, 3, 7])
@pytest.mark.parametrize("pickled", [False, True])
def test_parts_joined_are_the_whole(shares: int, *, pickled: bool) -> None:
    layout = graphite.Layout(Naming(), pickled)
    for flush in (flushes.empty(END), flushes.marked(END), flushes.every_kind(END), flushes.many(END, 1200)):
        parts = layout(flush, shares)
        assert len(parts) == shares
        assert b"".join(parts) == layout(flush, 1)[0]
        assert pickled or all(part.endswith(b"\n") for part in parts if part)


# -- statsd's own figures ------------------------------------------------------------------------------------------------


def figures(stats: Stats, flush: Flush) -> dict[str, float]:
    text = b"".join(graphite.Layout(Naming(), pickle=False)(stats.flush(flush, 2.0), 1, stats.naming)).decode()
    rows = [line.split(" ") for line in text.splitlines()]
    assert {second for *_, second in rows} == {str(flush.window.timestamp)}
    return {path: float(value) for path, value, _ in rows}


@pytest.mark.parametrize(
    ("naming", "numbers", "rest", "end"),
    [
        (Naming(legacy=True), "own.", "stats.own.", ""),
        (Naming(legacy=True, prefix="x", suffix="s"), "own.", "stats.own.", ".s"),
        (Naming(), "stats.own.", "stats.own.", ""),
        (Naming(prefix=""), "own.", "own.", ""),
        (Naming(prefix="a.b", gauge="g", suffix="s"), "a.b.own.", "a.b.own.", ".s"),
    ],
)
def test_figures_have_statsd_paths_in_statsd_order(naming: Naming, numbers: str, rest: str, end: str) -> None:
    own = [f"{numbers}numStats", f"{rest}graphiteStats.calculationtime", f"{rest}processing_time"]
    own += [f"{rest}graphiteStats.{name}" for name in ("last_exception", "last_flush", "flush_time", "flush_length")]
    found = figures(Stats("own", naming), flushes.every_kind(END))
    assert list(found) == [name + end for name in own]


def test_figures_tell_of_the_flush_before() -> None:
    now = [1000.4]
    stats = Stats("s", Naming(prefix=""), lambda: now[0])
    flush = flushes.every_kind(END)
    first = {"s.numStats": 8.0, "s.graphiteStats.calculationtime": 2.0, "s.processing_time": 1.25}
    last = {"last_exception": 0.0, "last_flush": 1000.0, "flush_time": 0.0, "flush_length": 0.0}
    assert figures(stats, flush) == first | {f"s.graphiteStats.{name}": value for name, value in last.items()}
    now[0] = 1010.6
    stats.failed()
    now[0] = 1020.6
    stats.written(3.5, 77)
    last = {"last_exception": 1011.0, "last_flush": 1021.0, "flush_time": 3.5, "flush_length": 77.0}
    assert figures(stats, flush) == first | {f"s.graphiteStats.{name}": value for name, value in last.items()}


def test_figures_end_a_flush(carbon: Carbon) -> None:
    with contract.opened(f"{carbon.url}&statsd_stats=own") as sink:
        sink.write(flushes.marked(END))
        sink.write(flushes.marked(END + 10))
    carbon.server.wait_for_ends()
    lines = carbon.server.inbox.parts()[0].decode().splitlines()
    first, second = "\n".join([*lines[:8], ""]), lines[8:]
    assert [line.split(" ")[0] for line in second][:2] == ["stats.gauges.contract.mark", "stats.own.numStats"]
    assert second[-1] == f"stats.own.graphiteStats.flush_length {len(first)} {int(END) + 10}"


def test_a_failed_write_is_told_of(carbon: Carbon) -> None:
    carbon.leave()
    with contract.opened(f"{carbon.url}&statsd_stats=own") as sink:
        with pytest.raises(Unavailable):
            sink.write(flushes.marked(END))
        carbon.come_back()
        sink.write(flushes.marked(END))
    carbon.server.wait_for_ends()
    assert carbon.points()["stats.own.graphiteStats.last_exception", int(END)] > END


# -- the URL -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("graphite://", "names no host; write graphite://localhost:2003"),
        ("graphite+pickle://", r"names no host; write graphite\+pickle://localhost:2004"),
        ("graphite://a,b:2103", r"several hosts.*graphite://a and graphite://b:2103"),
        ("graphite://a/path", "takes no path, found '/path'"),
        ("graphite://a:0", "nobody listens on port 0; name the port, or none for 2003"),
        ("graphite://me@a", "neither user nor password"),
        ("graphite://a?conections=2", "unknown option 'conections'; did you mean 'connections'"),
        ("graphite://a?connections=0", "option connections: 0 is below 1"),
        ("graphite://a?resend=-1", "option resend: -1 is below 0"),
        ("graphite://a?timeout=0s", "option timeout: 0 is below"),
        ("graphite://a?namespace=legasy", r"option namespace: 'legasy' is none of.*did you mean 'legacy'"),
        ("graphite://a?ca=/ca.pem", "option ca is for TLS; add tls=true"),
        ("graphite://a?verify=false", "option verify is for TLS; add tls=true"),
        ("graphite://a?tls=true&key=/key.pem", "option key needs cert"),
        ("graphite://a?tls=true&ca=/no/such/file", "cannot use ca: No such file"),
        ("graphite://a?tls=true&cert=/no/such/file", "cannot use cert: No such file"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_the_cure(url: str, message: str) -> None:
    with pytest.raises(UrlError, match=message):
        registry.open(url, "metrics")


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(UrlError, match="cannot use ca: "):
        registry.open(f"graphite://a?tls=true&ca={tmp_path}/ca.pem", "metrics")


def test_ports_default_to_those_of_carbon() -> None:
    assert graphite.PORTS == {"graphite": 2003, "graphite+pickle": 2004}
    with pytest.raises(Unavailable, match=r"graphite://127\.0\.0\.1:1: Connection refused"):
        registry.open("graphite://127.0.0.1:1", "health").check()


def test_a_name_that_does_not_exist_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"nobody\.invalid"):
        registry.open("graphite://nobody.invalid", "health").check()


def test_every_option_has_a_help_text() -> None:
    options = urls.parse("graphite://a").options(graphite.Options)
    assert all(field.metadata["help"] for field in dataclasses.fields(options))


def test_an_empty_flush_with_figures_is_only_the_figures(carbon: Carbon) -> None:
    flush = Flush(Window(END - 10, END, 10), (block(Kind.GAUGE, {"value": []}, []),))
    assert written(carbon, flush, "&statsd_stats=own")["stats.own.numStats"] == 0
