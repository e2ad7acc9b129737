"""Timers: every statistic, every percentile, bins, and the choice among them. Each test runs over both kernels."""

from __future__ import annotations

import math

import pytest

from nilometer.ingest.kernel import Aggregation, Histogram, Kernel
from nilometer.testing.kernels import flushed

INF = math.inf
PERCENTILES = [  # percentile, samples, and the statistics that it makes, in order
    (90, [100], {"count_90": "1", "mean_90": "100", "upper_90": "100", "sum_90": "100", "sum_squares_90": "10000"}),
    (10, [3], {"count_10": "1", "mean_10": "3", "upper_10": "3", "sum_10": "3", "sum_squares_10": "9"}),
    (0, [3], {"count_0": "1", "mean_0": "3", "lower_0": "3", "sum_0": "3", "sum_squares_0": "9"}),
    (-10, [3], {"count_top10": "1", "mean_top10": "3", "lower_top10": "3", "sum_top10": "3", "sum_squares_top10": "9"}),
    (50, [4, 3, 2, 1], {"count_50": "2", "mean_50": "1.5", "upper_50": "2", "sum_50": "3", "sum_squares_50": "5"}),
    (50, [5, 4, 3, 2, 1], {"count_50": "3", "mean_50": "2", "upper_50": "3", "sum_50": "6", "sum_squares_50": "14"}),
    (10, [1, 2], {}),
    (0, [1, 2], {}),
    (25, [1, 2], {"count_25": "1", "mean_25": "1", "upper_25": "1", "sum_25": "1", "sum_squares_25": "1"}),
    (-25, [1, 2], {"count_top25": "1", "mean_top25": "2", "lower_top25": "2", "sum_top25": "2", "sum_squares_top25": "4"}),
    (
        -20,
        [10, 10, 10, 10, 10, 10, 10, 10, 100, 200],
        {"count_top20": "2", "mean_top20": "150", "lower_top20": "100", "sum_top20": "300", "sum_squares_top20": "50000"},
    ),
    (
        -100,
        [1, 2],
        {"count_top100": "2", "mean_top100": "NaN", "lower_top100": "1", "sum_top100": "NaN", "sum_squares_top100": "NaN"},
    ),
    (
        -90,
        [1, 2, 3],
        {"count_top90": "3", "mean_top90": "NaN", "lower_top90": "1", "sum_top90": "NaN", "sum_squares_top90": "NaN"},
    ),
    (-200, [1, 2], {"count_top200": "4", "mean_top200": "NaN", "sum_top200": "NaN", "sum_squares_top200": "NaN"}),
    (200, [1, 2], {"count_200": "4", "mean_200": "NaN"}),
    (200, [5], {"count_200": "1", "mean_200": "5", "upper_200": "5", "sum_200": "5", "sum_squares_200": "25"}),
    (100, [1, 2], {"count_100": "2", "mean_100": "1.5", "upper_100": "2", "sum_100": "3", "sum_squares_100": "5"}),
    (
        99.9,
        [1, 2],
        {"count_99_9": "2", "mean_99_9": "1.5", "upper_99_9": "2", "sum_99_9": "3", "sum_squares_99_9": "5"},
    ),
    (-0.5, [7], {"count_top0_5": "1", "mean_top0_5": "7", "lower_top0_5": "7", "sum_top0_5": "7", "sum_squares_top0_5": "49"}),
]
WHOLE = [  # samples with types and rates, and all the statistics but percentiles, in order
    ("100|ms", ["0", "100", "100", "1", "0.5", "100", "10000", "100", "100"]),
    ("3|ms:1|ms:2|ms", ["0.816496580927726", "3", "1", "3", "1.5", "6", "14", "2", "2"]),
    ("1|ms:2|ms", ["0.5", "2", "1", "2", "1", "3", "5", "1.5", "1.5"]),
    ("9|ms:10|ms:100|ms:1|ms", ["40.564763033943635", "100", "1", "4", "2", "120", "10182", "30", "9.5"]),
    ("100|ms:200|ms|@0.1", ["50", "200", "100", "11", "5.5", "300", "50000", "150", "150"]),
    ("0|ms", ["0", "0", "0", "1", "0.5", "0", "0", "0", "0"]),
    ("1e200|ms:1e200|ms", ["0", "1e+200", "1e+200", "2", "1", "2e+200", "Infinity", "1e+200", "1e+200"]),
    ("Infinity|ms:1|ms", ["NaN", "Infinity", "1", "2", "1", "Infinity", "Infinity", "Infinity", "Infinity"]),
    ("5|ms|@0", ["0", "5", "5", "Infinity", "Infinity", "5", "25", "5", "5"]),
]
STATISTICS = ["std", "upper", "lower", "count", "count_ps", "sum", "sum_squares", "mean", "median"]


