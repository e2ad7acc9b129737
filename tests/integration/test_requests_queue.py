"""The queue of connections that wait to be accepted, under real servers."""

from __future__ import annotations

import contextlib
import socket

import pytest

from nilometer.testing.apps.kinds import KINDS, TRIALS
from nilometer.testing.apps.site import series, site
from nilometer.testing.waiting import until

APP = "nilometer.testing.apps.queued_{}:application"
WAITING = 4


def test_connections_that_wait_are_told_of_while_all_workers_are_busy() -> None:
    more = ("--workers", "2", "--backlog", "64")
    with site("gunicorn sync", *more, app=APP.format("wsgi")) as queued, contextlib.ExitStack() as clients:
        port = queued.server.port
        holders = [clients.enter_context(queued.connect()) for _ in range(2)]
        for holder in holders:
            holder.head("POST", "/holder/echo", **{"Content-Length": 1})
        queued.entered("holder", 2)
        for _ in range(WAITING):
            clients.enter_context(socket.create_connection(("127.0.0.1", port)))
        queue = series("backlog", str(port))
        until(lambda: WAITING in queued.catcher.values(queue), "the queue is told of", told=queued.catcher.told)
        assert set(queued.catcher.values(series("backlog_limit", str(port)))) == {64}
        for holder in holders:
            holder.pieces([b"x"])
            assert holder.answer().status == 200


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_every_server_shows_its_queue(name: str) -> None:
    with site(name, app=APP.format(KINDS[name].interface)) as queued:
        assert queued.ask("/first/hello").status == 200
        port = queued.server.port
        assert queued.catcher.wait(series("backlog", str(port)))[0] >= 0
        assert queued.catcher.wait(series("backlog_limit", str(port)))[0] > 0
