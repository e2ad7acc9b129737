"""How long a request waited: what headers and the kernel tell."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.emit.requests import waits

NOW = 1_795_321_176.550


@pytest.mark.parametrize(
    "text",
    ["t=1795321176.050", "1795321176.050", "1795321176050", "t=1795321176050", "t=1795321176050000", "1795321176050000000"],
)
def test_the_unit_of_a_moment_is_known_by_its_size(text: str) -> None:
    assert waits.told([None, text], NOW, 600) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["", "t=", "nan", "-5", "1e9", "t=abc", "9" * 21, "9" * 5000, "\uff11\uff17\uff19\uff15", "0", "5"]
)
def test_what_is_no_moment_is_nothing(text: str) -> None:
    assert waits.told([text], NOW, 600) is None


def test_a_wait_is_never_negative_and_never_unbelievable() -> None:
    assert waits.told([str(NOW + 100)], NOW, 600) == 0
    assert waits.told([str(NOW - 599)], NOW, 600) == pytest.approx(599)
    assert waits.told([str(NOW - 601)], NOW, 600) is None


def test_of_two_proxies_the_first_counts() -> None:
    assert waits.told([f"t={NOW - 2}", f"t={NOW - 1}"], NOW, 600) == pytest.approx(2)
    assert waits.told([f"t={NOW - 3}, t={NOW - 1}"], NOW, 600) == pytest.approx(3)


@given(st.text(), st.floats(0, 4e9))
def test_whatever_a_client_sends_a_wait_is_bounded(text: str, now: float) -> None:
    wait = waits.told([text, "t=" + text], now, 600)
    assert wait is None or 0 <= wait <= 600


def test_the_kernel_tells_since_when_data_lies_on_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        served, _ = server.accept()
        with served:
            client.sendall(b"GET")
            served.recv(3)
            wait = waits.on_connection(served)
    assert wait is not None
    assert 0 <= wait < 60


def test_what_is_no_tcp_connection_tells_nothing() -> None:
    left, right = socket.socketpair()
    with left, right:
        assert waits.on_connection(left) is None
    assert waits.on_connection(None) is None
    closed = socket.socket()
    closed.close()
    assert waits.on_connection(closed) is None
