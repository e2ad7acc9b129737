"""Request metrics under the servers of ASGI: what only that protocol has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps.kinds import ASGI

if TYPE_CHECKING:
    from nilometer.testing.apps.site import Site

pytestmark = pytest.mark.parametrize("measured", [kind.name for kind in ASGI], indirect=True)


def test_websockets_pass_through_and_tell_nothing(measured: Site) -> None:
    with measured.connect() as connection:
        assert connection.upgrade("/socket/hello").startswith(b"HTTP/1.1 101")
        assert connection.say(b"measured?") == b"measured?"
    measured.ask("/after_socket/hello")
    measured.values("resp_size_bytes", "after_socket")
    assert not [name for name in measured.catcher.names() if name.endswith(".socket")]


def test_requests_that_run_at_the_same_time_are_told_apart(measured: Site) -> None:
    with measured.connect() as slow, measured.connect() as quick:
        slow.head("GET", "/same_slow/slow?seconds=0.3", Connection="close")
        measured.entered("same_slow")
        assert quick.request("GET", "/same_quick/hello").body == b"hello\n"
        assert len(measured.values("resp_size_bytes", "same_quick")) == 1
        assert slow.answer().body == b"slept\n"
    (long,), (short,) = measured.values("timing", "same_slow"), measured.seen("timing", "same_quick")
    assert long >= 285
    assert short < long


def test_a_client_that_leaves_before_a_slow_answer_is_noticed(measured: Site) -> None:
    connection = measured.connect()
    connection.head("GET", "/left/slow?seconds=0.5")
    measured.entered("left")
    connection.finish()
    assert measured.values("send_errors", "left") == [1]
    assert not measured.seen("resp_size_bytes", "left")
