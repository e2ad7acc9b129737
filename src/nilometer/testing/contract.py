"""The contract of metric backends, as tests that run over any URL.

A test module derives a class for each part that its backend keeps and gives it a fixture `peer` (see `peers`)::

    class TestSink(contract.MetricSinkContract):
        @pytest.fixture
        def peer(self) -> Iterator[Peer]:
            ...

`MetricSinkContract` is for every sink, `SketchContract` for those that take sketches, `RemoteContract` for those whose other
side can be away, `StallingContract` for those whose other side can stop reading, and `SeriesReaderContract` for those that read
back.
"""
# assert is how a test speaks, and its name says what it states
# ruff: noqa: S101, D102

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.capability import Health, MetricSink, SeriesReader
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.naming import Naming
from nilometer.core.sketch import ERROR, decoded
from nilometer.core.wire import render
from nilometer.testing import flushes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Flush
    from nilometer.testing.peers import Peer, RemotePeer, SketchPeer, StallingPeer

END = 1_700_000_010.0
"""When the example flushes' windows end, in seconds since the epoch."""
BOUND = 15.0
"""Seconds within which a call gives up, with a timeout of one second for each of its few steps."""
ATTEMPTS = 20


@contextlib.contextmanager
def opened(url: str) -> Iterator[MetricSink]:
    """Open a sink, and close it in the end."""
    sink = registry.open(url, registry.METRICS)
    try:
        yield sink
    finally:
        sink.close()


def write_until_taken(sink: MetricSink, flush: Flush) -> None:
    """Write as a pipe does: the same flush again while the sink is unavailable."""
    for attempt in range(ATTEMPTS):
        try:
            sink.write(flush)
        except Unavailable:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.05)
        else:
            return


