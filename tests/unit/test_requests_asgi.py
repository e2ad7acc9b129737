"""The ASGI middleware over a server that follows a script: what it measures of good and bad requests."""

from __future__ import annotations

import asyncio
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.emit.requests import asgi, asgi_scope, asgi_traffic, asgi_watch, endpoints
from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.testing.asgi_script import DISCONNECT, ScriptedServer, body, http_scope, part, start
from nilometer.testing.clock import ManualClock
from nilometer.testing.recorder import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.testing.asgi_script import Application

LENGTH = b"content-length"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    made = ManualClock()
    for module in (asgi, asgi_scope, asgi_traffic, asgi_watch, endpoints):
        monkeypatch.setattr(module, "perf_counter", made.monotonic)
    return made


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def of(recorder: Recorder) -> dict[str, float]:
    """Return the node's lines of one request."""
    assert len(recorder.stats()) == len(set(recorder.stats())), "a request is told of once"
    return {line.stat.removeprefix("mdb.req."): line.value for line in recorder.lines}


def measured(app: Application, recorder: Recorder, **options: Any) -> RequestMetrics:  # noqa: ANN401 as Options takes them
    return RequestMetrics(app, **{"client": recorder, "host": "", "groups": {"node"}, **options})


def post(length: int | None = None) -> dict[str, Any]:
    """Return the scope of an upload, its length announced or chunked."""
    header = (b"transfer-encoding", b"chunked") if length is None else (LENGTH, b"%d" % length)
    return http_scope("POST", headers=[header])


def answering(*messages: dict[str, Any]) -> Application:
    """Return an application that looks at nothing and sends messages."""

    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        for message in messages:
            await send(message)

    return app


async def read_all(receive: Any) -> int:  # noqa: ANN401
    """Read a body to its end, or to where the client leaves; return its bytes."""
    total = 0
    while (message := await receive())["type"] == "http.request":
        total += len(message["body"])
        if not message["more_body"]:
            break
    return total


