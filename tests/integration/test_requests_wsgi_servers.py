"""Request metrics under the servers of WSGI: what only that protocol has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps import wsgi
from nilometer.testing.apps.kinds import WSGI

if TYPE_CHECKING:
    from nilometer.testing.apps.site import Site

pytestmark = pytest.mark.parametrize("measured", [kind.name for kind in WSGI], indirect=True)
LEAST = 100
"""Milliseconds of a wait behind another request, which takes half a second, however slow this machine is to ask."""


def test_wsgirefs_validator_finds_nothing_on_either_side(measured: Site) -> None:
    asked = [
        measured.ask("/validated/hello"),
        measured.ask("/validated/echo", "POST", b"12345"),
        measured.ask("/validated/stream"),
        measured.ask("/validated/head", "HEAD"),
        measured.ask("/validated/nothing"),
    ]
    assert [answer.status for answer in asked] == [200, 200, 200, 200, 404], measured.server.told()
    assert len(measured.values("timing", "validated", 4)) == 4
    assert measured.seen("size_bytes", "validated") == [5]
    assert not measured.server.said("AssertionError"), measured.server.told()


def test_a_file_is_sent_as_the_server_does_and_its_bytes_are_counted(measured: Site) -> None:
    with open(wsgi.__file__, "rb") as source:  # noqa: PTH123 a file to compare with
        wanted = source.read()
    assert measured.ask("/file/file").body == wanted
    assert measured.values("resp_size_bytes", "file") == [len(wanted)]
    assert not measured.seen("send_errors", "file")


def test_a_request_in_the_queue_of_a_busy_server_has_waited(measured: Site) -> None:
    """gunicorn shows the connection, so that the wait is known without a proxy."""
    holder = threading.Thread(target=measured.ask, args=("/holder/slow?seconds=0.5",))
    holder.start()
    measured.entered("holder")
    assert measured.ask("/queued/hello").status == 200
    holder.join()
    measured.values("resp_size_bytes", "queued")
    waited = measured.values("wait_timing", "queued") if measured.name.startswith("gunicorn") else []
    assert measured.seen("wait_timing", "queued") == waited
    if measured.name == "gunicorn sync":  # one request at a time
        assert waited[0] > LEAST
