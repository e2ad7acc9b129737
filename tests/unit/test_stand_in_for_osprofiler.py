"""The package that stands in for osprofiler, against sequences and vectors that the original made."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from osprofiler import notifier, profiler, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

VECTORS = json.loads((Path(__file__).parents[1] / "data/osprofiler_vectors.json").read_text())
SEQUENCES = {case["id"]: case for case in VECTORS["G_api_sequences"]}


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    before = notifier.get()
    notifier.set(found.append)
    profiler.clean()
    yield found
    notifier.set(before)
    profiler.clean()
    web._ENABLED, web._HMAC_KEYS = None, ()


def told(sent: list[dict[str, Any]]) -> list[list[Any]]:
    """Return name, id, parent and info without its host; ids in order of appearance, as the vectors have them."""
    names = {sent[0]["base_id"]: "B"}
    found = []
    for each in sent:
        ids = [names.setdefault(each[name], f"T{len(names)}") for name in ("trace_id", "parent_id")]
        found.append([each["name"], *ids, {name: value for name, value in each["info"].items() if name != "host"}])
    return found


@pytest.mark.parametrize("case", SEQUENCES)
def test_notifications_are_those_of_the_original(case: str, sent: list[dict[str, Any]]) -> None:
    profiler.init("key")
    scope: dict[str, Any] = {"profiler": profiler, "__name__": "m"}
    exec(compile(SEQUENCES[case]["code"], "m", "exec"), scope)  # noqa: S102 the vectors are code
    wanted = SEQUENCES[case]["expected_[name,trace,parent,info_less_host]"]
    if "better" in SEQUENCES[case]:  # the span of a coroutine goes on to its end
        start, stop, inner, inner_stop = wanted
        wanted = [start, [inner[0], "T2", "T1", {}], [inner_stop[0], "T2", "T1", {}], stop]
    assert told(sent) == wanted


@pytest.mark.parametrize("case", VECTORS["B_middleware"]["cases"], ids=lambda case: case["id"])
def test_the_middleware_traces_whom_the_original_traces(case: dict[str, Any], sent: list[dict[str, Any]]) -> None:
    answer = ask(web.WsgiMiddleware(hello, "K1, K2", enabled=True), case["headers"])
    assert answer == b"hello"
    assert bool(sent) == case["traced"]
    if sent:
        assert [each["name"] for each in sent] == ["wsgi-start", "wsgi-stop"]
        assert {each["base_id"] for each in sent} == {case["expected_base_id"]}
        assert {each["parent_id"] for each in sent} == {case["expected_parent_id"]}
        assert sent[0]["info"]["request"] == {"path": "/x", "query": "a=b", "method": "GET", "scheme": "http"}


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401 WSGI's
    del environ
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def ask(application: Any, headers: dict[str, str]) -> bytes:  # noqa: ANN401 any WSGI application
    """Ask as a server that is strict about WSGI does."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/x",
        "QUERY_STRING": "a=b",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "here",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    import io  # noqa: PLC0415 for this helper alone

    environ |= {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    body: Any = validator(application)(environ, lambda *_: lambda _: None)
    try:
        return b"".join(body)
    finally:
        body.close()


def test_a_header_that_is_not_ascii_is_no_fault(sent: list[dict[str, Any]]) -> None:
    assert ask(web.WsgiMiddleware(hello, "K1", enabled=True), {"X-Trace-Info": "abc", "X-Trace-HMAC": "é"}) == b"hello"
    assert not sent


@pytest.mark.parametrize(("text", "on"), [("yes", True), ("no", False), ("False", False), ("true", True), ("", False)])
def test_paste_says_enabled_in_words(text: str, on: bool, sent: list[dict[str, Any]]) -> None:  # noqa: FBT001 one of two
    made = web.WsgiMiddleware.factory({}, hmac_keys="K1", enabled=text)(hello)
    profiler.init("K1")
    headers = web.get_trace_id_headers()
    profiler.clean()
    ask(made, headers)
    assert bool(sent) == on


def test_the_accepted_key_signs_what_goes_on(sent: list[dict[str, Any]]) -> None:
    keys: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401 WSGI's
        found = profiler.get()
        keys.append(found and found.hmac_key)
        return hello(environ, start_response)

    profiler.init("K2")
    headers = web.get_trace_id_headers()
    ask(web.WsgiMiddleware(application, "K1,K2", enabled=True), headers)
    assert keys == ["K2"]
    assert sent


def test_tasks_have_places_of_their_own(sent: list[dict[str, Any]]) -> None:
    @profiler.trace("work", hide_args=True)
    async def work(seconds: float) -> None:
        await asyncio.sleep(seconds)
        with profiler.Trace("inner"):
            await asyncio.sleep(seconds)

    async def main() -> None:
        profiler.init("key")
        await asyncio.gather(work(0.02), work(0.01))

    asyncio.run(main())
    work_ids = {each["trace_id"] for each in sent if each["name"] == "work-start"}
    assert {each["parent_id"] for each in sent if each["name"] == "inner-start"} == work_ids
    assert {each["parent_id"] for each in sent if each["name"].startswith("work")} == {sent[0]["base_id"]}
    for each in work_ids:
        assert [note["name"] for note in sent if note["trace_id"] == each] == ["work-start", "work-stop"]


def test_a_generator_is_current_while_it_works_only(sent: list[dict[str, Any]]) -> None:
    @profiler.trace("numbers", hide_args=True)
    def numbers() -> Iterator[int]:
        for number in range(2):
            with profiler.Trace("step"):
                got = yield number
            assert got is None

    @profiler.trace("stream", hide_args=True)
    async def stream() -> AsyncIterator[int]:
        yield 1

    profiler.init("key")
    for _ in numbers():
        with profiler.Trace("outside"):
            pass
    by_name = {each["name"]: each for each in sent}
    assert by_name["outside-start"]["parent_id"] == sent[0]["base_id"]
    assert by_name["step-start"]["parent_id"] == by_name["numbers-start"]["trace_id"]
    assert sent[-1]["name"] == "numbers-stop"
    found = profiler.get()
    assert found is not None
    assert found.get_id() == sent[0]["base_id"]

    async def main() -> list[int]:
        return [each async for each in stream()]

    assert asyncio.run(main()) == [1]
    assert [each["name"] for each in sent[-2:]] == ["stream-start", "stream-stop"]


def test_threads_record_their_own_arguments(sent: list[dict[str, Any]]) -> None:
    @profiler.trace("x", info={"shared": True})
    def work(number: int) -> int:
        return number

    def run(number: int) -> None:
        profiler.init("key")
        work(number)
        profiler.clean()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(200)))
    assert sorted(each["info"]["function"]["args"] for each in sent[:] if each["name"] == "x-start") == sorted(
        f"({number},)" for number in range(200)
    )