async def upload(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    """Read a body, then say how long it was."""
    await read_all(receive)
    await send(start())
    await send(body(b"done"))


def test_each_part_of_a_request_has_its_time(clock: ManualClock, recorder: Recorder) -> None:
    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        clock.advance(0.1)
        endpoints.entered("upload")
        await receive()
        clock.advance(0.2)
        await send(start())
        await receive()
        clock.advance(0.3)
        await send(body(b"abc", more=True))
        clock.advance(0.4)
        await send(body(b"de"))

    server = ScriptedServer([part(b"1234", more=True), part(b"56")], clock, receive_seconds=0.25, send_seconds=1.0)
    server.run(measured(app, recorder), post(6))
    assert of(recorder) == {
        "timing": pytest.approx(4500),
        "dispatch_timing": pytest.approx(100),
        "processing_timing": pytest.approx(300),
        "resp_processing_timing": pytest.approx(700),
        "receive_timing": pytest.approx(500),
        "send_timing": pytest.approx(3000),
        "size_bytes": 6,
        "resp_size_bytes": 5,
    }


def test_what_goes_on_after_the_response_is_no_part_of_it(clock: ManualClock, recorder: Recorder) -> None:
    seen = []

    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        await send(start())
        await send(body(b"done"))
        seen.append(recorder.values("mdb.req.timing"))
        clock.advance(60)
        message = "in the background"
        raise ValueError(message)

    with pytest.raises(ValueError, match="in the background"):
        ScriptedServer(clock=clock, send_seconds=1).run(measured(app, recorder))
    assert seen == [[pytest.approx(2000)]], "it is told of as soon as it is over"
    assert "failures" not in of(recorder)


@pytest.mark.parametrize(
    ("scope", "events", "told"),
    [
        (post(10), [part(b"1234", more=True), DISCONNECT], {"receive_errors": 1, "size_bytes": 4}),
        (post(), [part(b"1234", more=True), DISCONNECT], {"receive_errors": 1, "size_bytes": 4}),
        (post(10), [DISCONNECT], {"receive_errors": 1}),
        (post(10), [part(b"1234")], {"receive_errors": 1, "size_bytes": 4}),
        (post(4), [part(b"1234", more=True), DISCONNECT], {"size_bytes": 4}),
        (post(4), [part(b"1234", more=True), part()], {"size_bytes": 4}),
        (post(), [part(b"12", more=True), part(b"34", more=True), part()], {"size_bytes": 4}),
        (post(0), [part()], {}),
    ],
    ids=["cut", "cut chunked", "nothing came", "short", "cut behind the end", "end apart", "chunked", "empty"],
)
def test_what_came_of_an_upload(
    scope: dict[str, Any], events: list[dict[str, Any]], told: dict[str, float], recorder: Recorder
) -> None:
    ScriptedServer(events).run(measured(upload, recorder, measures={"receive", "bytes"}), scope)
    found = of(recorder)
    assert {name: found[name] for name in ("receive_errors", "receive_timeouts", "size_bytes") if name in found} == told


@pytest.mark.parametrize(("waited", "timeout"), [(4.9, False), (5.0, True)])
def test_a_server_that_gives_up_waiting_is_told_by_the_time(
    waited: float,
    timeout: bool,  # noqa: FBT001
    clock: ManualClock,
    recorder: Recorder,
) -> None:
    server = ScriptedServer([part(b"12", more=True), DISCONNECT], clock, receive_seconds=waited)
    server.run(measured(upload, recorder, receive_timeout=5.0), post(10))
    assert ("receive_timeouts" in of(recorder)) is timeout
    assert ("receive_errors" in of(recorder)) is not timeout


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError(), "errors"), (TimeoutError(), "timeouts")])
def test_a_server_that_raises_when_it_sends(error: OSError, told: str, recorder: Recorder) -> None:
    server = ScriptedServer(raises={1: error})
    with pytest.raises(OSError) as raised:  # noqa: PT011 it is the very object that counts
        server.run(measured(answering(start(), body(b"12", more=True), body(b"34")), recorder))
    assert raised.value is error
    found = of(recorder)
    assert found[f"send_{told}"] == 1
    assert not {"failures", "exceptions", "resp_size_bytes"} & found.keys()


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError(), "errors"), (TimeoutError(), "timeouts")])
def test_a_server_that_raises_when_it_receives(error: OSError, told: str, recorder: Recorder) -> None:
    async def receive() -> dict[str, Any]:
        raise error

    with pytest.raises(OSError) as raised:  # noqa: PT011 it is the very object that counts
        asyncio.run(measured(upload, recorder)(post(10), receive, ScriptedServer().send))
    assert raised.value is error
    assert {f"receive_{told}": 1, "timing.error.499": 0.0}.keys() <= of(recorder).keys()


def test_a_client_that_leaves_is_noticed_though_the_application_does_not_look(recorder: Recorder) -> None:
    server = ScriptedServer(leaves_after=2)
    slow = dict.fromkeys(range(5), 0.002)

    async def send(message: Any) -> None:  # noqa: ANN401
        await asyncio.sleep(slow.pop(len(server.sent), 0))
        await server.send(message)

    messages = [start(200, (LENGTH, b"8")), *[body(b"ab", more=True)] * 3, body(b"ab")]
    asyncio.run(measured(answering(*messages), recorder)(http_scope(), server.receive, send))
    assert server.sent == messages
    assert of(recorder)["send_errors"] == 1
    assert of(recorder)["resp_size_bytes"] == 4, "what the server took after the client had left was not sent"


@pytest.mark.parametrize(
    ("scope", "messages"),
    [
        (http_scope(), [start(200, (LENGTH, b"4")), body(b"abcd", more=True), body()]),
        (http_scope("HEAD"), [start(200, (LENGTH, b"4")), body(b"", more=True), body()]),
        (http_scope(), [start(304), body(b"", more=True), body()]),
    ],
    ids=["length", "HEAD", "304"],
)
def test_a_client_that_has_it_all_may_leave(scope: dict[str, Any], messages: list[Any], recorder: Recorder) -> None:
    server = ScriptedServer(leaves_after=1)

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await receive()
        for message in messages[:-1]:
            await send(message)
        assert await receive() == DISCONNECT
        await send(messages[-1])

    server.run(measured(app, recorder), scope)
    assert server.sent == messages
    assert "send_errors" not in of(recorder)


