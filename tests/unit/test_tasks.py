"""Background work: what is sent of it, by whichever way it is measured, and that it is never hurt."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from celery import Celery  # type: ignore[import-untyped]  # it has no types
from celery.contrib.testing.worker import start_worker  # type: ignore[import-untyped]  # likewise
from celery.signals import setup_logging  # type: ignore[import-untyped]  # likewise
from dramatiq.brokers.stub import StubBroker
from hypothesis import given
from hypothesis import strategies as st

from nilometer import Notifier
from nilometer.core.bounded import OTHER
from nilometer.emit.tasks import Tasks
from nilometer.emit.tasks import celery as celery_hooks
from nilometer.emit.tasks import dramatiq as dramatiq_hooks
from nilometer.emit.tasks.runs import MOST, Runs
from nilometer.testing.events import Recorded
from nilometer.testing.recorder import Recorder
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator


class Kept(Recorder):
    """Keeps what it is given, and counts how often it is asked to flush."""

    def __init__(self) -> None:
        super().__init__()
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


class Clock:
    """Goes on by a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def tasks(kept: Kept) -> Tasks:
    return Tasks(kept, clock=Clock())


def test_a_block_sends_its_time(kept: Kept, tasks: Tasks) -> None:
    with tasks.measure("table.create"):
        pass
    assert kept.lines == [("ms", "table.create.timing", 1000.0, 1.0, {})]


def test_what_raises_sends_its_time_once_more(kept: Kept, tasks: Tasks) -> None:
    with pytest.raises(ZeroDivisionError), tasks.measure("table.create"):
        _ = 1 / 0
    assert kept.stats() == ["table.create.timing", "table.create.timing.error"]


def test_a_failure_may_be_told_without_an_exception(kept: Kept, tasks: Tasks) -> None:
    with tasks.measure("t") as activity:
        activity.fail()
    with tasks.measure("t"):
        pass
    assert kept.stats() == ["t.timing", "t.timing.error", "t.timing"]


def test_functions_of_all_kinds_stay_what_they_are(kept: Kept, tasks: Tasks) -> None:
    @tasks.measure("plain")
    def plain(value: int) -> int:
        """Say it."""
        return value

    @tasks.measure("coroutine")
    async def coroutine(value: int) -> int:
        return value

    @tasks.measure("generator")
    def generator() -> Generator[int, int, None]:
        got = yield 1
        yield got

    @tasks.measure("asynchronous")
    async def asynchronous() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> tuple[int, list[int]]:
        return await coroutine(2), [each async for each in asynchronous()]

    assert plain(1) == 1
    assert plain.__doc__ == "Say it."
    assert asyncio.run(main()) == (2, [1, 2])
    running: Any = generator()
    assert kept.stats() == ["plain.timing", "coroutine.timing", "asynchronous.timing"]
    assert (next(running), running.send(7)) == (1, 7)
    running.close()
    assert kept.stats()[3:] == ["generator.timing"]


def test_calls_may_overlap(kept: Kept, tasks: Tasks) -> None:
    @tasks.measure("t")
    async def work() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(3)))

    asyncio.run(main())
    assert [line.value for line in kept.lines] == [3000.0, 3000.0, 3000.0]


def test_a_notifier_emits_the_events_of_an_activity(kept: Kept) -> None:
    recorded = Recorded()
    tasks = Tasks(kept, rate=0, notifier=Notifier(recorded.url, publisher="shop.h"))
    with tasks.measure("table.create"):
        pass
    with pytest.raises(ZeroDivisionError), tasks.measure("table.create"):
        _ = 1 / 0
    with tasks.measure("table.create") as activity:
        activity.fail()
    assert recorded.types == [f"shop.table.create.{what}" for what in ("start", "end", "start", "error", "start", "error")]
    assert [each["message"] for each in recorded.of("shop.table.create.error")] == ["division by zero", "failed"]
    assert kept.lines == []


def test_a_client_that_raises_does_not_hurt_the_task(tasks: Tasks) -> None:
    tasks.client = None  # type: ignore[assignment]  # has no `emit`
    with tasks.measure("t"):
        pass
    assert tasks.failures == 1


def test_a_sample_is_drawn_once_for_all_lines_of_an_activity(kept: Kept) -> None:
    tasks = Tasks(kept, rate=0.5)
    for _ in range(2000):
        tasks.done("t", 1, error=True)
    counts = Counter(kept.stats())
    assert counts["t.timing"] == counts["t.timing.error"]
    assert 850 < counts["t.timing"] < 1150
    assert {line.rate for line in kept.lines} == {0.5}


