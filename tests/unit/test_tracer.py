"""The tracer: what spans say, where they stand, which are sent, and that none of it touches the application."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from nilometer import tracer
from nilometer.backends import registry
from nilometer.core.errors import UrlError
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.wire import traceparent
from nilometer.emit.tracer import Sampling, Tracer
from nilometer.emit.tracer.context import Remote, current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from nilometer.core.traces.span import Span

TRACE, SPAN = "4e3e0ec6293840b1850409eb1d4b0dee", "850409eb1d4b0dee"


@pytest.fixture(autouse=True)
def nowhere() -> Iterator[None]:
    token = current.set(None)
    yield
    current.reset(token)


@pytest.fixture
def url() -> str:
    return f"memory://tracer-{uuid4().hex}"


@pytest.fixture
def made(url: str) -> Iterator[Tracer]:
    found = Tracer(url, service="tables", project="nova", host="node1")
    yield found
    found.close()


def stored(tracer: Tracer, url: str) -> list[Span]:
    """Return what has arrived, in order of start."""
    assert tracer.flush()
    store = registry.open(url, registry.TRACES)
    traces = store.find_traces(EVERYTHING, 1000).traces
    return sorted((span for trace in traces for span in store.read_trace(trace.trace)), key=lambda span: span.start)


def by_name(made: Tracer, url: str) -> dict[str, Span]:
    return {span.name: span for span in stored(made, url)}


# -- spans -------------------------------------------------------------------------------------------------------------


def test_a_span_says_what_it_was_told(made: Tracer, url: str) -> None:
    with made.span("list", "server", limit=100) as span:
        span.set(found=12).update({"http.request.method": "GET"}).event("cache", hit=False).link(TRACE, SPAN, why="batch").ok()
    (found,) = stored(made, url)
    assert (found.name, found.kind, found.status) == ("list", "server", "ok")
    assert (found.service, found.project, found.host) == ("tables", "nova", "node1")
    assert found.attributes == {"limit": 100, "found": 12, "http.request.method": "GET"}
    assert (found.events[0].name, found.events[0].attributes) == ("cache", {"hit": False})
    assert found.links == ((TRACE, SPAN, {"why": "batch"}),)
    assert (len(found.trace), len(found.id), found.parent) == (32, 16, "")
    assert 0 < found.duration < 10**9


def test_spans_stand_below_each_other(made: Tracer, url: str) -> None:
    with made.span("a") as a:
        assert made.current() is a
        with made.span("b"), made.span("c"):
            pass
        with made.span("d"):
            pass
    assert made.current() is None
    found = by_name(made, url)
    assert [found[name].parent for name in "abcd"] == ["", found["a"].id, found["b"].id, found["a"].id]
    assert len({span.trace for span in found.values()}) == 1


def test_an_exception_goes_through_and_is_told(made: Tracer, url: str) -> None:
    with pytest.raises(LookupError), made.span("a"), made.span("b"):
        raise LookupError("gone")  # noqa: EM101 an application's
    for span in stored(made, url):
        assert (span.status, span.error, span.message) == ("error", "builtins.LookupError", "gone")


def test_a_span_is_begun_and_ended_by_hand_once(made: Tracer, url: str) -> None:
    span = made.span("a")
    span.end()
    span.start()
    span.end()
    span.end()
    span.fail("too late")
    assert [(each.name, each.status) for each in stored(made, url)] == [("a", "unset")]


def test_times_may_be_given(made: Tracer, url: str) -> None:
    made.span("a").start(1000).end(5000)
    made.span("b").start(1000).end(10)
    assert sorted((span.name, span.start, span.end) for span in stored(made, url)) == [("a", 1000, 5000), ("b", 1000, 1000)]


# -- decorators --------------------------------------------------------------------------------------------------------


def test_functions_of_every_kind_are_spans(made: Tracer, url: str) -> None:
    @made.trace
    def plain(number: int) -> int:
        return number + 1

    @made.trace(name="awaited")
    async def coroutine(number: int) -> int:
        with made.span("within"):
            await asyncio.sleep(0)
        return number + 1

    @made.span("steps")
    def steps() -> Iterator[int]:
        with made.span("step"):
            yield 1

    @made.span("stream")
    async def stream() -> AsyncIterator[int]:
        yield 1

    async def main() -> None:
        assert await coroutine(1) == 2
        assert [each async for each in stream()] == [1]

    assert plain(1) == 2
    asyncio.run(main())
    for _ in steps():
        assert made.current() is None
        with made.span("outside"):
            pass
    found = by_name(made, url)
    assert set(found) == {f"{plain.__qualname__}", "awaited", "within", "steps", "step", "stream", "outside"}
    assert found["within"].parent == found["awaited"].id
    assert found["step"].parent == found["steps"].id
    assert found["outside"].parent == ""
    assert found[plain.__qualname__].attributes == {"code.function.name": f"{plain.__module__}.{plain.__qualname__}"}


def test_classes_are_traced_method_by_method(made: Tracer, url: str) -> None:
    @made.trace_cls
    class Some:
        def method(self) -> str:
            return self._hidden()

        def _hidden(self) -> str:
            return "hidden"

        @classmethod
        def made(cls) -> type:
            return cls

        @staticmethod
        def plain() -> int:
            return 5

        @property
        def one(self) -> int:
            return 1

    assert (Some().method(), Some.made(), Some.plain(), Some().one) == ("hidden", Some, 5, 1)
    assert [span.name.rpartition(".")[2] for span in stored(made, url)] == ["method", "made", "plain"]


# -- contexts ----------------------------------------------------------------------------------------------------------


def test_tasks_and_threads_have_places_of_their_own(made: Tracer, url: str) -> None:
    async def work(name: str, seconds: float) -> None:
        with made.span(name):
            await asyncio.sleep(seconds)
            with made.span(f"{name}-inner"):
                await asyncio.sleep(seconds)

    async def main() -> None:
        with made.span("all"):
            await asyncio.gather(work("a", 0.02), work("b", 0.01))

    asyncio.run(main())
    seen: list[object] = []
    with made.span("root") as root, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: seen.append(made.current())).result()
        pool.submit(tracer.carried(lambda: seen.append(made.current()))).result()
    assert seen == [None, root]
    found = by_name(made, url)
    assert found["a"].parent == found["b"].parent == found["all"].id
    assert found["a-inner"].parent == found["a"].id
    assert found["b-inner"].parent == found["b"].id


# -- what may be stored ------------------------------------------------------------------------------------------------


def test_secrets_and_monsters_stay_out(made: Tracer, url: str) -> None:
    class Monster:
        def __str__(self) -> str:
            message = "no"
            raise RuntimeError(message)

    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    given = {"password": "hunter2", "url": "redis://:s3cret@h/0", "monster": Monster(), "deep": deep, "long": "x" * 100_000}
    with made.span("x" * 1000, **given, nested={"token": "t", "plain": float("nan")}, **{f"n{nr}": nr for nr in range(500)}):
        pass
    (found,) = stored(made, url)
    assert len(found.name) == 255
    assert len(found.attributes) == 128
    assert found.attributes["password"] == "***"  # noqa: S105 it is masked
    assert "s3cret" not in found.attributes["url"]
    assert found.attributes["monster"] == "<Monster>"
    assert found.attributes["nested"] == {"token": "***", "plain": "nan"}
    assert len(found.attributes["long"]) < 10_000


# -- sampling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampling", "least", "most"),
    [(Sampling(), 200, 200), (Sampling(ratio=0), 0, 0), (Sampling(ratio=0.5), 60, 140), (Sampling(rate=5), 5, 8)],
)
def test_a_part_of_the_traces_is_sent_whole(url: str, sampling: Sampling, least: int, most: int) -> None:
    made = Tracer(url, sampling=sampling)
    for _ in range(200):
        with made.span("a"), made.span("b"):
            pass
    found = stored(made, url)
    made.close()
    assert 2 * least <= len(found) <= 2 * most
    assert len({span.trace for span in found}) * 2 == len(found)


def test_what_fails_is_sent_though_it_was_not_drawn(url: str) -> None:
    made = Tracer(url, sampling=Sampling(ratio=0, on_error=True))
    for nr in range(4):
        with made.span(f"root{nr}"), made.span("inner") as inner:
            if nr == 2:
                inner.fail("no")
    found = stored(made, url)
    made.close()
    assert sorted(span.name for span in found) == ["inner", "root2"]


@pytest.mark.parametrize("wrong", [{"ratio": 2}, {"ratio": -1}, {"rate": -1}])
def test_wrong_sampling_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not"):
        Sampling(**wrong)  # type: ignore[arg-type]  # wrong on purpose


# -- headers -----------------------------------------------------------------------------------------------------------


def test_a_trace_goes_on_in_another_service(made: Tracer, url: str) -> None:
    with made.span("client") as client:
        headers = made.headers()
    assert headers == {"traceparent": f"00-{client.trace}-{client.id}-01"}
    above = made.caller({name.title(): value for name, value in headers.items()} | {"Tracestate": "a=b"})
    assert above == Remote(client.trace, client.id, sampled=True, state="a=b")
    current.set(above)
    with made.span("server"):
        assert made.headers()["tracestate"] == "a=b"
    found = by_name(made, url)
    assert found["server"].parent == found["client"].id
    assert found["server"].state == "a=b"


def test_what_a_caller_has_decided_holds(made: Tracer, url: str) -> None:
    current.set(made.caller({"traceparent": f"00-{TRACE}-{SPAN}-00"}))
    with made.span("a"):
        assert made.headers()["traceparent"].endswith("-00")
    assert stored(made, url) == []


def test_osprofilers_headers_are_signed_and_their_key_goes_on(url: str) -> None:
    made = Tracer(url, keys=("K1", "K2"), sampling=Sampling(signed=True))
    other = Tracer(url, keys=("K2",))
    with other.span("caller") as caller:
        headers = other.headers()
    assert {"X-Trace-Info", "X-Trace-HMAC", "traceparent"} == headers.keys()
    with made.span("not asked for"):
        pass
    signed = {name: headers[name] for name in ("X-Trace-Info", "X-Trace-HMAC")}
    above = made.caller(signed)
    assert above is not None
    assert (above.trace, above.id, above.key) == (caller.trace, caller.id, "K2")
    current.set(above)
    with made.span("asked for"):
        assert made.caller(made.headers()) is not None
        assert Tracer(keys=("K1",)).caller({name: value for name, value in made.headers().items() if "race-" in name}) is None
    assert sorted(span.name for span in stored(made, url) if span.name != "caller") == ["asked for"]
    made.close()
    other.close()


@pytest.mark.parametrize(
    "wrong",
    ["", "x", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-01-x"],
)
def test_a_traceparent_that_is_none_is_left_out(wrong: str) -> None:
    assert traceparent.read(wrong) is None


def test_a_traceparent_of_a_version_to_come_is_read() -> None:
    assert traceparent.read(f"01-{TRACE}-{SPAN}-03-more") == (TRACE, SPAN, True, "")
    assert traceparent.known("a=b, c=d") == "a=b,c=d"
    assert traceparent.known("a=b,a=c") == traceparent.known("no") == traceparent.known("x" * 600) == ""


# -- the process -------------------------------------------------------------------------------------------------------


def test_without_a_url_nothing_is_sent_and_nothing_fails() -> None:
    made = Tracer()
    with made.span("a") as span:
        assert span.sampled is False
    assert made.flush()
    assert made.losses() == {}


def test_a_wrong_url_is_refused_at_once() -> None:
    with pytest.raises(UrlError):
        Tracer("graphite://h")


def test_the_tracer_of_the_process_may_be_set_up_after_functions_were_decorated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracer, "_default", None)

    @tracer.trace
    def early() -> None:
        with tracer.span("inner"):
            assert tracer.current() is not None

    early()
    made = tracer.configure(url, service="s")

    class Traced(metaclass=tracer.TracedMeta):
        def method(self) -> None: ...

        def _private(self) -> None: ...

    early()
    Traced().method()
    Traced()._private()
    assert [span.name.rpartition(".")[2] for span in stored(made, url)] == ["early", "inner", "method"]
    tracer.close()


def test_the_environment_sets_it_up(url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(tracer, "_default", None)
    monkeypatch.setenv("NILOMETER_TRACES", url)
    monkeypatch.setenv("NILOMETER_SERVICE", "shop")
    with tracer.span("a"):
        assert tracer.headers()
    assert [span.service for span in stored(tracer.default(), url)] == ["shop"]
    tracer.close()
    monkeypatch.setattr(tracer, "_default", None)
    monkeypatch.setenv("NILOMETER_TRACES", "graphite://h")
    with tracer.span("b"):
        pass
    assert "nothing is traced: NILOMETER_TRACES" in caplog.text


def test_a_forked_child_sends_its_own(made: Tracer, url: str) -> None:
    with made.span("before"):
        pass
    assert made.flush()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  another process
        with made.span("child"):
            pass
        names = [span.name for span in stored(made, url)]
        os.write(write, ",".join(names).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 1000) == b"before,child"


def test_a_backend_that_is_away_costs_nothing_and_is_counted(tmp_path: Path) -> None:
    made = Tracer("redis://127.0.0.1:9?timeout=1s")
    for _ in range(12_000):
        with made.span("a"):
            pass
    made.close(0.1)
    assert made.losses() == {"sink": 12_000}
    kept = Tracer("redis://127.0.0.1:9?timeout=1s", spool=tmp_path)
    with kept.span("a"):
        pass
    kept.close(2)
    assert kept.losses() == {}
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".spans"]


def test_threads_trace_at_once(made: Tracer, url: str) -> None:
    def work() -> None:
        for _ in range(200):
            with made.span("a"), made.span("b"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert made.flush()
    assert made.losses() == {}
    assert registry.open(url, registry.HEALTH).check()
