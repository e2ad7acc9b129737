"""``nilometer usage audit``: the events ``*.table.usage`` of one period."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from threading import Event as Signal
from typing import TYPE_CHECKING

import click

from nilometer.backends import registry
from nilometer.cli.choice import Choice
from nilometer.cli.collecting import showing
from nilometer.cli.duration import DurationType
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE, FAILED
from nilometer.cli.options import with_state
from nilometer.cli.usage.store import NONE, moment, opened, own, with_store
from nilometer.collect.tables import Bounds
from nilometer.collect.usage import period as periods
from nilometer.core.errors import SettingError
from nilometer.core.event_types import EVERY, SERVICE, Registry
from nilometer.core.wire import event as wire
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.cli.options import Chosen
    from nilometer.collect.usage.period import Period
    from nilometer.core.capability import EventSink
    from nilometer.core.record import Event

BATCH = 500
LENGTHS = tuple(periods.LENGTHS)


@click.command(
    cls=Command,
    examples=[
        Example(
            "What tables took in the last hour, on standard output",
            "nilometer usage audit magnetodb+http://localhost:8480 --period hour",
        ),
        Example(
            "Yesterday's usage to RabbitMQ, as a job of cron has it",
            "nilometer usage audit magnetodb+http://localhost:8480 --period day --to 'amqp://localhost?exchange=magnetodb&envelope=2'",
        ),
        Example(
            "An hour of the past into the store, from what events said alone",
            "nilometer usage audit --period hour --at 2026-11-23T06:30:00 --to sqlite:////var/lib/nilometer/events.db",
        ),
    ],
    exits={0: "everything was read and told", 1: "a source or a table could not be read, or a driver did not take the events"}
    | {2: "wrong use, or a wrong URL"},
)
@click.argument("sources", nargs=-1, metavar="[SOURCE_URL]...")
@click.option(
    "--period", "length", type=Choice(LENGTHS), default=LENGTHS[0], show_default=True, help="How long a period is, in UTC."
)
@click.option("--at", default="", metavar="TIME", help="A moment in the period; by default the last period that is over.")
@click.option(
    "--to", multiple=True, metavar="URL", help="A driver that takes the events; any number. Without one they are printed."
)
@click.option(
    "--service", default=SERVICE, show_default=True, help="Whose tables these are: the first part of the events' types."
)
@click.option("--publisher", default="", help="Who tells; by default SERVICE.HOST.")
@click.option(
    "--deadline", type=DurationType(1, 86400), default="60s", show_default=True, help="How long the sources may take."
)
@with_store
@with_state
def audit(  # noqa: PLR0913 the options of the command
    sources: tuple[str, ...],
    *,
    length: str,
    at: str,
    to: tuple[str, ...],
    service: str,
    publisher: str,
    deadline: float,
    store: str,
    chosen: Chosen,
) -> int:
    """Tell what tables took in a period, an event for each table and index.

    Tables are those that each SOURCE_URL has now, and those that events of the period name. The same period makes the same
    events under the same ids however often it is told, so telling it again adds nothing to a bill.
    """
    from nilometer.cli.collecting import opening  # noqa: PLC0415 help needs no backends
    from nilometer.collect.usage import audit as made  # noqa: PLC0415 see above
    from nilometer.collect.usage.activity import activity  # noqa: PLC0415 see above

    period = _period(length, at)
    about = made.Audit(service, publisher or f"{service}.{socket.gethostname()}", period)
    with ExitStack() as cleanup:
        drivers = [registry.open(url, registry.EVENTS) for url in to]
        for driver in drivers:
            cleanup.callback(driver.close)
        reader = opening.reader(sources, Bounds(seconds=deadline))
        cleanup.callback(reader.close)
        events = cleanup.enter_context(opened(store, _usual(chosen)))
        active = {} if events is None else activity(events, period, Registry(EVERY))
        readings = reader.run(Signal()) if sources else []
        told = list(made.usage(about, readings, active))
        _tell(told, drivers)
    showing.complain(readings)
    _conclude(told, period, len(drivers))
    return FAILED if any(reading.error or reading.faulty for reading in readings) else DONE


def _period(length: str, at: str) -> Period:
    """Return the period that is meant. Raise `SettingError` for one that is not over."""
    now = time.time()
    if not at:
        return periods.last(length, now)
    found = periods.containing(length, moment(at, now, "at"))
    if found.end > now:
        message = f"--at: the {length} that {at} lies in ends at {rfc3339.encode(found.end)} only"
        raise SettingError(message)
    return found


def _usual(chosen: Chosen) -> str:
    """Return the URL of the server's own store on this machine, or none where there is none yet."""
    file = own(chosen)
    return f"sqlite:///{file}" if file.exists() else NONE


def _tell(events: Sequence[Event], drivers: Sequence[EventSink]) -> None:
    """Give the events to each driver, or print them. Raise `DeliveryError` when one does not take them."""
    for driver in drivers:
        for first in range(0, len(events), BATCH):
            driver.write_events(events[first : first + BATCH])
    if not drivers:
        for event in events:
            click.echo(wire.encode(event))


def _conclude(events: Sequence[Event], period: Period, drivers: int) -> None:
    """Say on a terminal, or where events are not printed, how many there were."""
    if drivers or sys.stderr.isatty():
        start, end = (rfc3339.encode(each) for each in period)
        click.echo(f"{len(events):,} events of the period from {start} to {end}", err=True)
