"""``nilometer health``: asks health checks, and shows what they say or sends it to a StatsD server as gauges, 1 and 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.cli.collecting import showing
from nilometer.cli.collecting.running import Runs, with_running
from nilometer.cli.duration import DurationType
from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.collect.health import samples
from nilometer.core.url import named

if TYPE_CHECKING:
    from threading import Event

    from nilometer.cli.collecting.running import Wish
    from nilometer.cli.link import Access
    from nilometer.collect.health import Checker
    from nilometer.collect.sample import Sample


@click.command(
    cls=Command,
    examples=[
        Example("Is a MagnetoDB well, all of it", "nilometer health magnetodb+http://localhost:8480"),
        Example(
            "As gauges in a StatsD server, every minute",
            "nilometer health magnetodb+http://localhost:8480 --to statsd://localhost",
        ),
        Example("Any service that answers in JSON, by a name", "nilometer health shop=https://shop.example/actuator/health"),
        Example("For a script: 0 when all are well", "nilometer health --once --json http://localhost:8127/api/v1/health"),
    ],
    exits={0: "all are well", 1: "one is not, or a line was lost", 2: "wrong use, or a wrong URL"},
)
@click.option("--timeout", type=DurationType(0.1, 3600), default="10s", show_default=True, help="Longest time for an answer.")
@click.argument("urls", nargs=-1, required=True, metavar="[NAME=]URL...")
@with_access("", "who is asked", "access")
@with_running("checks")
def command(urls: tuple[str, ...], *, timeout: float, access: Access, wish: Wish) -> int:
    """Ask health checks, and tell what they say, or send it on.

    A check is up when it answers with success and nothing in its JSON is down: words such as UP and ERROR, true and false,
    however deep they stand. Its gauges are 1 and 0: NAME.all, and one for each part. A MagnetoDB, or a URL with the path
    /healthcheck, has magnetodb.health.all, .api, .identity, .storage and .messaging; any other health.NAME.all.
    """
    from nilometer.cli.collecting import opening  # noqa: PLC0415 help needs no backends

    checker = opening.checker(map(named, urls), access, seconds=wish.seconds, at_once=wish.at_once, timeout=timeout)
    return Runs("health", wish, lambda stop: _run(checker, wish, stop)).go()


def _run(checker: Checker, wish: Wish, stop: Event) -> tuple[list[Sample], bool]:
    found = checker.run(stop)
    if wish.form:
        showing.checks(found, wish.form)
    for name, health in found:
        if health.reason and wish.form != showing.TABLE:
            showing.say(f"{name}: {health.reason}")
    return list(samples(found, wish.prefix)), all(health.up for _, health in found)