def test_an_application_that_waits_for_the_client_to_leave_sees_it(recorder: Recorder) -> None:
    """As Starlette's streaming response does: it listens while it sends, and gives up sending."""
    server = ScriptedServer(leaves_after=3)

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        async def stream() -> None:
            await send(start())
            while True:
                await send(body(b"x", more=True))
                await asyncio.sleep(0)

        sending = asyncio.ensure_future(stream())
        while (await receive())["type"] != "http.disconnect":
            pass
        sending.cancel()

    server.run(measured(app, recorder))
    found = of(recorder)
    assert found["send_errors"] == 1
    assert "failures" not in found


def test_a_last_send_that_is_cancelled_by_its_own_end_was_sent(recorder: Recorder) -> None:
    """As hypercorn with Starlette's streaming response: the server tells of the end, then waits."""
    server = ScriptedServer()

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        async def stream() -> None:
            await send(start())
            await send(body(b"abc", more=True))
            await send(body(b"de"))

        sending = asyncio.ensure_future(stream())
        while (await receive())["type"] != "http.disconnect":
            pass
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    async def send(message: Any) -> None:  # noqa: ANN401
        await server.send(message)
        if message == body(b"de"):
            await asyncio.sleep(60)

    asyncio.run(measured(app, recorder)(http_scope(), server.receive, send))
    found = of(recorder)
    assert found["resp_size_bytes"] == 5
    assert not {"failures", "send_errors"} & found.keys()


def test_what_was_read_on_comes_to_the_application_in_order(recorder: Recorder) -> None:
    server = ScriptedServer(leaves_after=2)
    seen = []

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await send(start())
        await send(body(b"x", more=True))
        await asyncio.sleep(0.01)
        seen.append(await receive())
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await send(body(b"x", more=True))
        seen.append(await waiting)
        seen.append(await receive())

    server.run(measured(app, recorder))
    assert seen == [part(), DISCONNECT, DISCONNECT]
    assert of(recorder)["send_errors"] == 1


def test_what_fails_while_it_is_read_on_fails_for_who_asks(recorder: Recorder) -> None:
    server = ScriptedServer()

    async def receive() -> Any:  # noqa: ANN401
        if server.asked:
            message = "no more"
            raise RuntimeError(message)
        return await server.receive()

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await send(start())
        await send(body(b"x", more=True))
        await asyncio.sleep(0)
        assert await receive() == part()
        await receive()

    with pytest.raises(RuntimeError, match="no more"):
        asyncio.run(measured(app, recorder)(http_scope(), receive, server.send))
    assert of(recorder)["exceptions"] == 1


def test_no_more_is_read_on_than_can_be_kept(recorder: Recorder) -> None:
    pieces = [part(b"%d" % number, more=True) for number in range(100)]
    server = ScriptedServer(pieces)
    seen = []

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await send(start())
        await send(body(b"x", more=True))
        await asyncio.sleep(0.01)
        assert server.asked == asgi_watch.MOST
        seen.extend([await receive() for _ in pieces])
        await send(body())

    server.run(measured(app, recorder))
    assert seen == pieces


