"""Which traces are kept: by the policy, and in the buffer where their spans wait."""

from __future__ import annotations

from collections import Counter

import pytest

from nilometer.core.traces.rules import Chosen, Measured
from nilometer.core.traces.span import Span, Status
from nilometer.core.traces.summary import summarise
from nilometer.testing.trace_examples import MS, START, number, request, several
from nilometer.traces.policy import Decider, Policy, chance
from nilometer.traces.sampling import Sampler

NOTHING = Policy(part=0, errors=False)


def sampler(policy: Policy, *, traces: int = 100, spans: int = 1000) -> Sampler:
    return Sampler(policy, wait=10, traces=traces, spans=spans)


def span(trace: int, nr: int = 0, status: Status = "unset") -> Span:
    return Span(number(trace, 32), number(nr), "", "n", START, START + MS, status=status)


def test_errors_and_slow_traces_are_always_kept() -> None:
    decider = Decider(Policy(part=0, slower=25 * MS))
    assert decider.decide(summarise(request(error=True)), 0) == "error"
    assert decider.decide(summarise(request()), 0) == "slow"
    assert decider.decide(summarise(request(took=24 * MS)), 0) == "part"
    assert Decider(NOTHING).decide(summarise(request(error=True)), 0) == "part"


def test_chance_keeps_about_its_part_and_the_same_traces_everywhere() -> None:
    policy = Policy(part=0.25)
    ids = [f"{nr * 0x9E3779B97F4A7C15 % (1 << 64):032x}" for nr in range(1, 4001)]
    kept = {each for each in ids if chance(each) < policy.part}
    assert 900 < len(kept) < 1100
    assert kept == {each for each in ids if Decider(policy).decide(summarise([span(0)._replace(trace=each)]), 0) == "chance"}
    assert kept <= {each for each in ids if chance(each) < 0.5}


def test_the_rate_bounds_what_chance_keeps_and_not_what_is_always_kept() -> None:
    decider = Decider(Policy(rate=2))
    at_once = [decider.decide(summarise(request(nr)), 5.0) for nr in range(4)]
    assert at_once == ["chance", "chance", "rate", "rate"]
    assert decider.decide(summarise(request(error=True)), 5.0) == "error"
    assert [decider.decide(summarise(request(nr)), 5.5) for nr in range(2)] == ["chance", "rate"]


def test_a_rate_of_less_than_one_a_second_keeps_one_now_and_then() -> None:
    decider = Decider(Policy(rate=0.1))
    kept = [decider.decide(summarise(request(second)), float(second)) for second in range(21)]
    assert Counter(kept) == {"chance": 3, "rate": 18}


def test_a_rule_about_a_root_stands_in_place_of_the_part_of_all() -> None:
    policy = Policy(part=0, rules=(Chosen.read("shop/GET /health=0"), Chosen.read("shop/*=1")))
    assert [policy.part_of("shop", name) for name in ("GET /health", "GET /cart")] == [0, 1]
    assert policy.part_of("other", "GET /cart") == 0


@pytest.mark.parametrize("wrong", ["", "a/b", "a=1", "a/b=2", "a/b=-1", "a/b=x", "a/b=nan"])
def test_what_is_no_rule_of_sampling_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected SERVICE/NAME=PART"):
        Chosen.read(wrong)


@pytest.mark.parametrize("wrong", ["", "a/b", "a=b", "a/b=", "a/b={nothing}", "a/b={name}}", "a/b={"])
def test_what_is_no_rule_of_metrics_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected|template|asks for|needs a name"):
        Measured.read(wrong)


def test_where_all_is_kept_nothing_waits() -> None:
    buffer = sampler(Policy())
    found = buffer.take(request(), 7, 0)
    assert [number for _, number in found.kept] == [7, 7, 7]
    assert buffer.traces == buffer.held == 0


def test_a_trace_waits_for_its_spans_and_is_decided_as_a_whole() -> None:
    buffer = sampler(Policy(part=0, slower=25 * MS))
    root, call, statement = request(took=24 * MS)
    late = call._replace(id=number(9), start=START + 20 * MS, end=START + 26 * MS)
    assert not buffer.take([root, call], 1, 0).kept
    assert not buffer.take([statement, late], 2, 5).kept
    assert not buffer.due(9.9).kept
    assert buffer.due(10).kept == [(root, 1), (call, 1), (statement, 2), (late, 2)]
    assert buffer.counts["slow"] == 1


def test_spans_that_come_after_the_decision_follow_it() -> None:
    buffer = sampler(Policy(part=0))
    buffer.take([span(1)], 1, 0)
    buffer.take([span(2, status="error")], 2, 0)
    assert buffer.due(10).dropped == {1: 1}
    assert buffer.take([span(1, 5)], 3, 11).dropped == {3: 1}
    assert buffer.take([span(2, 5)], 4, 11).kept == [(span(2, 5), 4)]


def test_a_span_that_decides_alone_lets_its_trace_go_on_at_once() -> None:
    buffer = sampler(Policy(part=0))
    buffer.take([span(1)], 1, 0)
    failed = span(1, 2, status="error")
    assert buffer.take([failed, span(1, 3)], 2, 1).kept == [(span(1), 1), (failed, 2), (span(1, 3), 2)]


@pytest.mark.parametrize("bounds", [{"traces": 3}, {"spans": 9}])
def test_the_buffer_is_bounded_and_the_oldest_are_decided_upon_first(bounds: dict[str, int]) -> None:
    buffer = sampler(Policy(part=0, errors=False), **bounds)
    gone = [buffer.take(trace, nr, nr).gone for nr, trace in enumerate(several(5))]
    assert gone == [[], [], [], [number(0, 32)], [number(1, 32)]]
    assert (buffer.traces, buffer.held, buffer.early) == (3, 9, 2)


def test_what_is_remembered_of_decisions_is_bounded() -> None:
    buffer = sampler(NOTHING, traces=2)
    for nr in range(100):
        buffer.take([span(nr)], nr, 0)
    buffer.due(100)
    assert len(buffer._decided) == 8


def test_a_policy_that_keeps_all_lets_go_what_waits() -> None:
    buffer = sampler(NOTHING)
    buffer.take([span(1)], 1, 0)
    buffer.use(Policy(), wait=10, traces=1, spans=1)
    assert buffer.due(0.1).kept == [(span(1), 1)]


def test_every_span_that_comes_in_goes_out_kept_or_dropped() -> None:
    buffer = sampler(Policy(part=0.5, rate=3), traces=5, spans=40)
    kept, dropped = 0, 0
    for nr in range(300):
        for found in (buffer.take([span(nr * 7 % 50, nr)], nr, nr / 10), buffer.due(nr / 10)):
            kept += len(found.kept)
            dropped += found.dropped.total()
    last = buffer.due(1000)
    assert kept + len(last.kept) + dropped + last.dropped.total() == 300
    assert buffer.held == 0
