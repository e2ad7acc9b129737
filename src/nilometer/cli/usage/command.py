"""The group ``nilometer usage``."""

from __future__ import annotations

import click

from nilometer.cli.help import Example, Group
from nilometer.cli.usage.audit import audit
from nilometer.cli.usage.totals import totals


@click.group(
    cls=Group,
    examples=[
        Example(
            "Tell what each table took in the last hour, as events in RabbitMQ",
            "nilometer usage audit magnetodb+http://localhost:8480 --period hour --to 'amqp://localhost?exchange=magnetodb&envelope=2'",
        ),
        Example("Who read, wrote and stored how much in the last 30 days", "nilometer usage totals --since -30d"),
    ],
)
def command() -> None:
    """Tell what tables took in a period, and add usage up.

    The audit makes an event for each table and index; the same period twice makes the same events under the same ids, which
    every store here keeps once. Totals are taken over whatever the store of events holds, from all publishers.
    """


command.add_command(audit)
command.add_command(totals)