def test_what_is_read_on_is_asked_for_in_the_requests_own_context(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    """Middleware around this one may look at its context variables whenever `receive` is called."""
    monkeypatch.setattr(asgi_watch, "PATIENT", 0.0)
    number: ContextVar[int] = ContextVar("number")
    seen = []

    class Server(ScriptedServer):
        async def receive(self) -> dict[str, Any]:
            seen.append((number.get(), endpoints.current.get()))
            return await super().receive()

    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        await asyncio.sleep(0.02)
        await send(start())
        await send(body())

    middleware = measured(app, recorder)

    async def one(given: int) -> None:
        number.set(given)
        await Server().serve(middleware)

    async def together() -> None:
        await asyncio.gather(*map(one, range(3)))
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1, "nothing is left of a request"

    asyncio.run(together())
    assert sorted(seen, key=str) == [(given, None) for given in (0, 0, 1, 1, 2, 2)]


def test_a_start_that_the_server_refuses_is_followed_by_another(recorder: Recorder) -> None:
    server = ScriptedServer()

    async def send(message: Any) -> None:  # noqa: ANN401
        if message.get("status") == 200:
            raise ValueError
        await server.send(message)

    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        with pytest.raises(ValueError):  # noqa: PT011 it has no words
            await send(start(200))
        await send(start(404))
        await send(body(b"x"))

    asyncio.run(measured(app, recorder)(http_scope(), server.receive, send))
    assert {"timing.error.404", "errors", "resp_size_bytes"} <= of(recorder).keys()


def test_a_body_that_nobody_asked_for_is_not_asked_for(recorder: Recorder) -> None:
    """Asking would have the server say ``100 Continue``."""
    server = ScriptedServer([part(b"1234")])
    server.run(measured(answering(start(413), *[body(b"x", more=True)] * 3, body()), recorder), post(4))
    assert server.asked == 0


@pytest.mark.parametrize("status", [200, 503])
def test_a_client_that_left_before_the_answer(status: int, clock: ManualClock, recorder: Recorder) -> None:
    server = ScriptedServer(clock=clock)

    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        clock.advance(3)
        server.leave()
        await send(start(status, (LENGTH, b"2")))
        await send(body(b"ok"))

    server.run(measured(app, recorder))
    found = of(recorder)
    assert found["send_errors"] == 1
    assert "resp_size_bytes" not in found


def test_a_client_that_leaves_while_the_application_works(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    monkeypatch.setattr(asgi_watch, "PATIENT", 0.0)
    server = ScriptedServer()
    seen = []

    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await asyncio.sleep(0.01)
        assert server.asked == 2
        server.leave()
        await asyncio.sleep(0.01)
        seen.extend([await receive(), await receive()])
        await send(start(200, (LENGTH, b"2")))
        await send(body(b"ok"))

    server.run(measured(app, recorder))
    assert seen == [part(), DISCONNECT]
    assert of(recorder)["send_errors"] == 1


def test_a_client_that_leaves_a_stream_that_never_waits(recorder: Recorder) -> None:
    server = ScriptedServer(leaves_after=2)
    messages = [start(), *[body(bytes(1 << 18), more=True)] * 4, body(b"end")]
    server.run(measured(answering(*messages), recorder))
    assert of(recorder)["send_errors"] == 1
    assert of(recorder)["resp_size_bytes"] < 1 << 20


def test_an_application_that_gives_up_when_the_client_leaves(recorder: Recorder) -> None:
    async def app(_: Any, receive: Any, __: Any) -> None:  # noqa: ANN401
        await receive()
        assert await receive() == DISCONNECT

    ScriptedServer([part(), DISCONNECT]).run(measured(app, recorder))
    found = of(recorder)
    assert {"timing.error.499", "errors", "send_errors"} <= found.keys()
    assert "failures" not in found


def raising(*messages: dict[str, Any]) -> Application:
    async def app(_: Any, __: Any, send: Any) -> None:  # noqa: ANN401
        for message in messages:
            await send(message)
        raise KeyError(*messages[:1])

    return app


@pytest.mark.parametrize(
    "messages",
    [(), (start(),), (start(), body(b"x", more=True)), (start(500), body(b"x"))],
    ids=["before the response", "before its body", "within its body", "after the answer of a handler"],
)
def test_an_exception_is_a_failure_and_goes_on(messages: tuple[Any, ...], recorder: Recorder) -> None:
    server = ScriptedServer()
    with pytest.raises(KeyError):
        server.run(measured(raising(*messages), recorder))
    assert server.sent == list(messages)
    found = of(recorder)
    assert {"timing.error.500", "failures", "exceptions"} <= found.keys()
    assert "send_errors" not in found


@pytest.mark.parametrize("messages", [(), (start(),), (start(), body(b"x", more=True))])
def test_an_answer_that_is_not_whole_is_a_failure(messages: tuple[Any, ...], recorder: Recorder) -> None:
    ScriptedServer().run(measured(answering(*messages), recorder))
    assert of(recorder)["failures"] == 1


@pytest.mark.parametrize(
    ("events", "scope", "begun", "told"),
    [
        ([part()], http_scope(), False, {"send_errors", "timing.error.499"}),
        ([part(b"1", more=True)], post(9), False, {"receive_errors", "timing.error.499"}),
        ([part()], http_scope(), True, {"send_errors", "resp_size_bytes"}),
    ],
    ids=["before the answer", "within the request", "within the answer"],
)
def test_a_request_that_is_cancelled(
    events: list[Any],
    scope: dict[str, Any],
    begun: bool,  # noqa: FBT001
    told: set[str],
    recorder: Recorder,
) -> None:
    async def app(_: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if begun:
            await send(start())
            await send(body(b"x", more=True))
        while True:
            await receive()

    async def cancel() -> None:
        serving = asyncio.ensure_future(ScriptedServer(events).serve(measured(app, recorder), scope))
        await asyncio.sleep(0.01)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(cancel())
    found = of(recorder)
    assert told <= found.keys()
    assert "failures" not in found


def test_a_file_that_the_server_sends(tmp_path: Path, recorder: Recorder) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    whole = {"type": "http.response.pathsend", "path": str(path)}
    server = ScriptedServer()
    server.run(measured(answering(start(), whole), recorder))
    server.run(measured(answering(start(200, (LENGTH, b"999")), whole), recorder))
    assert server.sent[1] is whole
    with path.open("rb") as file:
        file.seek(100)
        kind = "http.response.zerocopysend"
        rest: dict[str, Any] = {"type": kind, "file": file}
        server.run(measured(answering(start(), rest), recorder))
        given: dict[str, Any] = {"type": kind, "file": file.fileno(), "offset": 400}
        server.run(measured(answering(start(), {**given, "count": 7, "more_body": True}, given), recorder))
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 100
    assert recorder.values("mdb.req.resp_size_bytes") == [1000, 999, 900, 607]
    assert len(recorder.values("mdb.req.timing")) == 4


def test_trailers_are_the_end_of_their_response(clock: ManualClock, recorder: Recorder) -> None:
    kind = "http.response.trailers"
    messages = [
        start(200, trailers=True),
        body(b"x"),
        {"type": kind, "headers": [], "more_trailers": True},
        {"type": kind, "headers": []},
    ]
    server = ScriptedServer(clock=clock, send_seconds=1)
    server.run(measured(answering(*messages), recorder))
    assert server.sent == messages
    assert of(recorder)["timing"] == pytest.approx(4000)
    assert "failures" not in of(recorder)


def test_messages_that_are_not_measured_go_through(recorder: Recorder) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.response.early_hint", "links": [b"</a>"]},
        {"type": "http.response.push", "path": "/a", "headers": []},
        {"type": "http.response.debug", "info": {}},
        start(),
        body(b"x"),
    ]
    server = ScriptedServer()
    server.run(measured(answering(*messages), recorder))
    assert all(sent is message for sent, message in zip(server.sent, messages, strict=True))
    assert of(recorder)["resp_size_bytes"] == 1


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_body_that_is_not_sent_is_not_counted(method: str, recorder: Recorder) -> None:
    messages = start(200 if method == "HEAD" else 304, (LENGTH, b"4")), body(b"abcd")
    ScriptedServer().run(measured(answering(*messages), recorder), http_scope(method))
    assert "resp_size_bytes" not in of(recorder)


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "http.response.start"}, start(200, (b"x", None)), {"type": "http.response.body", "body": 5}, None],  # type: ignore[arg-type]
)
def test_what_is_no_message_reaches_the_server(message: Any, recorder: Recorder) -> None:  # noqa: ANN401
    sent = []

    async def send(given: object) -> None:
        sent.append(given)

    middleware = measured(answering(message), recorder)
    asyncio.run(middleware(http_scope(), ScriptedServer().receive, send))
    assert sent == [message]


