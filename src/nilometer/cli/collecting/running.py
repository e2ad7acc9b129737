"""One run, or one after the other until a signal; and the options of commands that collect."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nilometer.cli.collecting.showing import CSV, JSON, TABLE
from nilometer.cli.duration import DurationType
from nilometer.cli.main import DONE, FAILED, complain
from nilometer.collect.schedule import SHARE, Periodic, Timing
from nilometer.core.quantity import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.cli.collecting.sending import ToStatsd
    from nilometer.collect.sample import Sample
    from nilometer.core.quantity import Duration

F = TypeVar("F", bound="Callable[..., object]")
STOP = 10.0
"""Seconds that what goes on may take when a signal ends it, and that the last lines may take to go out."""
USUAL = 60.0
LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options say. `every` is None for one run; `form` is empty when nothing is to be shown."""

    to: str
    prefix: str
    every: float | None
    timing: Timing
    at_once: int
    seconds: float
    form: str

    def sink(self) -> ToStatsd | None:
        """Return where samples go; None for nowhere. Raise `UrlError`."""
        from nilometer.cli.collecting.sending import ToStatsd  # noqa: PLC0415 who only looks needs no client

        return ToStatsd(self.to) if self.to else None


def with_running(what: str) -> Callable[[F], F]:
    """Give a command the options that say where to, how often and how, as the argument ``wish``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)  # with it go the options that it has already
        def call(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 click's own arguments pass through
            return function(*args, wish=_wish({name: kwargs.pop(name) for name in NAMES}), **kwargs)

        decorated: Any = call
        for option in reversed(_options(what)):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]  # click's decorators return what they are given

    return decorate


NAMES = ("to", "prefix", "once", "every", "delay", "jitter", "align", "at_once", "deadline", "form")


def _options(what: str) -> list[Callable[[Any], Any]]:
    number = click.IntRange(1, 100)
    return [
        click.option(
            "--to", default="", metavar="URL", help="The StatsD server that gets the gauges, such as statsd://localhost."
        ),
        click.option("--prefix", default="", metavar="NAME", help="Put before every name."),
        click.option("--once", is_flag=True, help=f"Ask {what} once and end; so it is without --to, too."),
        click.option("--every", type=DurationType(1, 86400), help="Ask again and again, so often; with --to, every 60s."),
        click.option("--delay", type=DurationType(0, 86400), default="0s", help="Time before the first run."),
        click.option(
            "--jitter", type=DurationType(0, 86400), default="0s", help="Begin each run up to so much later, by chance."
        ),
        click.option("--align", is_flag=True, help="Begin runs on multiples of --every of the clock."),
        click.option("--at-once", type=number, default=4, show_default=True, help=f"How many {what} are asked at a time."),
        click.option(
            "--deadline",
            type=DurationType(0.1, 86400),
            help="How long a run may take; without it nine tenths of --every, or 10m.",
        ),
        click.option("--json", "form", flag_value=JSON, help="Print one JSON object a run."),
        click.option("--csv", "form", flag_value=CSV, help="Print CSV."),
        click.option("--table", "form", flag_value=TABLE, help="Print a table; so it is without --to."),
    ]


def _wish(given: dict[str, Any]) -> Wish:
    """Return what the options say. Raise click's error for those that do not go together."""
    every: Duration | None = given["every"]
    if given["once"] and every is not None:
        message = "--once and --every do not go together"
        raise click.UsageError(message)
    period = None if given["once"] else every or (USUAL if given["to"] else None)
    seconds = given["deadline"] or (period * SHARE if period else 10 * USUAL)
    timing = Timing(period or USUAL, given["delay"], given["jitter"], given["align"])
    form = given["form"] or ("" if given["to"] else TABLE)
    return Wish(given["to"], given["prefix"], period, timing, given["at_once"], seconds, form)


class Runs:
    """Runs of a command: `work` is one, gets the event that ends it early, shows what it found and returns the samples.

    It returns, too, whether all was well.
    """

    def __init__(self, name: str, wish: Wish, work: Callable[[threading.Event], tuple[Iterable[Sample], bool]]) -> None:
        self._name, self._wish, self._work = name, wish, work
        self._sink = wish.sink()
        self._lost: dict[str, int] = {}

    def go(self) -> int:
        """Run once, or until a signal, and return the exit code."""
        try:
            code = self._once() if self._wish.every is None else self._again_and_again()
        finally:
            if self._sink is not None:
                self._sink.close(STOP)
        return code if self._told_losses() else FAILED

    def _once(self) -> int:
        return DONE if self._run(threading.Event()) else FAILED

    def _again_and_again(self) -> int:
        from nilometer.demo.signals import ending  # noqa: PLC0415 one run needs it not

        with ending() as signals:
            periodic = Periodic(self._name, self._tell, self._wish.timing)
            periodic.start()
            while not signals.enough.wait(LOOK):
                pass
            periodic.stop(STOP)
        return DONE

    def _tell(self, stop: threading.Event) -> None:
        self._run(stop)
        self._told_losses()

    def _run(self, stop: threading.Event) -> bool:
        samples, good = self._work(stop)
        if self._sink is not None:
            count = self._sink.send(samples)
            if not self._wish.form:
                again = f", again every {written(self._wish.every)}" if self._wish.every else ""  # type: ignore[arg-type]  # a duration
                click.echo(f"{count:,} gauges sent to {self._wish.to.partition('?')[0]}{again}")
        return good

    def _told_losses(self) -> bool:
        """Say what was lost since the last time; return whether nothing ever was."""
        lost = {} if self._sink is None else self._sink.lost()
        grown = {reason: number - self._lost.get(reason, 0) for reason, number in lost.items()}
        if told := ", ".join(f"{number:,} {reason}" for reason, number in grown.items() if number):
            complain(f"lines lost on the way to {self._wish.to.partition('?')[0]}: {told}")
        self._lost = lost
        return not lost
