"""Whatever application and server do, in whatever order: both see the same with request metrics as without."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from nilometer.emit.requests.endpoints import current, entered
from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = b"one\ntwo\nthree\nfour\nfive"
SIZES = st.sampled_from([(), (0,), (1,), (7,), (100,), (-1,), (None,)])
READS = st.tuples(st.sampled_from(["read", "readline", "readlines", "read1"]), SIZES)
OTHERS = st.sampled_from(
    [("next", ()), ("write", (b"w",)), ("start", ("200 OK",)), ("start", ("204 No", [])), ("start", ("junk",)), ("start", ())]
)
RAISES = st.sampled_from([("raise", (error,)) for error in (LookupError, SystemExit, GeneratorExit, OSError, StopIteration)])
STEPS = st.lists(READS | OTHERS | st.just(("enter", ("name",))) | RAISES, max_size=6)
PARTS = st.lists(st.sampled_from([b"", b"a", b"bcd", "text", None, 5, LookupError, SystemExit, OSError]), max_size=4)


class Script(NamedTuple):
    """What the application does, what it returns, and when the server stops: its body breaks, its socket breaks, it closes."""

    steps: list[tuple[str, tuple[Any, ...]]]
    shape: str
    parts: list[Any]
    fails_at: int
    takes: int
    socket_fails_at: int
    environ: dict[str, str]


SCRIPTS = st.builds(
    Script,
    st.one_of(STEPS, STEPS.map(lambda steps: [("start", ("200 OK", [("Content-Length", "4")])), *steps])),
    st.sampled_from(["list", "tuple", "generator", "iterator", "object", "nothing", "number"]),
    PARTS,
    st.integers(0, 40),
    st.integers(0, 6),
    st.integers(0, 6),
    st.fixed_dictionaries(
        {"REQUEST_METHOD": st.sampled_from(["GET", "HEAD", "PUT", "?"])},
        optional={
            "CONTENT_LENGTH": st.sampled_from(["", "0", "3", "23", "99", "-1", "x"]),
            "HTTP_TRANSFER_ENCODING": st.just("chunked"),
            "HTTP_UPGRADE": st.sampled_from(["websocket", "h2c"]),
            "HTTP_X_REQUEST_START": st.text(max_size=20),
            "SERVER_SOFTWARE": st.just("Granian"),
        },
    ),
)


class Trace:
    """What application and server saw, step by step."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[object] = []
        self.sends = 0

    def note(self, what: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        """Call a function, and note what it returns or raises."""
        try:
            found = function(*args)
        except BaseException as error:
            self.seen.append((what, type(error), error.args if not isinstance(error, TypeError) else ()))
            raise
        self.seen.append(
            (what, found if isinstance(found, (bytes, list, int, str)) else type(found) if found is None else what)
        )
        return found

    def app(self, environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401
        """The application."""
        return self.body() if self._do(environ, start_response) else None

    def _do(self, environ: dict[str, Any], start_response: Any) -> bool:  # noqa: ANN401
        write = None
        for name, args in self.script.steps:
            stream = environ["wsgi.input"]
            if name == "raise":
                raise args[0](name)
            if name == "enter":
                entered(*args)
            elif name == "start":
                write = self.note(name, start_response, *args)
            elif name == "write":
                if write is not None:
                    self.note(name, write, *args)
            elif name == "next":
                self.note(name, next, iter(stream), None)
            else:
                self.note(name, getattr(stream, name), *args)
        return True

    def body(self) -> Any:  # noqa: ANN401
        """The body, of the script's shape."""
        parts = [part for part in self.script.parts if not isinstance(part, type)]
        trace = self

        class Answer:
            def __iter__(self) -> Iterator[Any]:
                return trace.generate()

            def close(self) -> None:
                trace.seen.append("closed")
                if trace.script.fails_at % 5 == 1:
                    raise LookupError

        shapes = {"list": parts, "tuple": tuple(parts), "iterator": iter(parts), "nothing": None, "number": 5}
        made = {"generator": self.generate, "object": Answer}.get(self.script.shape)
        return made() if made is not None else shapes[self.script.shape]

    def generate(self) -> Iterator[Any]:
        """The parts, one by one; an exception's type raises it."""
        try:
            for part in self.script.parts:
                if isinstance(part, type):
                    raise part
                yield part
        finally:
            self.seen.append("generator ended")

    def send(self, data: object) -> None:
        """The socket."""
        self.sends += 1
        if self.sends == self.script.socket_fails_at:
            raise ConnectionResetError
        self.seen.append(("sent", data))

    def start_response(self, status: str, headers: list[Any], exc_info: object = None) -> Callable[[bytes], object]:
        """The server's."""
        self.seen.append((status, headers, exc_info))
        if len(status) < 6:  # one that refuses
            raise AssertionError(status)
        return self.send

    def serve(self, app: Any) -> list[object]:  # noqa: ANN401
        """The server: goes through the body until it has enough, and closes it."""
        script = self.script
        environ: dict[str, Any] = {**script.environ, "PATH_INFO": "/", "wsgi.input": io.BytesIO(BODY)}
        try:
            result = app(environ, self.start_response)
            self.seen.append(
                (len(result) if hasattr(result, "__len__") else "of any length", isinstance(result, list) and "joined")
            )
            try:
                for count, part in enumerate(result):
                    if count == script.takes:
                        break
                    self.send(part)
            finally:
                if hasattr(result, "close"):
                    result.close()
        except BaseException as error:  # noqa: BLE001 a server survives everything
            self.seen.append((type(error), str(error) if not isinstance(error, TypeError) else ""))
        self.seen.append(sys.exc_info())
        return self.seen


@given(SCRIPTS)
def test_both_see_the_same(script: Script) -> None:
    recorder = Recorder()
    bare, watched = Trace(script), Trace(script)
    metrics = RequestMetrics(watched.app, client=recorder, host="", groups={"node"})
    wanted, found = bare.serve(bare.app), watched.serve(metrics)
    if script.environ.get("SERVER_SOFTWARE") != "Granian":  # elsewhere nobody asks for the body's type
        wanted = [(each[0], False) if isinstance(each, tuple) and each[1:] == ("joined",) else each for each in wanted]
    assert found == wanted
    assert metrics.reporter.losses() == {}
    assert current.get() is None
    switched = script.environ.get("HTTP_UPGRADE") == "websocket"
    assert len(recorder.values("mdb.req.timing")) == 1 or (switched and not recorder.lines)
