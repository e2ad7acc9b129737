"""``nilometer demo``: a server, a service and its customers on this machine, to look at; Ctrl-C ends all of it.

Rules:

* On a terminal the last line tells what happens now; elsewhere a line tells it every `TOLD` seconds.
* A terminal that is closed is written to no more, and everything ends all the same.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, TextIO, cast

import click

from nilometer.cli.duration import DurationType
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.demo.signals import Ending
    from nilometer.demo.stage import Stage

TOLD = 10.0
TICK = 1.0
"""Seconds between two looks at what happens."""


@click.command(
    cls=Command,
    examples=[
        Example("Look at it; Ctrl-C ends it", "nilometer demo"),
        Example("Open the page in a browser, at a port of its own", "nilometer demo --open --port 8130"),
        Example("More traffic, for one minute", "nilometer demo --rate 100 --duration 1m"),
    ],
    exits={0: "ended by Ctrl-C, by SIGTERM, or after --duration", 1: "a part could not start, or ended by itself"}
    | {2: "wrong use, or a package is missing"},
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port of the page; without it, one that is free.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 1000), default=20.0, show_default=True, help="Requests a second, in steady times."
)
@click.option("--duration", type=DurationType(), help="End after so long, such as 60s, counted from the URL.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
def command(*, port: int, rate: float, duration: float | None, open_page: bool) -> int:
    """Show Nilometer at work.

    Starts a server, the table service of the examples, and traffic with bursts, errors and slow calls; prints the URL of the
    page that shows it. Everything is on this machine, on free ports, in a temporary directory; when it ends, nothing is left.
    """
    from nilometer.demo.signals import ending  # noqa: PLC0415 help needs none of it
    from nilometer.demo.stage import Stage, Wanted  # noqa: PLC0415 see above

    with ending() as signals, Stage(Wanted(port, rate), signals) as stage:
        teller = Teller(signals.enough.set)
        _start(stage, signals, teller)
        if not signals.enough.is_set():
            _show(stage, teller, open_page=open_page)
            _watch(stage, signals, teller, duration)
        teller.say("ending …")
    return DONE


def _start(stage: Stage, signals: Ending, teller: Teller) -> None:
    """Bring everything up, telling what is being started."""
    begun = time.monotonic()
    before = ""
    with teller.now("starting …") as update:
        for step in stage.start():
            if before:
                teller.say(f"[green]✓[/] {before}")
            before = step
            update(f"{step} …")
        if not signals.enough.is_set():
            teller.say(f"[green]✓[/] {before}, after {time.monotonic() - begun:.1f} s")


def _show(stage: Stage, teller: Teller, *, open_page: bool) -> None:
    from nilometer.demo.page import address  # noqa: PLC0415 help needs none of it

    url = address(stage.base)
    teller.say(f"\nLook at [bold cyan]{url}[/]\nCtrl-C ends everything.\n")
    if open_page:
        click.launch(url)


def _watch(stage: Stage, signals: Ending, teller: Teller, duration: float | None) -> None:
    """Tell what happens until it is enough. Raise `Unavailable` when a part ends by itself."""
    begun = time.monotonic()
    told = -TOLD
    with teller.now("…") as update:
        while not signals.enough.wait(TICK):
            stage.check()
            passed = time.monotonic() - begun
            summary = f"{passed // 60:.0f}:{passed % 60:02.0f}  {stage.figures() or 'no figures yet'}"
            update(summary)
            if not teller.live and passed - told >= TOLD:
                teller.say(summary)
                told = passed
            if duration is not None and passed >= duration:
                return


class Teller:
    """Writes to standard output; when nobody takes that any more, writes nothing, and calls `gone`."""

    def __init__(self, gone: Callable[[], None]) -> None:
        from rich.console import Console  # noqa: PLC0415 help needs no rich

        self._gone, self._output = gone, sys.stdout  # rich puts something else in its place while it draws
        self._console = Console(file=cast("TextIO", self), highlight=False, soft_wrap=True)
        self.live = self._console.is_terminal

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._console.print(text)

    @contextlib.contextmanager
    def now(self, text: str) -> Iterator[Callable[[str], None]]:
        """Give what changes the last line, on a terminal; the line is gone in the end."""
        from rich.text import Text  # noqa: PLC0415 help needs no rich

        with self._console.status(text) as status:
            yield lambda text: status.update(Text(text, no_wrap=True, overflow="ellipsis"))

    def write(self, text: str) -> int:
        """Write, as a file does; this and the next two are what rich asks of one."""
        with self._watched():
            return self._output.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._watched():
            self._output.flush()

    def isatty(self) -> bool:
        """Say whether this is a terminal."""
        return self._output.isatty()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._output.fileno())
            os.close(nowhere)
            self._gone()
