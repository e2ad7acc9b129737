"""One request's measurements: the times that follow from what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.emit.requests.measure import Exchange, announced


def test_a_latency_is_divided_without_a_rest() -> None:
    exchange = Exchange(100.0, "PUT", expected=8)
    exchange.received(0.5, 4)
    exchange.dispatched(101.0, "put_item")
    exchange.received(0.25, 4)
    exchange.started(102.0, 200)
    exchange.received(0.125, 0)
    exchange.sent(0.5, 10)
    exchange.sent(0.75, 20)
    exchange.closed(104.0)
    assert exchange.latency == 4.0
    assert exchange.dispatch == 0.5
    assert exchange.request_processing == 1.25
    assert exchange.response_processing == 0.625
    assert (exchange.receive_seconds, exchange.receive_bytes) == (0.875, 8)
    assert (exchange.send_seconds, exchange.send_bytes) == (1.25, 30)
    assert (exchange.endpoint, exchange.outcome) == ("put_item", 200)


times = st.floats(0, 1000)


@given(times, st.lists(times, max_size=3), times, st.lists(times, max_size=3), times)
def test_the_parts_of_a_latency_make_it_up(
    before: float, receive: list[float], processing: float, send: list[float], after: float
) -> None:
    now = before
    exchange = Exchange(now)
    for seconds in receive:
        now += seconds
        exchange.received(seconds, 1)
    now += processing
    exchange.started(now, 200)
    for seconds in send:
        now += seconds
        exchange.sent(seconds, 1)
    now += after
    exchange.closed(now)
    parts = exchange.receive_seconds + exchange.request_processing + (exchange.response_processing or 0) + exchange.send_seconds
    assert parts == pytest.approx(exchange.latency, abs=1e-6)
    assert exchange.response_processing == pytest.approx(after, abs=1e-6)


def test_the_first_entry_and_the_last_name_of_an_endpoint_count() -> None:
    exchange = Exchange(0.0)
    exchange.dispatched(1.0)
    exchange.dispatched(2.0, "outer")
    exchange.dispatched(3.0, "inner")
    assert (exchange.dispatch, exchange.endpoint) == (1.0, "inner")


def test_a_response_that_is_begun_anew_counts_from_there() -> None:
    exchange = Exchange(0.0)
    exchange.started(1.0, 200)
    exchange.started(2.0, 500)
    exchange.closed(3.0)
    assert (exchange.request_processing, exchange.response_processing, exchange.outcome) == (2.0, 1.0, 500)


def test_a_body_that_ends_before_its_length_is_an_error() -> None:
    whole, short, unknown = Exchange(0.0, expected=3), Exchange(0.0, expected=4), Exchange(0.0)
    for exchange in (whole, short, unknown):
        exchange.received(0.0, 3)
        exchange.receive_ended()
    assert [exchange.receive_error for exchange in (whole, short, unknown)] == [False, True, False]


def _outcome(*, status: int = 0, exception: bool = False, receive: str = "", send: bool = False) -> int:
    exchange = Exchange(0.0)
    if status:
        exchange.started(0.0, status)
    if exception:
        exchange.failed()
    if receive:
        exchange.receive_failed(timeout=receive == "timeout")
    if send:
        exchange.send_failed()
    return exchange.outcome


def test_what_became_of_a_request() -> None:
    assert _outcome(status=204) == 204
    assert _outcome(exception=True) == 500
    assert _outcome(status=200, exception=True) == 500
    assert _outcome() == 500
    assert _outcome(receive="error") == 499
    assert _outcome(exception=True, receive="timeout") == 499
    assert _outcome(status=400, receive="error") == 400
    assert _outcome(status=200, send=True) == 200
    assert _outcome(status=200, exception=True, send=True) == 200


def test_a_single_wait_beyond_the_bound_is_a_timeout() -> None:
    exchange = Exchange(0.0)
    for _ in range(5):
        exchange.received(1.0, 1)
        exchange.sent(2.0, 1)
    exchange.judge(1.0, 2.0)
    assert (exchange.receive_timeout, exchange.send_timeout) == (False, False)
    exchange.judge(0, 1.5)
    assert (exchange.receive_timeout, exchange.send_timeout) == (False, True)
    exchange.judge(0.5, 0)
    assert exchange.receive_timeout


def test_a_request_that_never_began_an_answer_was_processing_all_the_time() -> None:
    exchange = Exchange(10.0)
    exchange.received(1.0, 0)
    assert exchange.latency == 0.0
    exchange.closed(14.0)
    assert (exchange.request_processing, exchange.response_processing, exchange.dispatch) == (3.0, None, None)


def test_a_length_is_a_number_or_nothing() -> None:
    assert [announced(text) for text in ("0", "12", None, "", "-1", "+1", "1e3", "²", "9" * 19)] == [0, 12] + [None] * 7