def timer(kernel: Kernel, *datagrams: bytes, seconds: float = 1.0) -> dict[str, str]:
    """Return the statistics of timer ``t``."""
    return {path.removeprefix("timers.t."): text for path, text in flushed(kernel, *datagrams, seconds=seconds).items()}


@pytest.mark.parametrize(("percentile", "samples", "statistics"), PERCENTILES)
def test_a_percentile(kernel: Kernel, percentile: float, samples: list[int], statistics: dict[str, str]) -> None:
    kernel.configure(Aggregation(percentiles=(percentile,)))
    seen = timer(kernel, *(f"t:{sample}|ms".encode() for sample in samples))
    assert list(seen.items())[: -len(STATISTICS)] == list(statistics.items())


def test_percentiles_come_in_the_order_of_the_settings_and_once(kernel: Kernel) -> None:
    kernel.configure(Aggregation(percentiles=(90, -10, 50, 90)))
    labels = [name.removeprefix("count_") for name in timer(kernel, b"t:1|ms") if name.startswith("count_")]
    assert labels == ["90", "top10", "50", "ps"]


def test_no_percentiles(kernel: Kernel) -> None:
    kernel.configure(Aggregation(percentiles=()))
    assert list(timer(kernel, b"t:1|ms")) == STATISTICS


@pytest.mark.parametrize(("samples", "values"), WHOLE)
def test_the_whole(kernel: Kernel, samples: str, values: list[str]) -> None:
    kernel.configure(Aggregation(percentiles=()))
    assert timer(kernel, f"t:{samples}".encode(), seconds=2) == dict(zip(STATISTICS, values, strict=True))


def test_sums_run_over_the_sorted_samples(kernel: Kernel) -> None:
    samples = [0.7, 0.1, 1e16, 3.0, 0.3, 0.2, 1.0]
    total = square = 0.0
    for sample in sorted(samples):
        total += sample
        square += sample * sample
    kernel.feed(b"\n".join(f"t:{sample}|ms".encode() for sample in samples), "", "statsd")
    (timers,) = kernel.flush(1).blocks
    values = {column.name: column.values[0] for column in timers.columns}
    assert (values["sum"], values["sum_squares"]) == (total, square)


def test_an_idle_timer_has_count_ps_before_count(kernel: Kernel) -> None:
    timer(kernel, b"t:1|ms")
    assert list(timer(kernel).items()) == [("count_ps", "0"), ("count", "0")]


def test_idle_and_busy_timers_stand_together(kernel: Kernel) -> None:
    flushed(kernel, b"idle:1|ms\nt:1|ms")
    seen = list(flushed(kernel, b"t:2|ms"))
    assert seen[:2] == ["timers.idle.count_ps", "timers.idle.count"]
    assert seen[-len(STATISTICS) :] == [f"timers.t.{name}" for name in STATISTICS]


BINS = [  # bins, samples, and how many each bin has
    ((10, 100, INF), [5, 9.99, 10, 99, 100, 1e9], {"bin_10": "2", "bin_100": "2", "bin_inf": "2"}),
    ((10,), [5, 10, 11], {"bin_10": "1"}),
    ((0.5, 1.5), [0, 1, 2], {"bin_0_5": "1", "bin_1_5": "1"}),
    ((100, 10), [5, 50], {"bin_100": "2", "bin_10": "0"}),
    ((10, 100, 10), [5, 50], {"bin_10": "0", "bin_100": "1"}),
    ((-5, 5), [0], {"bin_-5": "0", "bin_5": "1"}),
    ((), [1], {}),
    ((1e21, INF), [1], {"bin_1e+21": "1", "bin_inf": "0"}),
]


