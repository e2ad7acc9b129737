"""``nilometer events send``: one event, to a server or to whatever takes events."""

from __future__ import annotations

import socket
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from nilometer.cli.asking import SERVER
from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.core.errors import ConfigError, InputError
from nilometer.core.wire.event import PRIORITIES

if TYPE_CHECKING:
    from nilometer.cli.link import Access
    from nilometer.core.record import Event

WEB = ("http", "https")


@click.command(
    cls=Command,
    examples=[
        Example("Something happened", "nilometer events send deploy.end"),
        Example("With what there is to say", 'nilometer events send deploy.end --payload \'{"version": "1.2"}\' --tenant shop'),
        Example("What a file says", "nilometer events send backup.error --priority error --payload @report.json"),
        Example("To a bus instead of a server", "nilometer events send deploy.end --to amqp://guest:guest@localhost"),
        Example("Straight into a store", "nilometer events send deploy.end --to sqlite:///events.db"),
    ],
    exits={0: "sent: the other side has it", 1: "not sent", 2: "wrong use, or an event that is none"},
)
@click.argument("event_type", metavar="TYPE")
@click.option("--payload", default="{}", metavar="JSON", help="A JSON object; @FILE reads a file, - standard input.")
@click.option("--priority", type=Choice(PRIORITIES), default="info", show_default=True, help="How much it matters.")
@click.option("--tenant", default="", metavar="NAME", help="Whom it is about.")
@click.option("--publisher", default=socket.gethostname, metavar="NAME", help="Who tells it; by default this host's name.")
@click.option("--id", "event_id", default="", metavar="ID", help="The same id twice is one event; a new one by default.")
@click.option("--to", default=SERVER, show_default=True, metavar="URL", help="A server, or a backend that takes events.")
@with_access("", "the server", "access")
def send(  # noqa: PLR0913 each is an option
    event_type: str, *, payload: str, priority: str, tenant: str, publisher: str, event_id: str, to: str, access: Access
) -> None:
    """Send one event, and print its id.

    TYPE says what happened, in words with dots between, such as table.create.end.
    """
    from nilometer.core.wire import bounded_json  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.wire import event as wire  # noqa: PLC0415 likewise

    fields = {"id": event_id or str(uuid.uuid4()), "type": event_type, "priority": priority}
    try:
        found = bounded_json.read_object(_read(payload))
        event = wire.checked(**fields, time=time.time(), tenant=tenant, publisher=publisher, payload=found)
    except InputError as error:
        message = f"nothing sent: {error}"
        raise ConfigError(message) from error
    _send(event, to, access)
    click.echo(event.id)


def _read(payload: str) -> bytes:
    """Return the bytes of a payload. Raise `ConfigError` for a file that cannot be read."""
    if payload == "-":
        return sys.stdin.buffer.read()
    if not payload.startswith("@"):
        return payload.encode("utf-8", "surrogateescape")
    try:
        return Path(payload[1:]).expanduser().read_bytes()
    except OSError as error:
        message = f"--payload: {payload[1:]} cannot be read: {error.strerror or error}"
        raise ConfigError(message) from error


def _send(event: Event, to: str, access: Access) -> None:
    """Hand the event over. Raise `NilometerError`."""
    if urlsplit(to).scheme in WEB:
        from nilometer.cli import asking  # noqa: PLC0415 only this way needs it
        from nilometer.core.wire.event import as_object  # noqa: PLC0415 likewise

        asking.send(asking.link_to(to, access), "POST", "/events", as_object(event))
        return
    from nilometer.backends import registry  # noqa: PLC0415 only this way needs it

    sink = registry.open(to, registry.EVENTS)
    try:
        sink.write_events([event])
    finally:
        sink.close()