def test_names_are_templates_and_bounded(kept: Kept) -> None:
    tasks = Tasks(kept, timing="work.{task}.ms", tags=(("host", "a"),), max_names=2)
    for name in ("a b:c|d\n", "second", "third"):
        tasks.done(name, 1)
    assert kept.stats() == ["work.a_b_c_d.ms", "work.second.ms", f"work.{OTHER}.ms"]
    assert kept.lines[0].tags == {"host": "a"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timing": "constant"}, "timing: 'constant' holds no {task}"),
        ({"error": "{task}.{host}"}, "error: .* asks for 'host'"),
        ({"wait": "{task"}, "wait: .* is no template"),
        ({"rate": 2}, "rate: expected a number from 0 to 1, not 2"),
    ],
)
def test_wrong_options_are_told_when_they_are_given(kept: Kept, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tasks(kept, **options)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_runs_are_forgotten_when_they_end(steps: list[tuple[str, bool]]) -> None:
    runs, model = Runs(), dict[str, float]()
    for moment, (run, begins) in enumerate(steps):
        if begins:
            runs.begin(run, moment)
            model[run] = moment
        else:
            assert runs.end(run) == model.pop(run, None)


def test_runs_whose_end_nobody_tells_do_not_pile_up() -> None:
    runs = Runs()
    for run in range(MOST + 1):
        runs.begin(str(run), run)
    assert (runs.end("0"), runs.end("1")) == (None, 1)


def no_logging(**_: object) -> None:
    """Have Celery leave the root logger to the tests."""


def test_celery_tasks_are_measured_in_their_worker(kept: Kept) -> None:
    app = Celery("test", broker="memory://", backend="cache+memory://")

    @app.task(name="shop.add")  # type: ignore[untyped-decorator]  # Celery has no types
    def add(left: int, right: int) -> int:
        return left + right

    @app.task(name="shop.fail")  # type: ignore[untyped-decorator]  # likewise
    def fail() -> None:
        raise ValueError

    @app.task(name="shop.again", bind=True, max_retries=1)  # type: ignore[untyped-decorator]  # likewise
    def again(self: Any) -> str:  # noqa: ANN401 Celery's
        if not self.request.retries:
            raise self.retry(countdown=0)
        return "done"

    recorded = Recorded()
    notifier = Notifier(recorded.url, publisher="shop.worker1")
    stop = celery_hooks.install(Tasks(kept, notifier=notifier), wait=True)
    setup_logging.connect(no_logging)
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="CRITICAL"):
        assert add.delay(1, 2).get(timeout=20) == 3
        with pytest.raises(ValueError):  # noqa: PT011 its own has no message
            fail.delay().get(timeout=20)
        assert again.delay().get(timeout=20) == "done"
        until(lambda: len(kept.lines) >= 10, "all lines", 20, lambda: str(kept.stats()))
        until(lambda: len(recorded.events) >= 8, "all events", 20, lambda: str(recorded.types))
    stop()
    setup_logging.disconnect(no_logging)
    assert Counter(kept.stats()) == {
        "shop.add.wait_timing": 1,
        "shop.add.timing": 1,
        "shop.fail.wait_timing": 1,
        "shop.fail.timing": 1,
        "shop.fail.timing.error": 1,
        "shop.again.wait_timing": 2,
        "shop.again.timing": 2,
        "shop.again.retries": 1,
    }
    assert recorded.types == [
        *("shop.add.start", "shop.add.end", "shop.fail.start", "shop.fail.error"),
        *("shop.again.start", "shop.again.retry", "shop.again.start", "shop.again.end"),
    ]
    assert recorded.of("shop.fail.error")[0]["message"] == "ValueError"
    assert {event.payload["task_id"] for event in recorded.events[:2]} == {recorded.events[0].payload["task_id"]} != {""}
    celery_hooks.Hooks(Tasks(kept)).flush()
    assert kept.flushes == 1


@pytest.mark.parametrize(("eta", "seconds"), [(None, None), ("2026-01-01T00:00:00+00:00", 1767225600.0)])
def test_a_task_with_an_eta_waits_from_then_on(eta: str | None, seconds: float | None) -> None:
    assert celery_hooks.due(eta) == seconds


def test_dramatiq_actors_are_measured_in_their_worker(kept: Kept) -> None:
    broker = StubBroker(middleware=[])
    broker.add_middleware(dramatiq.middleware.Retries(max_retries=1, min_backoff=1, max_backoff=1))
    recorded = Recorded()
    notifier = Notifier(recorded.url, publisher="shop.worker1")
    broker.add_middleware(dramatiq_hooks.middleware(Tasks(kept, notifier=notifier)))
    failures = []

    @dramatiq.actor(broker=broker, actor_name="shop.add")
    def add() -> None:
        pass

    @dramatiq.actor(broker=broker, actor_name="shop.once")
    def once() -> None:
        failures.append(1)
        if len(failures) == 1:
            message = "at first"
            raise ValueError(message)

    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_timeout=20)
    worker.start()
    add.send()
    once.send()
    until(lambda: len(kept.lines) >= 8, "all lines", 20, lambda: str(kept.stats()))
    worker.stop()
    assert Counter(recorded.types) == {
        "shop.add.start": 1,
        "shop.add.end": 1,
        "shop.once.start": 2,
        "shop.once.error": 1,
        "shop.once.end": 1,
    }
    assert recorded.of("shop.once.error")[0]["message"] == "at first"
    assert Counter(kept.stats()) == {
        "shop.add.wait_timing": 1,
        "shop.add.timing": 1,
        "shop.once.wait_timing": 2,
        "shop.once.timing": 2,
        "shop.once.timing.error": 1,
        "shop.once.retries": 1,
    }
    assert kept.flushes == 1
    assert min(line.value for line in kept.lines) >= 0