def test_what_a_notifier_raises_does_not_reach_the_application(sent: list[dict[str, Any]]) -> None:
    def broken(_: object) -> None:
        message = "no"
        raise OSError(message)

    profiler.init("key")
    notifier.set(broken)
    with profiler.Trace("x"):
        pass
    found = profiler.get()
    assert found is not None
    assert found.get_id() == found.get_base_id()
    assert not sent


def test_the_callers_own_dict_stays_as_it_was(sent: list[dict[str, Any]]) -> None:
    info = {"a": 1}
    profiler.init("key")
    profiler.start("x", info)
    profiler.stop(info)
    assert info == {"a": 1}
    assert sent[0]["info"]["a"] == 1


@pytest.mark.parametrize(
    ("error", "message"), [(ValueError("boom"), "boom"), (ValueError(5), 5), (ValueError(), None), (SystemExit("bye"), "bye")]
)
def test_a_context_manager_tells_the_first_argument_of_an_exception(
    error: BaseException, message: object, sent: list[dict[str, Any]]
) -> None:
    profiler.init("key")
    with pytest.raises(type(error)), profiler.Trace("x"):
        raise error
    assert sent[-1]["info"]["etype"] == f"builtins.{type(error).__name__}"
    assert sent[-1]["info"]["message"] == message


def test_tracing_twice_is_refused_where_that_is_asked_for() -> None:
    traced = profiler.trace("x")(hello)
    with pytest.raises(ValueError, match="has already been traced 1 times"):
        profiler.trace("x", allow_multiple_trace=False)(traced)

    class Some:
        def method(self) -> None: ...

    profiler.trace_cls("x")(Some)
    with pytest.raises(ValueError, match="previously traced attribute 'method' since it has been traced 1 times previously"):
        profiler.trace_cls("x", allow_multiple_trace=False)(Some)
    with pytest.raises(TypeError, match="Please specify __trace_args__"):
        profiler.TracedMeta("Nameless", (), {})


def test_class_methods_work_once_they_are_traced(sent: list[dict[str, Any]]) -> None:
    @profiler.trace_cls("x", trace_class_methods=True, trace_static_methods=True)
    class Some:
        @classmethod
        def made(cls, number: int) -> tuple[type, int]:
            return cls, number

        @staticmethod
        def plain(number: int) -> int:
            return number

    profiler.init("key")
    assert Some.made(5) == (Some, 5)
    assert Some.plain(6) == 6
    assert [each["name"] for each in sent] == ["x-start", "x-stop"] * 2


def test_without_a_profiler_nothing_is_done(sent: list[dict[str, Any]]) -> None:
    profiler.start("x")
    profiler.stop()
    assert profiler.trace("x")(lambda: 5)() == 5
    assert profiler.get() is None
    assert web.get_trace_id_headers() == {}
    assert not sent


def test_short_ids_have_no_leading_zeros() -> None:
    found = profiler.init("key")
    assert found.get_shorten_id("4e3e0ec6-2938-40b1-8504-09eb1d4b0dee") == "850409eb1d4b0dee"
    assert found.get_shorten_id("00000000-0000-0000-0000-000000000001") == "1"
    assert found.get_shorten_id(1180591620717411303429) == "5"
    profiler.clean()


def test_a_new_thread_has_no_profiler(sent: list[dict[str, Any]]) -> None:
    profiler.init("key")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(profiler.get()))
    thread.start()
    thread.join()
    assert seen == [None]
    assert not sent
