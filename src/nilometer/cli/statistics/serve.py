"""``nilometer statistics serve``: a server that has nothing but statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.options import with_settings
from nilometer.core import url as urls
from nilometer.core.errors import UrlError

if TYPE_CHECKING:
    from nilometer.cli.options import Chosen
    from nilometer.cli.plan import Plan

USUAL = "127.0.0.1:8127"
BUS = """Where messages come from: amqp://HOST (RabbitMQ, all of amq.topic), fedora-messaging:///FILE.toml, nats://HOST,
kafka://HOST; may be repeated. As --statistics-buses."""
STORE = """Where the inbox and the rows are: sqlite:///FILE or postgresql://USER@HOST/DATABASE; by default a file in
server.state. As --statistics-store."""
ARCHIVE = (
    """Who is asked for what was missed: datagrepper+https://HOST/datagrepper; may be repeated. As --statistics-archive."""
)
PLUGINS = """What to count: names, with commas, such as volume or volume-by-user-1d, Python files (./mine.py), or all that
distributions bring, the default. As --statistics-plugins."""
NOTHING = """no bus and no archive is named, so nothing new is counted: name one by --bus, such as amqp://localhost, or as
statistics.buses in the settings"""


def _listens(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return where to listen as a URL: ``HOST:PORT`` is one of HTTP."""
    del context, parameter
    if value is None or "://" in value:
        return value
    try:
        return str(urls.parse(f"http://{value}"))
    except UrlError as error:
        message = f"{value!r}: expected HOST:PORT, such as {USUAL}"
        raise click.BadParameter(message) from error


def _plugins(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> list[str] | None:
    """Return the names that commas separate, None for none."""
    del context, parameter
    return [name.strip() for each in value for name in each.split(",") if name.strip()] or None


@click.command(
    cls=Command,
    examples=[
        Example("Over RabbitMQ, in SQLite", "nilometer statistics serve --bus amqp://localhost"),
        Example(
            "In PostgreSQL, with gaps filled from an archive",
            "nilometer statistics serve --bus amqp://localhost --store postgresql://nilometer@localhost/statistics"
            " --archive datagrepper+https://apps.fedoraproject.org/datagrepper",
        ),
        Example("Two plugins and one of yours", "nilometer statistics serve --plugins volume,volume-by-user,./mine.py"),
    ],
    exits={0: "stopped by SIGTERM or SIGINT", 1: "could not start", 2: "wrong use, a wrong setting or URL"},
)
@click.option("--bus", "buses", multiple=True, metavar="URL", help=BUS)
@click.option("--store", metavar="URL", help=STORE)
@click.option("--archive", "archives", multiple=True, metavar="URL", help=ARCHIVE)
@click.option("--plugins", multiple=True, callback=_plugins, metavar="NAME,...|all", help=PLUGINS)
@click.option(
    "--listen", callback=_listens, metavar="HOST:PORT", help=f"Where to serve HTTP, as --web-listen. Default: {USUAL}."
)
@with_settings
def serve(  # noqa: PLR0913 the options of the command
    *,
    buses: tuple[str, ...],
    store: str | None,
    archives: tuple[str, ...],
    plugins: list[str] | None,
    listen: str | None,
    chosen: Chosen,
) -> int:
    """Serve statistics alone: no StatsD, no sinks, no events.

    A server that does all (nilometer serve) has statistics, too, once its settings name a bus. Both
    can run on one machine. This one has statscache's pages in front.
    """
    flags: dict[str, object] = {
        "statistics.buses": list(buses) or None,
        "statistics.store": store,
        "statistics.archive": list(archives) or None,
        "statistics.plugins": plugins,
        "web.listen": [listen] if listen is not None else None,
    }

    from nilometer.cli.serve import run  # noqa: PLC0415 help needs no server

    return run(lambda: _plan(chosen, flags))


def _plan(chosen: Chosen, flags: dict[str, object]) -> Plan:
    """Read the settings. Raise `ConfigError`."""
    from nilometer.cli.plan import Plan  # noqa: PLC0415 help and errors in settings need no server
    from nilometer.cli.statistics.alone import only_statistics  # noqa: PLC0415 see above

    settings = only_statistics(chosen.settings(flags))
    named = settings.statistics.buses or settings.statistics.archive
    return Plan(settings, alone=True, warnings=() if named else (" ".join(NOTHING.split()),))