@pytest.mark.parametrize("message", [{}, None, {"type": "http.request", "body": 5}])
def test_what_is_no_message_reaches_the_application(message: Any, recorder: Recorder) -> None:  # noqa: ANN401
    seen = []

    async def app(_: Any, receive: Any, __: Any) -> None:  # noqa: ANN401
        seen.append(await receive())

    ScriptedServer([message]).run(measured(app, recorder), post(4))
    assert seen == [message]


def test_what_is_no_scope_reaches_the_application(recorder: Recorder) -> None:
    seen = []

    async def app(scope: Any, _: Any, __: Any) -> None:  # noqa: ANN401
        seen.append(scope)

    middleware = measured(app, recorder)
    for scope in ({"type": "http"}, {**http_scope(), "headers": None}):
        ScriptedServer().run(middleware, scope)
        assert seen.pop() is scope
    assert middleware.reporter.losses() == {"begin": 2}
    assert not recorder.lines


def test_other_protocols_pass_through_untouched(recorder: Recorder) -> None:
    seen = []

    async def app(*given: Any) -> None:  # noqa: ANN401
        seen.append(given)

    server = ScriptedServer()
    for kind in ("websocket", "webtransport"):
        scope = {"type": kind}
        asyncio.run(measured(app, recorder)(scope, server.receive, server.send))
        assert seen.pop() == (scope, server.receive, server.send)
    server.run(measured(app, recorder, exclude={"/health"}), http_scope(path="/health"))
    server.run(measured(app, recorder, rate=0.0))
    assert len(seen) == 2
    assert not recorder.lines


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_left_is_sent_when_the_application_stops(fails: bool) -> None:  # noqa: FBT001
    flushed = []

    class Client(Recorder):
        def flush(self) -> None:
            flushed.append(True)
            if fails:
                raise OSError

    async def app(_: Any, __: Any, ___: Any) -> None:  # noqa: ANN401
        assert not flushed

    ScriptedServer().run(measured(app, Client()), {"type": "lifespan"})
    assert flushed == [True]


