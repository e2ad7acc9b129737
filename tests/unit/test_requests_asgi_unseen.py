"""Whatever application and server do, neither sees the ASGI middleware, and the sums are right."""

from __future__ import annotations

from typing import Any, NamedTuple
from unittest import mock

import hypothesis
from hypothesis import example
from hypothesis import strategies as st

from nilometer.emit.requests import asgi, asgi_scope, asgi_traffic, asgi_watch, endpoints
from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.testing.asgi_script import DISCONNECT, ScriptedServer, body, http_scope, part, start
from nilometer.testing.clock import ManualClock
from nilometer.testing.recorder import Recorder

SIZES = st.integers(0, 5)
ACTS = st.one_of(
    st.just(("receive",)),
    st.just(("work",)),
    st.tuples(st.just("send"), st.builds(start, st.sampled_from([200, 204, 304, 404, 500]))),
    st.tuples(st.just("send"), st.builds(start, st.just(200), st.just((b"content-length", b"50")))),
    st.tuples(st.just("send"), st.builds(lambda n, more: body(bytes(n), more=more), SIZES, st.booleans())),
    st.just(("send", {"type": "http.response.early_hint", "links": []})),
    st.just(("raise", KeyError)),
)
PIECES = st.lists(st.builds(lambda n, more: part(bytes(n), more=more), SIZES, st.booleans()))
EVENTS = st.builds(lambda pieces, gone: pieces + [DISCONNECT] * gone, PIECES, st.booleans())
REFUSED = st.dictionaries(st.integers(0, 4), st.sampled_from([ConnectionResetError, TimeoutError, RuntimeError]), max_size=1)
SCOPES = st.sampled_from(
    [
        http_scope(),
        http_scope("HEAD"),
        http_scope("POST", headers=[(b"content-length", b"5")]),
        http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]),
    ]
)
PARTS = ("receive_timing", "processing_timing", "resp_processing_timing", "send_timing")


class Seen(NamedTuple):
    """What both sides saw: what came to the application, how much of that during the response, what the server got, the end."""

    received: list[Any]
    timely: int
    sent: list[Any]
    end: str


class Endless(ScriptedServer):
    """A server whose client leaves when the script is at its end."""

    async def receive(self) -> Any:  # noqa: ANN401 a message
        """Return the next event."""
        if not self._left:
            self.leave()
        return await super().receive()

    def leave(self) -> None:
        """Be left, but only at the end of the script: what comes does not hang on who asks for it."""
        if not self._left:
            super().leave()


def played(
    acts: list[Any], events: list[Any], scope: dict[str, Any], refused: dict[int, type[Exception]], recorder: Recorder | None
) -> Seen:
    """Play a script, measured or bare, by a clock of its own."""
    clock = ManualClock()
    raises: dict[int, BaseException] = {number: error("refused") for number, error in refused.items()}
    server = Endless(events, clock, receive_seconds=0.5, send_seconds=0.25, raises=raises)
    received: list[Any] = []
    timely = 0

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        nonlocal timely
        for what, *given in acts:
            if what == "receive":
                received.append(await receive())
                timely += not whole(server.sent)
            elif what == "work":
                clock.advance(0.125)
            elif what == "send":
                await send(*given)
            else:
                raise given[0]

    end = "returned"
    application: Any = app if recorder is None else RequestMetrics(app, client=recorder, host="", groups={"node"})
    modules = (asgi, asgi_scope, asgi_traffic, asgi_watch, endpoints)
    patches = [mock.patch.object(module, "perf_counter", clock.monotonic) for module in modules]
    for patch in patches:
        patch.start()
    try:
        server.run(application, dict(scope))
    except Exception as error:  # noqa: BLE001 it is compared
        end = repr(error)
    finally:
        mock.patch.stopall()
    return Seen(received, timely, list(server.sent), end)


def whole(sent: list[Any]) -> bool:
    """Tell whether a response is at its end."""
    kinds = [message["type"] for message in sent]
    begun = kinds.index("http.response.start") if "http.response.start" in kinds else len(kinds)
    return any(message["type"] == "http.response.body" and not message["more_body"] for message in sent[begun:])


def upload(received: list[Any]) -> int:
    """Return the bytes of a request that the application got."""
    total = 0
    for message in received:
        if message == DISCONNECT:
            break
        total += len(message["body"])
        if not message["more_body"]:
            break
    return total


def download(sent: list[Any], method: str) -> int:
    """Return the bytes of a response that were given to the server until it was at its end."""
    total, status = 0, 0
    for message in sent:
        status = status or message.get("status", 0)
        if status and message["type"] == "http.response.body":
            total += 0 if method == "HEAD" or status in {204, 304} else len(message["body"])
            if not message["more_body"]:
                break
    return total


@hypothesis.given(st.lists(ACTS, max_size=8), EVENTS, SCOPES, REFUSED)
@example([("send", start()), ("send", body(b"x", more=True)), ("receive",), ("receive",)], [part()], http_scope(), {})
@example([("work",), ("send", start()), ("receive",), ("send", body(b"x"))], [part()], http_scope(), {})
def test_nobody_sees_it_and_the_sums_are_right(
    acts: list[Any], events: list[Any], scope: dict[str, Any], refused: dict[int, type[Exception]]
) -> None:
    recorder = Recorder()
    seen = played(acts, events, scope, refused, recorder)
    assert seen == played(acts, events, scope, refused, None)
    told = {line.stat.removeprefix("mdb.req."): line.value for line in recorder.lines}
    assert len(told) == len(recorder.lines), "a request is told of once"
    assert told["timing"] >= 0
    sums = sum(told.get(name, 0) for name in PARTS)
    assert told["timing"] - (0 if "receive_timing" in told else 500 * len(events)) <= sums + 0.01
    assert sums <= told["timing"] + 0.01
    if not told.keys() & {"receive_errors", "send_errors", "receive_timeouts", "send_timeouts"}:
        assert told.get("size_bytes", 0) == upload(seen.received[: seen.timely])
        assert told.get("resp_size_bytes", 0) == download(seen.sent, scope["method"])
    if seen.end != "returned" and not whole(seen.sent):
        assert told.keys() & {"failures", "receive_errors", "send_errors", "send_timeouts"}
