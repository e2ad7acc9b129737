"""What tests of real application servers stand on: the catcher of StatsD datagrams, the commands of the servers."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps.catcher import Catcher, Line
from nilometer.testing.apps.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.apps.kinds import Kind


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    made = Catcher()
    yield made
    made.close()


def send(catcher: Catcher, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        for datagram in datagrams:
            link.sendto(datagram, ("127.0.0.1", catcher.port))


def test_lines_are_kept_with_rate_and_tags(catcher: Catcher) -> None:
    send(catcher, b"a.b:1.5|ms|@0.5|#host:h,endpoint:e\na.b:2|ms", b"c:3|c|@0.1\n")
    assert catcher.wait("c") == [3]
    assert catcher.named("a.b") == [
        Line("a.b", 1.5, "ms", 0.5, {"host": "h", "endpoint": "e"}),
        Line("a.b", 2, "ms", 1, {}),
    ]
    assert catcher.values("a.b", host="h") == [1.5]
    assert catcher.total("c") == pytest.approx(30)


def test_what_is_no_line_is_kept_apart(catcher: Catcher) -> None:
    send(catcher, b"a:b:1|c", b"good:1|c")
    catcher.wait("good")
    assert catcher.bad == ["a:b:1|c"]
    assert catcher.names() == {"good"}


def test_what_does_not_come_is_told_with_what_came(catcher: Catcher) -> None:
    send(catcher, b"other:1|c")
    catcher.wait("other")
    with pytest.raises(TimeoutError, match="name='other'"):
        catcher.wait("wanted", patience=0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_command_names_port_and_application(kind: Kind) -> None:
    arguments = kind.arguments(8000, "module:app", "--extra")
    assert any("8000" in argument for argument in arguments)
    assert {"module:app", "--extra"} <= set(arguments)
    assert arguments[0].startswith(sys.prefix)
