"""The WSGI middleware over servers that are a few lines here: what it measures, and that nobody notices it."""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from nilometer import StatsD
from nilometer.core.errors import UrlError
from nilometer.emit.requests import endpoints, wsgi, wsgi_input, wsgi_output
from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = ("200 OK", [("Content-Type", "text/plain")])


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (wsgi, wsgi_input, wsgi_output, endpoints):
        monkeypatch.setattr(module, "perf_counter", made)
    return made


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def environ(method: str = "GET", body: bytes | io.BufferedIOBase = b"", wrapper: object = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    made: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": "", "wsgi.errors": sys.stderr}
    if isinstance(body, bytes) and body:
        made["CONTENT_LENGTH"] = str(len(body))
    made["wsgi.input"] = io.BytesIO(body) if isinstance(body, bytes) else body
    if wrapper is not None:
        made["wsgi.file_wrapper"] = wrapper
    setup_testing_defaults(made)
    return {**made, **more}


def server(*_: object) -> Callable[[bytes], object]:
    """A server's `start_response`, which sends nothing."""
    return lambda _: None


def answer(app: Any, given: dict[str, Any], sent: Callable[[bytes], None] | None = None) -> bytes:  # noqa: ANN401
    """Do as servers do: start, go through the body, close it whatever happens. `sent` is the socket."""
    parts: list[bytes] = []
    send = sent or (lambda _: None)

    def write(data: bytes) -> None:
        parts.append(data)
        send(data)

    result = app(given, lambda *_: write)
    try:
        for part in result:
            parts.append(part)
            send(part)
    finally:
        if hasattr(result, "close"):
            result.close()
    return b"".join(parts)


def of(recorder: Recorder) -> dict[str, float]:
    """Return the node's lines of one request."""
    assert len(recorder.stats()) == len(set(recorder.stats())), "a request is told of once"
    return {line.stat.removeprefix("mdb.req."): line.value for line in recorder.lines}


def measured(app: Any, recorder: Recorder, **options: Any) -> RequestMetrics:  # noqa: ANN401
    return RequestMetrics(app, **{"client": recorder, "host": "", "groups": {"node"}, **options})


def test_each_part_of_a_request_has_its_time(clock: Clock, recorder: Recorder) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            clock.passes(0.25)
            return super().read(size)

    def app(env: dict[str, Any], start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        clock.passes(0.1)
        endpoints.entered("upload")
        first = env["wsgi.input"].read(4)
        clock.passes(0.2)
        start_response(*OK)
        clock.passes(0.3)
        yield first
        yield env["wsgi.input"].read(2)
        clock.passes(0.4)

    sends = {b"abcd": 1.0, b"ef": 2.0}
    given = environ("PUT", Slow(b"abcdef"), CONTENT_LENGTH="6")
    assert answer(measured(app, recorder), given, lambda part: clock.passes(sends[part])) == b"abcdef"
    assert of(recorder) == {
        "timing": pytest.approx(4500),
        "dispatch_timing": pytest.approx(100),
        "processing_timing": pytest.approx(300),
        "resp_processing_timing": pytest.approx(700),
        "receive_timing": pytest.approx(500),
        "send_timing": pytest.approx(3000),
        "size_bytes": 6,
        "resp_size_bytes": 6,
    }


def test_a_streamed_answer_is_measured_to_its_end_and_a_list_keeps_its_length(clock: Clock, recorder: Recorder) -> None:
    def streams(_: object, start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        start_response(*OK)
        for _ in range(3):
            clock.passes(1)
            yield b"x"

    app = measured(streams, recorder)
    streamed: Any = app(environ(), server)
    assert not hasattr(streamed, "__len__")
    assert (next(streamed), next(streamed)) == (b"x", b"x")
    answer(app, environ())
    assert of(recorder)["timing"] == 3000

    def lists(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response(*OK)
        return [b"one"]

    assert len(measured(lists, recorder)(environ(), server)) == 1  # type: ignore[arg-type]  # that is what is asked


def test_write_is_sending_too(clock: Clock, recorder: Recorder) -> None:
    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        write = start_response(*OK)
        write(b"abc")
        clock.passes(1)
        return [b"de"]

    assert answer(measured(app, recorder), environ(), lambda _: clock.passes(2)) == b"abcde"
    found = of(recorder)
    assert (found["send_timing"], found["resp_processing_timing"], found["resp_size_bytes"]) == (4000, 1000, 5)


@pytest.mark.parametrize(
    ("read", "size", "error"),
    [
        (lambda body: body.read(), 4, True),
        (lambda body: body.read(10), 4, True),
        (lambda body: [body.read(3), body.read(3)], 4, True),
        (lambda body: body.read(2), 2, False),
        (lambda body: body.readline(), 2, False),
        (lambda body: [body.readline(), body.readline()], 4, True),
        (lambda body: body.readlines(), 4, True),
        (lambda body: body.readlines(1), 2, False),
        (list, 4, True),
        (next, 2, False),
        (lambda body: body.readinto(bytearray(10)), 4, False),
        (lambda body: [body.readinto(bytearray(10)), body.readinto(bytearray(10))], 4, True),
        (lambda body: [body.read1(10), body.read1(10)], 4, True),
        (lambda body: io.BufferedReader(body).read(), 4, True),
        (lambda body: (body.read(), body.seek(0)), 4, True),
        (lambda _: None, 0, False),
    ],
)
def test_a_body_that_is_cut_off(recorder: Recorder, read: Callable[[Any], object], size: int, error: bool) -> None:  # noqa: FBT001
    def app(env: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        body = env["wsgi.input"]
        read(iter(body) if read is next else body)
        start_response(*OK)
        return []

    answer(measured(app, recorder), environ("PUT", io.BytesIO(b"a\nbc"), CONTENT_LENGTH="10"))
    found = of(recorder)
    assert (found.get("size_bytes", 0), "receive_errors" in found) == (size, error)


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (ConnectionResetError("reset by peer"), "receive_errors"),
        (OSError("timeout during read(10) on wsgi.input"), "receive_timeouts"),
        (TimeoutError(), "receive_timeouts"),
        (SystemExit(1), "receive_timeouts"),
        (SystemExit(0), "receive_errors"),
    ],
)
def test_a_body_that_cannot_be_read(recorder: Recorder, error: BaseException, what: str) -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise error

    flushed = []
    recorder.flush = lambda: flushed.append(len(recorder.lines))  # type: ignore[attr-defined]  # as clients have it

    def app(env: dict[str, Any], _: object) -> list[bytes]:
        return [env["wsgi.input"].read()]

    with pytest.raises(type(error)) as raised:
        answer(measured(app, recorder), environ("PUT", Broken(), HTTP_TRANSFER_ENCODING="chunked"))
    assert raised.value is error
    found = of(recorder)
    assert found[what] == found["errors"] == 1
    assert "timing.error.499" in found
    assert "failures" not in found
    assert flushed == ([] if isinstance(error, Exception) else [len(recorder.lines)])


@pytest.mark.parametrize("within", ["before", "start", "body", "close"])
def test_an_exception_passes_and_is_a_failure(recorder: Recorder, within: str) -> None:
    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            yield b"part"
            if within == "body":
                raise LookupError(within)

        def close(self) -> None:
            if within == "close":
                raise LookupError(within)

    def app(_: object, start_response: Any) -> Answer:  # noqa: ANN401
        if within == "before":
            raise LookupError(within)
        start_response(*OK)
        if within == "start":
            raise LookupError(within)
        return Answer()

    with pytest.raises(LookupError, match=within):
        answer(measured(app, recorder), environ())
    found = of(recorder)
    assert found["failures"] == found["exceptions"] == 1
    assert "timing.error.500" in found
    assert "send_errors" not in found


def test_what_the_server_refuses_reaches_the_application(recorder: Recorder) -> None:
    def refuses(*_: object) -> None:
        raise AssertionError

    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        with pytest.raises(AssertionError):
            start_response(*OK)
        return []

    result = measured(app, recorder)(environ(), refuses)  # type: ignore[arg-type]  # a server that refuses
    result.close()  # type: ignore[attr-defined]  # bodies have it
    assert of(recorder)["failures"] == 1


@pytest.mark.parametrize(("error", "what"), [(BrokenPipeError(), "send_errors"), (TimeoutError(), "send_timeouts")])
def test_a_client_that_leaves_while_it_is_sent_to(recorder: Recorder, error: OSError, what: str) -> None:
    def fails(_: bytes) -> None:
        raise error

    closed = []

    class Answer(list[bytes]):
        def close(self) -> None:
            closed.append(1)

    def app(_: object, start_response: Any) -> Answer:  # noqa: ANN401
        start_response(*OK)
        return Answer([b"a", b"b"])

    with pytest.raises(type(error)):
        answer(measured(app, recorder), environ(), fails)
    assert of(recorder)[what] == 1
    assert "failures" not in of(recorder)
    assert closed == [1]


def test_a_client_that_leaves_while_write_sends(recorder: Recorder) -> None:
    def fails(_: bytes) -> None:
        raise BrokenPipeError

    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response(*OK)(b"abc")
        return []

    with pytest.raises(BrokenPipeError):
        answer(measured(app, recorder), environ(), fails)
    assert of(recorder)["send_errors"] == 1
    assert "failures" not in of(recorder)


@pytest.mark.parametrize(
    ("method", "status", "headers", "error"),
    [
        ("GET", "200 OK", [], True),
        ("GET", "200 OK", [("content-length", "4")], True),
        ("GET", "200 OK", [("Content-Length", "2")], False),
        ("HEAD", "200 OK", [("Content-Length", "4")], False),
        ("GET", "304 Not Modified", [], False),
        ("DELETE", "204 No Content", [], False),
    ],
)
def test_a_body_that_is_closed_before_its_end(
    recorder: Recorder,
    method: str,
    status: str,
    headers: list[tuple[str, str]],
    error: bool,  # noqa: FBT001
) -> None:
    def app(_: object, start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        start_response(status, headers)
        yield b"ab"
        yield b"cd"

    result: Any = measured(app, recorder)(environ(method), server)
    next(iter(result))
    result.close()
    found = of(recorder)
    assert ("send_errors" in found) is error
    assert ("resp_size_bytes" in found) is (status == "200 OK" and method == "GET")


def test_a_file_stays_the_servers_own(clock: Clock, recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    file = (tmp_path / "file").open("rb")
    file.seek(10)

    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        start_response(*OK)
        return env["wsgi.file_wrapper"](file)

    given = environ(wrapper=FileWrapper)
    result: Any = measured(app, recorder)(given, server)
    assert type(result) is FileWrapper
    assert given["wsgi.file_wrapper"] is FileWrapper
    assert result.filelike is file
    clock.passes(3)
    result.close()
    assert file.closed
    found = of(recorder)
    assert (found["resp_size_bytes"], found["send_timing"], found["timing"]) == (90, 3000, 3000)


def test_a_file_wrapper_that_is_a_function_gets_a_file(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    file = (tmp_path / "file").open("rb")

    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        start_response("200 OK", [("Content-Length", "100")])
        return env["wsgi.file_wrapper"](file, 8192)

    seen = []

    def wrapper(file: object, size: int) -> object:
        seen.append((file, size))
        return file

    given = environ(wrapper=wrapper)
    result: Any = measured(app, recorder)(given, server)
    assert seen == [(result, 8192)]
    assert result.fileno() == file.fileno()
    assert result.read(3) == b"xxx"
    assert recorder.lines == []
    result.close()
    assert file.closed
    assert of(recorder)["resp_size_bytes"] == 100


def test_a_file_whose_close_cannot_be_seen_is_told_of_at_once(recorder: Recorder) -> None:
    class Fixed:
        __slots__ = ("filelike",)

        def __init__(self, filelike: object) -> None:
            self.filelike = filelike

    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        start_response("200 OK", [("Content-Length", "7")])
        return env["wsgi.file_wrapper"](io.BytesIO(b"content"))

    result: Any = measured(app, recorder)(environ(wrapper=Fixed), server)
    assert type(result) is Fixed
    assert of(recorder)["resp_size_bytes"] == 7


def test_a_server_that_joins_lists_gets_a_list(recorder: Recorder) -> None:
    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response(*OK)
        return [b"ab", b"c"]

    result = measured(app, recorder)(environ(SERVER_SOFTWARE="Granian"), server)
    assert type(result) is list
    assert of(recorder)["resp_size_bytes"] == 3


def _returned(result: object, *_: object) -> object:
    return result


def test_what_is_no_body_goes_to_the_server_as_it_is(recorder: Recorder) -> None:
    for nothing in (None, b"abc", "text"):
        recorder.clear()
        given: Any = nothing
        result: Any = measured(partial(_returned, given), recorder)(environ(), server)
        assert result is given
        assert of(recorder)["failures"] == 1
    with pytest.raises(TypeError, match="not iterable"):
        answer(measured(lambda *_: 5, recorder), environ())


@pytest.mark.parametrize(("status", "measured_as"), [("", []), ("101 Switching Protocols", []), ("400 Bad Request", [1.0])])
def test_a_websocket_passes_through(recorder: Recorder, status: str, measured_as: list[float]) -> None:
    def app(env: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        assert type(env["wsgi.input"]) is io.BytesIO
        if status:
            start_response(status, [])
        return []

    answer(measured(app, recorder), environ("GET", b"x", HTTP_UPGRADE="WebSocket", HTTP_CONNECTION="keep-alive, Upgrade"))
    assert recorder.values("mdb.req.errors") == measured_as
    assert len(recorder.values("mdb.req.timing")) == len(measured_as)


def test_excluded_paths_are_not_touched(recorder: Recorder) -> None:
    body = [b"raw"]

    def app(env: dict[str, Any], _: object) -> list[bytes]:
        assert isinstance(env["wsgi.input"], io.BytesIO)
        return body

    excluding = measured(app, recorder, exclude={"/healthz"})
    assert excluding(environ("GET", b"x", PATH_INFO="/healthz"), server) is body
    assert recorder.lines == []


def test_a_request_without_a_body_has_the_servers_input(recorder: Recorder) -> None:
    given = environ("GET", CONTENT_LENGTH="0")
    stream = given["wsgi.input"]
    answer(measured(lambda env, start: (start(*OK), [env["wsgi.input"].read()])[1], recorder), given)
    assert given["wsgi.input"] is stream
    assert "receive_timing" not in of(recorder)


def test_how_long_a_request_waited_in_front(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "time", lambda: 1_795_321_176.5)
    app = measured(lambda _, start: (start(*OK), [])[1], recorder)
    answer(app, environ(HTTP_X_REQUEST_START="t=1795321176.250"))
    assert of(recorder)["wait_timing"] == 250
    recorder.clear()
    answer(app, environ(HTTP_X_REQUEST_START="junk"))
    assert "wait_timing" not in of(recorder)


def test_a_slow_client_is_a_timeout_of_ours_and_nothing_is_interrupted(clock: Clock, recorder: Recorder) -> None:
    def app(env: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response(*OK)
        return [env["wsgi.input"].readline()]

    class Slow(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            clock.passes(31)
            return super().readline(size)

    got = answer(measured(app, recorder), environ("PUT", Slow(b"a\n"), CONTENT_LENGTH="2"), lambda _: clock.passes(32))
    found = of(recorder)
    assert got == b"a\n"
    assert found["receive_timeouts"] == found["send_timeouts"] == 1
    assert not found.keys() & {"receive_errors", "send_errors", "errors"}


def test_a_fault_of_ours_leaves_the_request_alone(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response(*OK)
        return [b"fine"]

    metrics = measured(app, recorder)
    assert answer(metrics, {**environ(), "CONTENT_LENGTH": 5}) == b"fine"  # a server that breaks the protocol
    monkeypatch.setattr(wsgi, "SizedBody", None)
    assert answer(metrics, environ()) == b"fine"
    assert metrics.reporter.losses() == {"begin": 1, "watch": 1}
    assert "timing" in of(recorder)


def test_the_application_is_known_as_it_was(recorder: Recorder) -> None:
    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("strange", [])
        return []

    metrics = measured(app, recorder)
    assert metrics.application is app
    answer(metrics, environ())
    assert of(recorder)["failures"] == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("kind", ["list", "generator", "write", "file", "error"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_both_sides_keep_to_the_protocol(recorder: Recorder, method: str, kind: str) -> None:
    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        body = env["wsgi.input"]
        read = b"".join([body.read(2), body.readline(), *body.readlines(), *body])
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        if kind == "error":
            try:
                env["missing"]
            except KeyError:
                start_response("500 Oh", [("Content-Type", "text/plain")], sys.exc_info())
        if kind == "write":
            write(read)
            return []
        if kind == "file":
            return env["wsgi.file_wrapper"](io.BytesIO(read))
        return iter([read]) if kind == "generator" else [read]

    body = b"one\ntwo\nthree" if method == "POST" else b""
    out = io.BytesIO()
    handler = SimpleHandler(io.BytesIO(body), out, io.StringIO(), environ(method, body))
    handler.run(validator(measured(validator(app), recorder)))
    head, _, sent = out.getvalue().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 500 Oh" if kind == "error" else b"HTTP/1.0 200 OK")
    assert sent == body
    assert of(recorder).get("size_bytes", 0) == len(body)
    assert ("failures" in of(recorder)) is (kind == "error")


def test_a_framework_that_left_strange_things_behind_costs_the_name_alone(recorder: Recorder) -> None:
    def app(env: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        env["routes.route"] = object()
        start_response(*OK)
        return [b"fine"]

    metrics = measured(app, recorder, groups={"endpoint"})
    assert answer(metrics, environ()) == b"fine"
    assert recorder.values("mdb.req.timing.unmatched")
    assert metrics.reporter.losses() == {"locate": 1}


def test_what_no_server_and_no_application_should_do_passes_too(recorder: Recorder) -> None:
    class Strange:
        def read(self, *_: object) -> None: ...

        readline = readlines = readinto = read

        def __iter__(self) -> Iterator[Any]:
            return iter([None, "text"])

    def app(env: dict[str, Any], start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        body = env["wsgi.input"]
        read = [body.read(), body.readline(), body.readlines(), body.readinto(bytearray(1))]
        assert [*read, *body] == [None] * 5 + ["text"]
        start_response(200, [("only-a-name",), None])
        yield b"part"

    strange: Any = Strange()
    result: Any = measured(app, recorder)(environ("PUT", strange, CONTENT_LENGTH="4"), server)
    assert next(iter(result)) == b"part"
    result.close()
    assert of(recorder)["errors"] == of(recorder)["receive_errors"] == of(recorder)["send_errors"] == 1


def test_iterators_are_their_own_iterators(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\nb\n")

    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        assert list(iter(iter(env["wsgi.input"]))) == [b"x\n", b"y"]
        start_response(*OK)
        return env["wsgi.file_wrapper"]((tmp_path / "file").open("rb"))

    result: Any = measured(app, recorder)(environ("PUT", b"x\ny", wrapper=lambda file: file), server)
    assert list(iter(iter(result))) == [b"a\n", b"b\n"]
    result.close()
    assert of(recorder)["resp_size_bytes"] == 4
    streamed: Any = measured(lambda *_: iter([b"a"]), recorder)(environ(), server)
    assert list(iter(iter(streamed))) == [b"a"]


def test_a_file_of_unknown_size_counts_nothing(recorder: Recorder) -> None:
    def app(env: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        start_response(*OK)
        return env["wsgi.file_wrapper"](io.BytesIO(b"no descriptor"))

    result: Any = measured(app, recorder)(environ(wrapper=FileWrapper), server)
    result.close()
    assert "resp_size_bytes" not in of(recorder)


def test_lines_go_to_a_client_by_url_and_a_wrong_url_is_told_at_once() -> None:
    metrics = RequestMetrics(_returned, client="statsd://127.0.0.1:1")  # type: ignore[arg-type]  # never called
    assert isinstance(metrics.reporter.client, StatsD)
    metrics.reporter.client.close()
    with pytest.raises(UrlError, match="nowhere"):
        RequestMetrics(_returned, client="nowhere://127.0.0.1:1")  # type: ignore[arg-type]  # never called