def test_a_client_without_flush_is_left_alone(recorder: Recorder) -> None:
    ScriptedServer().run(measured(answering(), recorder), {"type": "lifespan"})


def test_hundreds_at_once_do_not_mix(recorder: Recorder) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        number = int(scope["path"][1:])
        endpoints.entered(f"e{number % 10}")
        read = await read_all(receive)
        await asyncio.sleep(0)
        await send(start(200 if number % 3 else 404))
        for _ in range(number % 4):
            await asyncio.sleep(0)
            await send(body(b"y" * number, more=True))
        assert read == number
        await send(body())

    middleware = measured(app, recorder, groups={"endpoint"})

    async def one(number: int) -> None:
        scope = {**post(number), "path": f"/{number}"}
        await ScriptedServer([part(b"x" * number, more=True), part()]).serve(middleware, scope)

    async def together() -> None:
        await asyncio.gather(*map(one, range(400)))

    asyncio.run(together())
    for kind in range(10):
        numbers = range(kind, 400, 10)
        assert recorder.total(f"mdb.req.size_bytes.e{kind}") == sum(numbers)
        assert recorder.total(f"mdb.req.resp_size_bytes.e{kind}") == sum(number * (number % 4) for number in numbers)
        assert recorder.total(f"mdb.req.errors.e{kind}") == sum(number % 3 == 0 for number in numbers)
        assert len(recorder.values(f"mdb.req.timing.e{kind}")) == 40
    assert not [stat for stat in recorder.stats() if "send_errors" in stat or "receive_errors" in stat]


def test_a_loop_that_is_not_asyncios_has_no_watch(recorder: Recorder) -> None:
    async def nothing(_: object = None) -> Any:  # noqa: ANN401
        return part()

    messages = start(), body(b"ab", more=True), body(b"cd")
    running = measured(answering(*messages), recorder)(http_scope(), nothing, nothing)
    with pytest.raises(StopIteration):
        running.send(None)
    assert of(recorder)["resp_size_bytes"] == 4


def test_the_time_in_queues_is_what_a_header_tells(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    monkeypatch.setattr(asgi, "time", lambda: 2_000_000_000.5)
    scope = http_scope(headers=[(b"x-request-start", b"t=2000000000.25"), (b"x-queue-start", b"t=2000000000.0")])
    ScriptedServer().run(measured(answering(start(), body()), recorder), scope)
    assert of(recorder)["wait_timing"] == 500.0
