"""The console and the log: texts for people and for programs."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import console, registry
from nilometer.backends._parts.table import tables
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.record import Event, Flush, Kind, block
from nilometer.testing import flushes

if TYPE_CHECKING:
    from collections.abc import Iterator

END = 1_700_000_010.0


def printed(url: str, flush: Flush, capsys: pytest.CaptureFixture[str]) -> str:
    registry.open(url, "metrics").write(flush)
    return capsys.readouterr().out


def gauges(values: dict[str, float]) -> Flush:
    return Flush(flushes.window(END), (block(Kind.GAUGE, {"value": values.values()}, values),))


# -- text ----------------------------------------------------------------------------------------------------------------

TEXT = """\
── 2023-11-14 22:13:30 UTC · 10 s · 8 series · 1.25 ms ─────────────────
counters                         rate  count
contract.requests                 1.5     15
contract.errors;code=500;zone=a   0.1      1
timers                    upper_90  count  count_ps  mean
contract.latency                 3      4       0.4   2.5
contract.wait;zone=b          8.25      2       0.2   7.5
gauges                    value
contract.heat              -5.5
contract.large            1e+21
contract.idle                 0
sets                      count
contract.users                3
"""


def test_text_is_a_table_for_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed("console://", flushes.every_kind(END), capsys) == TEXT


def test_text_shows_the_first_rows(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed("console://?rows=2", flushes.many(END, 1500), capsys).splitlines()
    assert lines[2:] == [
        "contract.many.00000        0.1      1",
        "contract.many.00001        0.2      2",
        "… and 1,498 more counters",
    ]


def test_text_shows_all_rows_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed("console://?rows=0", flushes.many(END, 1500), capsys).splitlines()) == 1502


def test_a_narrow_table_is_continued_below() -> None:
    lines = list(tables(flushes.every_kind(END), 0, 45))
    assert [line.split() for line in lines if line.startswith("timers")] == [
        ["timers", "upper_90", "count"],
        ["timers", "count_ps", "mean"],
    ]
    assert all(len(line) <= 45 for line in lines)


def test_a_statistic_that_a_series_lacks_is_a_dash() -> None:
    lines = list(tables(flushes.gaps(END), 0, 120))
    assert [line.split() for line in lines] == [
        ["timers", "count", "mean"],
        ["contract.rest", "0", "–"],
        ["contract.work", "2", "4.5"],
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(1234567.891, "1234567.9"), (0.000123456789, "0.000123457"), (float("nan"), "NaN")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert list(tables(gauges({"g": value}), 0, 120))[1].split() == ["g", text]


def test_keys_stay_in_their_column_and_on_their_line() -> None:
    lines = list(tables(gauges({"水位": 1.0, "a\x1b[2Jb": 2.0, "n" * 100: 3.0}), 0, 120))
    assert lines[1].startswith("水位" + " " * 58)
    assert lines[2].startswith("a�[2Jb ")
    assert lines[3].startswith("n" * 29 + "…" + "n" * 29 + " ")


# -- JSON ----------------------------------------------------------------------------------------------------------------


def test_json_is_one_line_a_flush(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("console://?format=json", flushes.every_kind(END), capsys)
    assert text.count("\n") == 1
    record = json.loads(text)
    assert (record["timestamp"], record["interval"], record["processing_ms"]) == (1_700_000_010, 10.0, 1.25)
    assert record["series"][1] == {"kind": "counter", "key": "contract.errors;code=500;zone=a", "rate": 0.1, "count": 1.0}


def test_json_has_strings_for_numbers_that_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed("console://?format=json", flushes.extreme(END), capsys))
    values = [series["value"] for series in record["series"]]
    assert values == ["NaN", "Infinity", "-Infinity", 5e-324, 1.7976931348623157e308, 7.0]


def test_json_leaves_out_a_statistic_that_a_series_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed("console://?format=json", flushes.gaps(END), capsys))
    assert record["series"][0] == {"kind": "timer", "key": "contract.rest", "count": 0.0}


# -- statsd's dump -------------------------------------------------------------------------------------------------------

DUMP = """\
{
  counters: { 'contract.requests': 15, 'contract.errors;code=500;zone=a': 1 },
  timers: { 'contract.latency': 4, 'contract.wait;zone=b': 2 },
  gauges: {
    'contract.heat': -5.5,
    'contract.large': 1e+21,
    'contract.idle': 0
  },
  timer_data: {
    'contract.latency': { upper_90: 3, count: 4, count_ps: 0.4, mean: 2.5 },
    'contract.wait;zone=b': { upper_90: 8.25, count: 2, count_ps: 0.2, mean: 7.5 }
  },
  counter_rates: { 'contract.requests': 1.5, 'contract.errors;code=500;zone=a': 0.1 },
  sets: { 'contract.users': 3 },
  pctThreshold: [ 90 ]
}
"""


def test_statsd_is_what_its_console_backend_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    date, _, rest = printed("console://?format=statsd", flushes.every_kind(END), capsys).partition("\n")
    assert date == "Flushing stats at  Tue Nov 14 2023 22:13:30 GMT+0000 (UTC)"
    assert rest == DUMP


def test_percentiles_are_those_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("console://?format=statsd&percentiles=90,-10,99.9", flushes.every_kind(END), capsys)
    assert "pctThreshold: [ 90, -10, 99.9 ]" in text


def test_bins_are_an_object_of_their_own_which_only_pretty_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("count", "histogram.bin_1_5", "histogram.bin_inf")
    flush = Flush(flushes.window(END), (block(Kind.TIMER, {name: [1.0] for name in names}, ["t"]),))
    assert "timer_data: { t: { count: 1, histogram: [Object] } }," in printed("console://?format=statsd", flush, capsys)
    pretty = printed("console://?format=statsd&pretty=true", flush, capsys)
    assert "histogram: { bin_1_5: \x1b[33m1\x1b[39m, bin_inf: \x1b[33m1\x1b[39m }" in pretty


def test_percentiles_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UrlError, match="percentiles: '90,x' is not numbers"):
        registry.open("console://?percentiles=90,x", "metrics")


# -- where it goes -------------------------------------------------------------------------------------------------------


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard output is a pipe; its reading end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(console, "output", lambda: stream)
        yield reading
    with contextlib.suppress(OSError):
        os.close(reading)


def test_a_reader_that_is_gone_is_no_reason_to_try_again(pipe: int) -> None:
    os.close(pipe)
    with pytest.raises(Rejected, match="nobody reads"):
        registry.open("console://", "metrics").write(flushes.marked(END))


def test_a_closed_output_is_no_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(console, "output", lambda: stream)
    with pytest.raises(Rejected, match="nobody reads"):
        registry.open("console://", "metrics").write(flushes.marked(END))


def test_what_a_stalled_reader_got_half_of_comes_again_on_its_own_line(pipe: int) -> None:
    sink = registry.open("console://?format=json&timeout=50ms", "metrics")
    with pytest.raises(Unavailable, match=r"no reader within 0\.05 s"):
        sink.write(flushes.many(END, 3000))
    os.read(pipe, 1 << 20)
    sink.write(flushes.marked(END))
    sink.write(flushes.marked(END))
    lines = os.read(pipe, 1 << 16).decode().split("\n")
    assert [json.loads(line)["timestamp"] for line in lines[1:3]] == [END, END]
    assert (lines[0], lines[3:]) == ("", [""])


def test_flushes_and_events_of_several_sinks_never_cut_each_other(pipe: int) -> None:
    flush = flushes.many(END, 300)
    happened = Event("1", END, "deploy", payload={"text": "x" * 5000})
    metrics, events = registry.open("console://?format=json", "metrics"), registry.open("console://?format=json", "events")
    works = (lambda: metrics.write(flush), lambda: events.write_events([happened] * 5))
    threads = [threading.Thread(target=lambda work=work: [work() for _ in range(20)]) for work in works]
    for thread in threads:
        thread.start()
    ends, read = 0, b""
    while ends < 20 * 6:
        part = os.read(pipe, 10_000)
        ends += part.count(b"\n")
        read += part
    assert Counter("series" in json.loads(line) for line in read.splitlines()) == {True: 20, False: 100}


def test_the_check_tells_a_terminal_from_a_pipe(pipe: int) -> None:
    assert pipe
    assert registry.open("console://", "health").check() == "console: standard output is no terminal, format text"


# -- the log -------------------------------------------------------------------------------------------------------------


def test_a_flush_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry.open("log://", "metrics").write(flushes.every_kind(END))
    registry.open("log://", "metrics").write(flushes.empty(END))
    assert caplog.messages == [
        "flush 2023-11-14T22:13:30Z over 10 s: 2 counters, 2 timers, 3 gauges, 1 set",
        "flush 2023-11-14T22:13:30Z over 10 s: no series",
    ]


def test_a_series_is_one_line_on_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry.open("log://?each=series", "metrics").write(flushes.gaps(END))
    assert caplog.messages == ["timer contract.rest count=0", "timer contract.work count=2 mean=4.5"]


def test_a_key_cannot_begin_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry.open("log://?each=series", "metrics").write(gauges({"a\r\x1bERROR": 1.0}))
    assert caplog.messages == ["gauge a\\x0d\\x1bERROR value=1"]


@pytest.mark.parametrize(("shown", "check"), [(logging.DEBUG, "shows level debug"), (logging.INFO, "hides level debug")])
def test_logger_and_level_are_options(caplog: pytest.LogCaptureFixture, shown: int, check: str) -> None:
    caplog.set_level(shown, logger="elsewhere")
    url = "log://?logger=elsewhere&level=debug"
    registry.open(url, "metrics").write(flushes.marked(END))
    records = [(record.name, record.levelname) for record in caplog.records]
    assert records == ([("elsewhere", "DEBUG")] if shown == logging.DEBUG else [])
    assert registry.open(url, "health").check() == f"log: logger elsewhere {check}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("console://host", "takes neither host nor path; write console://"),
        ("console://?format=jsn", "did you mean 'json'"),
        ("console://?rows=-1", "option rows: -1 is below 0"),
        ("console://?timeout=0s", "option timeout: 0 is below"),
        ("log://host", "takes neither host nor path; write log://"),
        ("log://?level=inf", "did you mean 'info'"),
        ("log://?each=row", "option each: 'row' is none of flush, series"),
        ("null://host", "takes neither host nor path; write null://"),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_the_cure(url: str, message: str) -> None:
    with pytest.raises(UrlError, match=message):
        registry.open(url, "metrics")
