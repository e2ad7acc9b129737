"""Rules over both kernels: what becomes of names, tags and values, and when series are flushed and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nilometer.ingest.kernel import Aggregation, Histogram, Rule
from nilometer.testing.kernels import flushed, text_of

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel

FEW: dict[str, Any] = {"percentiles": (), "timer_statistics": ("count", "mean")}


def configured(kernel: Kernel, *rules: Rule, **rest: Any) -> Kernel:  # noqa: ANN401 settings of any type
    kernel.configure(Aggregation(rules=rules, **FEW | rest))
    return kernel


def counts(kernel: Kernel, *lines: str, last: bool = False) -> dict[str, str]:
    """Return the counters' counts by key, tags included, after feeding lines."""
    kernel.feed("\n".join(lines).encode())
    texts = text_of(kernel.flush(10, last=last))
    return {key.removeprefix("counters.").replace(".count", ""): text for key, text in texts.items() if ".count" in key}


def test_the_first_rule_that_fits_is_the_only_one(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", rename=("b",)), Rule("^b", action="drop"), Rule("^a", action="drop"))
    assert counts(kernel, "a:1|c", "b:1|c", "c:1|c") == {"b": "1", "c": "1"}
    assert kernel.flush(1).tally.dropped_by_rules == 0


def test_what_is_dropped_is_counted(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", action="drop"))
    kernel.feed(b"a:1|c:2|c\na.b:1|ms\nb:1|c")
    kernel.feed(b"a:1|c")
    tally = kernel.flush(1).tally
    assert (tally.dropped_by_rules, tally.lines, tally.series) == (4, 4, 1)


def test_with_keep_what_no_rule_fits_is_dropped(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", action="keep"), Rule("^b", rename=("c",)))
    assert counts(kernel, "a:1|c", "b:1|c", "x:1|c") == {"a": "1", "c": "1"}


def test_names_that_become_one_are_one_series_in_order_of_arrival(kernel: Kernel) -> None:
    configured(kernel, Rule(r"^h[0-9]\.(.*)$", rename=(1,)))
    kernel.feed(b"g:1|g\nh1.g:5|g\nh2.g:+2|g\nh1.s:a|s\nh2.s:a|s\ns:b|s")
    values = text_of(kernel.flush(1))
    assert (values["gauges.g"], values["sets.s.count"]) == ("7", "2")


def test_a_target_whose_own_name_leads_elsewhere(kernel: Kernel) -> None:
    configured(kernel, Rule("^a$", rename=("b",)), Rule("^b$", rename=("c",)))
    for _ in range(2):
        assert counts(kernel, "a:1|c", "b:2|c", "c:4|c", "a:8|c") == {"b": "9", "c": "6"}


def test_tags_are_set_removed_and_honored(kernel: Kernel) -> None:
    set_both = (("env", ("prod",)), ("new", ("x",)))
    configured(
        kernel,
        Rule("^a", tags=set_both, remove_tags=("gone",)),
        Rule("^b", tags=set_both, honor_tags=True),
        Rule("^c", remove_tags=("*",)),
        Rule("^d", with_tags=(("env", "qa"), ("zone", "*")), action="drop"),
    )
    tags = "|#env:qa,gone:1"
    assert counts(kernel, f"a:1|c{tags}", f"b:1|c{tags}", f"c:1|c{tags}", f"d:1|c{tags}", "d:1|c|#zone:z,env:qa") == {
        "a;env=prod;new=x": "1",
        "b;env=qa;gone=1;new=x": "1",
        "c": "1",
        "d;env=qa;gone=1": "1",
    }


def test_static_tags_give_way_to_a_series_own(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", rename=("b",)), tags=(("env", "prod"),))
    expected = {"b;env=prod": "2", "c;env=prod": "1", "c;env=qa": "1"}
    assert counts(kernel, "a:1|c", "b:1|c", "c:1|c", "c:1|c|#env:qa") == expected


def test_values_are_scaled(kernel: Kernel) -> None:
    configured(kernel, Rule("", scale=0.5))
    assert flushed(kernel, b"c:4|c|@0.5\nt:10|ms\ng:8|g\ng:-2|g\ns:x|s") == {
        "counters.c.rate": "4",
        "counters.c.count": "4",
        "timers.t.count": "1",
        "timers.t.mean": "5",
        "gauges.g": "3",
        "sets.s.count": "1",
    }


def test_a_sample_stands_for_all_it_was_taken_from(kernel: Kernel) -> None:
    configured(kernel, Rule("^[ct]", sample=0.1), Rule("^g", sample=0.001))
    kernel.feed(b"c:1|c\nt:7|ms\n" * 20_000)
    kernel.feed(b"g:3|g")
    values = text_of(kernel.flush(10))
    assert 18_500 < float(values["counters.c.count"]) < 21_500
    assert 18_500 < float(values["timers.t.count"]) < 21_500
    assert (values["timers.t.mean"], values["gauges.g"]) == ("7", "3")


def test_figures_are_a_rules_own(kernel: Kernel) -> None:
    own = Rule("^t", percentiles=(50.0,), histogram=(5.0, float("inf")), statistics=("upper_percent", "histogram"))
    configured(kernel, own)
    assert flushed(kernel, b"t:1|ms:9|ms\nu:3|ms") == {
        "timers.u.count": "1",
        "timers.u.mean": "3",
        "timers.t.upper_50": "1",
        "timers.t.histogram.bin_5": "1",
        "timers.t.histogram.bin_inf": "1",
    }


def test_a_rule_says_which_timers_have_cumulative_bins_and_which_a_sketch(kernel: Kernel) -> None:
    bins = (Histogram("", (5.0,)),)
    rules = (Rule("^t", sketch=True, cumulative=True), Rule("^u", sketch=False, cumulative=False))
    lines = b"s:5|ms\nt:5|ms\nu:5|ms"
    for everywhere in (False, True):
        kernel.configure(Aggregation(rules=rules, histograms=bins, sketch=everywhere, cumulative=everywhere))
        kernel.feed(lines, "", "statsd")
        blocks = {block.names: block for block in kernel.flush(1).blocks}
        assert [bool(blocks[name].sketches) for name in (b"s", b"t", b"u")] == [everywhere, True, False]
        names = [blocks[name].columns[-1].name for name in (b"s", b"t", b"u")]
        assert names == [f"histogram.{'le' if everywhere else 'bin'}_5", "histogram.le_5", "histogram.bin_5"]


def test_a_series_may_be_flushed_every_few_windows(kernel: Kernel) -> None:
    configured(kernel, Rule("^slow", every=3))
    lines = b"slow:1|c\nslow:1|ms\nslow:m|s\nslow:+1|g\nfast:1|c"
    windows = [flushed(kernel, lines.replace(b"m|", b"%d|" % window), seconds=10) for window in range(4)]
    assert [list(window) for window in (windows[0], windows[1], windows[3])] == [
        ["counters.fast.rate", "counters.fast.count"]
    ] * 3
    slow = {path: text for path, text in windows[2].items() if "slow" in path}
    assert slow == {
        "counters.slow.rate": "0.1",
        "counters.slow.count": "3",
        "timers.slow.count": "3",
        "timers.slow.mean": "1",
        "gauges.slow": "3",
        "sets.slow.count": "3",
    }
    assert text_of(kernel.flush(5, last=True))["counters.slow.count"] == "1"


def test_held_samples_and_members_keep_to_the_limits(kernel: Kernel) -> None:
    configured(kernel, Rule("", every=3), max_samples=3, max_set_members=3)
    tallies = []
    for window in range(4):
        kernel.feed(b"t:1|ms:2|ms\ns:%d|s:x%d|s" % (window, window))
        tallies.append(kernel.flush(1).tally)
    assert [(tally.samples_over_limit, tally.members_over_limit) for tally in tallies] == [(0, 0), (0, 0), (2, 0), (0, 0)]


@pytest.mark.parametrize(
    ("rule", "rest", "flushes"),
    [
        (None, {"expire_counters": 2}, 2),
        (None, {"expire_counters": 2, "delete_counters": True}, 2),
        (Rule("", expire=3), {"expire_counters": 2}, 3),
        (Rule("", expire=0), {"delete_counters": True}, 5),
        (None, {"expire_counters": 2, "keep": ("a",)}, 5),
        (Rule("", expire=1), {"keep": ("a",)}, 1),
        (None, {"expire_gauges": 1}, 5),
    ],
)
def test_a_series_is_reported_for_so_many_flushes(
    rule: Rule | None, rest: dict[str, Any], flushes: int, kernel: Kernel
) -> None:
    configured(kernel, *([rule] if rule else []), **rest)
    seen = [len(counts(kernel, *(["a:1|c"] if not window else []))) for window in range(5)]
    assert seen == [1] * flushes + [0] * (5 - flushes)


@pytest.mark.parametrize(("kind", "line"), [("timers", "a:1|ms"), ("gauges", "a:1|g"), ("sets", "a:x|s")])
def test_each_kind_expires_by_its_own_setting(kind: str, line: str, kernel: Kernel) -> None:
    configured(kernel, **{f"expire_{kind}": 2})
    seen = [len(flushed(kernel, *([line.encode()] if not window else []))) > 0 for window in range(4)]
    assert seen == [True, True, False, False]


def test_other_rules_work_at_once_and_lose_nothing_of_the_window(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", rename=("b",)), Rule("^d", action="drop"))
    kernel.feed(b"a:1|c\nd:1|c\ne:1|c")
    configured(kernel, Rule("^a", rename=("c",)), Rule("^e", action="drop"))
    kernel.feed(b"a:2|c\nd:2|c\ne:2|c")
    configured(kernel)
    assert counts(kernel, "a:4|c", "e:4|c") == {"b": "1", "e": "5", "c": "2", "d": "2", "a": "4"}


def test_a_series_that_expired_is_made_anew_by_the_key_that_led_to_it(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", rename=("b",)), expire_counters=1)
    for window in range(3):
        assert counts(kernel, "a:1|c") == {"b": "1"}
        assert counts(kernel, f"x{window}:1|c") == {f"x{window}": "1"}


def test_a_pattern_that_is_none_is_refused_and_the_old_rules_stay(kernel: Kernel) -> None:
    configured(kernel, Rule("^a", action="drop"))
    with pytest.raises(ValueError, match=r"rule .*\("):
        configured(kernel, Rule("("))
    assert counts(kernel, "a:1|c", "b:1|c") == {"b": "1"}