@pytest.mark.parametrize(("bins", "samples", "counts"), BINS)
def test_bins(kernel: Kernel, bins: tuple[float, ...], samples: list[float], counts: dict[str, str]) -> None:
    kernel.configure(Aggregation(percentiles=(), histograms=(Histogram("t", bins),)))
    seen = timer(kernel, *(f"t:{sample}|ms|@0.1".encode() for sample in samples))
    assert list(seen.items())[len(STATISTICS) :] == [(f"histogram.{name}", count) for name, count in counts.items()]


def test_an_infinite_sample_is_in_the_infinite_bin(kernel: Kernel) -> None:
    kernel.configure(Aggregation(histograms=(Histogram("", (1, INF)),)))
    assert timer(kernel, b"t:Infinity|ms")["histogram.bin_inf"] == "1"


CUMULATIVE = [
    ((1, 5, INF), [0, 1, 1, 5, 7], {"le_1": "3", "le_5": "4", "le_inf": "5"}),
    ((0.5, 2.5), [3], {"le_0_5": "0", "le_2_5": "0"}),
    ((100, 10), [5, 50], {"le_100": "2", "le_10": "1"}),
]


@pytest.mark.parametrize("most", [100, 0])
@pytest.mark.parametrize(("bounds", "samples", "counts"), CUMULATIVE)
def test_cumulative_bins(
    kernel: Kernel, bounds: tuple[float, ...], samples: list[float], counts: dict[str, str], most: int
) -> None:
    """What is at a bound is counted with it, in a sketch too."""
    shown = {f"histogram.{name}": count for name, count in counts.items()}
    kernel.configure(Aggregation(histograms=(Histogram("", bounds),), cumulative=True, max_samples_per_timer=most))
    seen = timer(kernel, *(f"t:{sample}|ms".encode() for sample in samples))
    assert {name: count for name, count in seen.items() if name.startswith("histogram")} == shown


def test_the_first_histogram_whose_text_stands_in_the_key_counts(kernel: Kernel) -> None:
    kernel.configure(
        Aggregation(
            histograms=(Histogram("none", ()), Histogram(".web", (1, 2)), Histogram(";zone=", (2, 1)), Histogram("", (3,)))
        )
    )
    seen = flushed(kernel, b"a.web.none:0|ms\na.web:0|ms\nb:0|ms|#zone:x\nc:0|ms")
    assert [path.removeprefix("timers.") for path in seen if "histogram" in path] == [
        "a.web.histogram.bin_1",
        "a.web.histogram.bin_2",
        "b.histogram.bin_2;zone=x",
        "b.histogram.bin_1;zone=x",
        "c.histogram.bin_3",
    ]


CHOICES = [  # the settings' words, and which statistics stay, in order
    (("mean",), ["mean"]),
    (("median", "count"), ["count", "median"]),
    (("count_percent",), ["count_90", "count_99_9", "count_top10"]),
    (("upper_percent", "lower_percent"), ["upper_90", "upper_99_9", "lower_top10"]),
    (("sum_squares_percent", "histogram"), ["sum_squares_90", "sum_squares_99_9", "sum_squares_top10", "histogram.bin_5"]),
    (("count_ps", "upper"), ["upper", "count_ps"]),
    (("upper_90", "nonsense"), []),
]


@pytest.mark.parametrize(("words", "names"), CHOICES)
def test_the_choice_of_statistics(kernel: Kernel, words: tuple[str, ...], names: list[str]) -> None:
    histograms = (Histogram("t", (5,)),)
    kernel.configure(Aggregation(percentiles=(90, 99.9, -10), histograms=histograms, timer_statistics=words))
    assert list(timer(kernel, b"t:1|ms")) == names


def test_the_choice_holds_for_idle_timers_and_they_stay_series(kernel: Kernel) -> None:
    kernel.configure(Aggregation(timer_statistics=("count", "mean")))
    timer(kernel, b"t:1|ms")
    assert list(timer(kernel)) == ["count"]
    kernel.configure(Aggregation(timer_statistics=("mean",)))
    aggregates = kernel.flush(1)
    assert (aggregates.tally.series, aggregates.blocks[0].count, aggregates.blocks[0].columns) == (1, 1, ())