class MetricSinkContract:
    """What every sink of metrics keeps."""

    def test_it_has_the_methods_of_its_capabilities(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            assert isinstance(sink, MetricSink)

    @pytest.mark.parametrize("example", [flushes.every_kind, flushes.foreign, flushes.extreme, flushes.gaps, flushes.sketched])
    def test_what_is_written_arrives(self, peer: Peer, example: flushes.Example) -> None:
        with opened(peer.url) as sink:
            sink.write(example(END))
            assert peer.lacks(example(END)) == []

    def test_a_flush_has_arrived_once_the_sink_is_closed(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.every_kind(END))
        assert peer.lacks(flushes.every_kind(END)) == []

    def test_ten_thousand_series_arrive(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.many(END))
            assert peer.lacks(flushes.many(END)) == []

    def test_the_same_flush_twice_counts_nothing_twice(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.every_kind(END))
            sink.write(flushes.every_kind(END))
            assert peer.lacks(flushes.every_kind(END)) == []

    def test_flushes_of_several_windows_arrive(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            for end in (END, END + 10, END + 20):
                sink.write(flushes.marked(end))
                assert peer.lacks(flushes.marked(end)) == []

    def test_an_empty_flush_is_written(self, peer: Peer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.empty(END))
            sink.write(flushes.every_kind(END + 10))
            assert peer.lacks(flushes.every_kind(END + 10)) == []

    def test_another_thread_may_write_and_close(self, peer: Peer) -> None:
        sink = registry.open(peer.url, registry.METRICS)
        with ThreadPoolExecutor(1) as worker:
            worker.submit(sink.write, flushes.every_kind(END)).result()
            worker.submit(sink.close).result()
        assert peer.lacks(flushes.every_kind(END)) == []

    def test_closing_twice_does_nothing(self, peer: Peer) -> None:
        sink = registry.open(peer.url, registry.METRICS)
        sink.write(flushes.every_kind(END))
        sink.close()
        sink.close()

    def test_an_unused_sink_closes(self, peer: Peer) -> None:
        registry.open(peer.url, registry.METRICS).close()

    def test_an_unknown_option_is_refused_by_name(self, peer: Peer) -> None:
        with pytest.raises(UrlError, match="no_such_option"):
            registry.open(with_option(peer.url, "no_such_option", "1"), registry.METRICS)

    def test_an_option_of_the_wrong_type_is_refused(self, peer: Peer) -> None:
        for name in number_options(peer.url):
            with pytest.raises(UrlError, match=name):
                registry.open(with_option(peer.url, name, "many"), registry.METRICS)

    def test_no_error_shows_a_secret(self, peer: Peer) -> None:
        scheme, _, rest = with_option(peer.url, "no_such_token", "s3cr3t").partition("://")
        for url in (f"{scheme}://{rest}", f"{scheme}://user:s3cr3t@{rest}"):
            with pytest.raises(UrlError) as caught:
                registry.open(url, registry.METRICS)
            assert "s3cr3t" not in str(caught.value)

    def test_the_check_says_one_line(self, peer: Peer) -> None:
        health = registry.open(peer.url, registry.HEALTH)
        assert isinstance(health, Health)
        said = health.check()
        health.close()
        assert said
        assert "\n" not in said


class SketchContract:
    """What a sink keeps that takes sketches: percentiles can be read from what arrived, as from what was sent."""

    def test_sketches_arrive_with_the_other_values(self, peer: SketchPeer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.sketched(END))
            assert peer.lacks(flushes.sketched(END)) == []
        assert_sketches(peer, flushes.sketched(END))

    def test_the_same_flush_twice_counts_no_sample_twice(self, peer: SketchPeer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.sketched(END))
            sink.write(flushes.sketched(END))
        assert_sketches(peer, flushes.sketched(END))


def assert_sketches(peer: SketchPeer, flush: Flush) -> None:
    """Compare counts, extremes and quantiles of what arrived with those of the flush's sketches."""
    found = peer.sketches(flush)
    blocks = [block for block in flush.blocks if block.sketches]
    wanted = {
        key: sketch
        for block in blocks
        for key, sketch in zip(block.keys(), decoded(block.sketches, block.count), strict=True)
        if sketch
    }
    assert len(wanted) > 1
    for key, sketch in wanted.items():
        values = [value for value, times in found[key] for _ in range(int(times))]
        assert len(values) == sketch.count
        assert (values[0], values[-1]) == pytest.approx((sketch.low, sketch.high), rel=ERROR)
        for fraction in (0.1, 0.5, 0.9, 0.99):
            read = values[math.ceil(fraction * len(values)) - 1]
            assert read == pytest.approx(sketch.quantile(fraction), rel=2 * ERROR)


class RemoteContract:
    """What a sink keeps whose other side can be away."""

    def test_a_sink_that_is_away_is_unavailable(self, peer: RemotePeer) -> None:
        peer.leave()
        began = time.monotonic()
        with opened(peer.url) as sink, pytest.raises(Unavailable):
            sink.write(flushes.every_kind(END))
        assert time.monotonic() - began < BOUND

    def test_the_check_of_one_that_is_away_fails(self, peer: RemotePeer) -> None:
        peer.leave()
        health = registry.open(peer.url, registry.HEALTH)
        with pytest.raises(Unavailable):
            health.check()
        health.close()

    def test_a_sink_that_comes_back_works_again(self, peer: RemotePeer) -> None:
        peer.leave()
        with opened(peer.url) as sink:
            with pytest.raises(Unavailable):
                sink.write(flushes.every_kind(END))
            peer.come_back()
            sink.write(flushes.every_kind(END))
            assert peer.lacks(flushes.every_kind(END)) == []

    def test_a_restart_between_two_flushes_loses_nothing(self, peer: RemotePeer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.marked(END))
            assert peer.lacks(flushes.marked(END)) == []
            peer.leave()
            peer.come_back()
            write_until_taken(sink, flushes.marked(END + 10))
            assert peer.lacks(flushes.marked(END + 10)) == []

    def test_a_sink_that_went_away_is_unavailable(self, peer: RemotePeer) -> None:
        with opened(peer.url) as sink:
            sink.write(flushes.marked(END))
            peer.leave()
            with pytest.raises(Unavailable):
                sink.write(flushes.marked(END + 10))

    def test_closing_one_that_went_away_is_quiet(self, peer: RemotePeer) -> None:
        sink = registry.open(peer.url, registry.METRICS)
        sink.write(flushes.marked(END))
        peer.leave()
        sink.close()


class StallingContract:
    """What a sink keeps whose other side can stop reading."""

    def test_one_that_does_not_read_is_unavailable_in_bounded_time(self, peer: StallingPeer) -> None:
        peer.stall()
        began = time.monotonic()
        with opened(peer.url) as sink, pytest.raises(Unavailable):
            write_until_full(sink)
        assert time.monotonic() - began < BOUND
        peer.resume()

    def test_one_that_reads_again_gets_what_follows(self, peer: StallingPeer) -> None:
        peer.stall()
        with opened(peer.url) as sink:
            with pytest.raises(Unavailable):
                write_until_full(sink)
            peer.resume()
            write_until_taken(sink, flushes.marked(END + 1000))
            assert peer.lacks(flushes.marked(END + 1000)) == []


def write_until_full(sink: MetricSink) -> None:
    """Write large flushes until buffers on the way are full and the sink says so."""
    for number in range(ATTEMPTS):
        sink.write(flushes.many(END + 10 * number))


class SeriesReaderContract:
    """What a sink keeps that reads back."""

    def test_it_has_the_methods_of_its_capabilities(self, peer: Peer) -> None:
        reader = registry.open(peer.url, registry.SERIES)
        assert isinstance(reader, SeriesReader)
        reader.close()

    def test_paths_are_found_sorted_by_glob_up_to_a_limit(self, peer: Peer) -> None:
        with read_back(peer.url, flushes.every_kind(END)) as reader:
            every = sorted(render.points(flushes.every_kind(END), Naming()).paths.decode().split("\n"))
            assert reader.find() == every
            assert reader.find("stats.gauges.*") == [path for path in every if path.startswith("stats.gauges.")]
            assert reader.find("*.coun?") == [path for path in every if path.endswith(".count")]
            assert reader.find(limit=2) == every[:2]
            assert reader.find(limit=2, after=every[1]) == every[2:4]
            assert reader.find("*.count", after=every[1]) == [path for path in every[2:] if path.endswith(".count")]
            assert reader.find(after=every[-1]) == []
            assert reader.find("nothing.*") == []

    def test_points_are_read_with_both_ends(self, peer: Peer) -> None:
        ends = [END, END + 10, END + 20, END + 30]
        path = "stats.gauges.contract.mark"
        with read_back(peer.url, *map(flushes.marked, ends)) as reader:
            (series,) = reader.read([path], END + 10, END + 20)
            assert (series.path, list(series.times)) == (path, [END + 10, END + 20])
            assert list(series.values) == [END + 10, END + 20]

    def test_a_path_without_points_is_there_and_empty(self, peer: Peer) -> None:
        with read_back(peer.url, flushes.marked(END)) as reader:
            missing, present = reader.read(["stats.gauges.nobody", "stats.gauges.contract.mark"], END, END)
            assert (list(missing.times), list(missing.values)) == ([], [])
            assert list(present.values) == [END]

    def test_a_point_written_again_is_replaced(self, peer: Peer) -> None:
        with read_back(peer.url, flushes.marked(END, 1.0), flushes.marked(END, 2.0)) as reader:
            (series,) = reader.read(["stats.gauges.contract.mark"], END, END)
            assert (list(series.times), list(series.values)) == ([END], [2.0])

    def test_an_earlier_flush_may_come_later(self, peer: Peer) -> None:
        with read_back(peer.url, flushes.marked(END + 10), flushes.marked(END)) as reader:
            (series,) = reader.read(["stats.gauges.contract.mark"], END, END + 10)
            assert list(series.times) == [END, END + 10]


@contextlib.contextmanager
def read_back(url: str, *written: Flush) -> Iterator[SeriesReader]:
    """Write flushes, then give a reader of the same URL."""
    with opened(url) as sink:
        for flush in written:
            sink.write(flush)
    reader = registry.open(url, registry.SERIES)
    try:
        yield reader
    finally:
        reader.close()


def with_option(url: str, name: str, value: str) -> str:
    """Return the URL with one more option."""
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"


def number_options(url: str) -> list[str]:
    """Return the options of a URL's backend that take a number and are not set in the URL."""
    fields = dataclasses.fields(registry.module(url.partition("://")[0]).Options)
    numbers = (field.name for field in fields if isinstance(field.default, int | float) and not isinstance(field.default, bool))
    return [name for name in numbers if f"{name}=" not in url]
