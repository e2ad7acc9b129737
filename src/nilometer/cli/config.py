"""``nilometer config``: the settings in force and their origins, a check of a file, statsd's file as settings, the defaults.

Nothing here opens a socket, a store or a connection.
"""

from __future__ import annotations

import os
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nilometer.backends import registry
from nilometer.cli import interfaces
from nilometer.cli.collecting import opening
from nilometer.cli.help import Command, Example, Group
from nilometer.cli.options import Chosen, file_option, with_settings
from nilometer.core import settings as table
from nilometer.core.errors import ConfigError
from nilometer.ingest import aggregate, listener_urls
from nilometer.ingest.relay.targets import target as relay_target
from nilometer.web import addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

DEFAULT = "  # default"
STANDARD_INPUT = Path("/dev/stdin")


@click.group(
    cls=Group,
    examples=[
        Example("See every setting, its value and where it comes from", "nilometer config show"),
        Example("Begin a settings file", "nilometer config default > nilometer.toml"),
        Example("Check it before a restart", "nilometer config check nilometer.toml"),
    ],
    exits={0: "done, or the settings are good", 2: "something in the settings is wrong; the message names the line"},
)
def command() -> None:
    """Show, check or print settings."""


@command.command(
    cls=Command,
    examples=[
        Example("What differs from the defaults", "nilometer config show --changed"),
        Example("What a flag would do", "nilometer config show --flush-interval 5s"),
    ],
)
@click.option("--changed", is_flag=True, help="Only what is not at its default.")
@with_settings
def show(chosen: Chosen, *, changed: bool) -> None:
    """Show the settings in force, as TOML, with their origins. Secrets are masked."""
    for block in table.to_toml(chosen.settings()).strip().split("\n\n"):
        header, *rows = block.split("\n")
        shown = [row for row in rows if not (changed and row.endswith(DEFAULT))]
        if shown:
            click.echo("\n".join([click.style(header, bold=True), *map(_dim, shown), ""]))


def _dim(row: str) -> str:
    """Make the origin at the end of a row recede."""
    value, mark, origin = row.rpartition("  # ")
    return value + click.style(mark + origin, dim=True)


@command.command(
    cls=Command,
    examples=[
        Example("Check a file", "nilometer config check /etc/nilometer/nilometer.toml"),
        Example("Check what is about to be installed", "generate-settings | nilometer config check -"),
    ],
)
@file_option("Same as FILE.")
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(path_type=Path))
def check(file: Path | None, config_file: Path | None) -> None:
    """Check a settings file, its URLs included, and open nothing.

    A named FILE (- is standard input) is checked alone. Without one, the usual file and the environment are.
    """
    if file is not None and config_file is not None:
        message = f"two files are named, {file} and {config_file}; check one at a time"
        raise click.UsageError(message)
    file = file or config_file
    if file is None:
        chosen = Chosen()
        _check(chosen.settings(), str(chosen.located or "no settings file; the environment"))
    else:
        piped = str(file) == "-"
        home = {name: os.environ[name] for name in ("HOME", "XDG_STATE_HOME") if name in os.environ}
        _check(table.load(STANDARD_INPUT if piped else file, home), "standard input" if piped else str(file))


def _check(settings: Settings, name: str) -> None:
    """Check the URLs and the rules' files too, then say that all is good. Raise `ConfigError`."""
    for setting, check_url in CHECKS.items():
        for url in typing.cast("tuple[object, ...]", settings.value(setting)):
            try:
                check_url(url)
            except ConfigError as error:
                message = f"{settings.origin(setting)}: {setting}: {error}"
                raise type(error)(message) from error
    aggregate.rules(settings)
    given = len(settings.origins)
    click.echo(f"{name}: good; settings given: {given} of {len(table.TABLE)}")


def _check_sink(url: Url) -> None:
    """Check a sink: its factory reads every part of the URL and connects nowhere."""
    registry.open(url, registry.METRICS).close()


def _check_source(url: Url) -> None:
    """Check a source of tables, as a sink is."""
    registry.open(url, registry.TABLES).close()


CHECKS: dict[str, Callable[[Any], object]] = {
    "server.listen": listener_urls.check,
    "server.sinks": _check_sink,
    "relay.to": relay_target,
    "tables.sources": _check_source,
    "tables.health": opening.spec,
    "admin.listen": interfaces.check_admin,
    "web.listen": addresses.check,
}
"""What raises `ConfigError` for a wrong URL of a setting."""


@command.command(
    cls=Command,
    examples=[
        Example("See what it comes to", "nilometer config convert config.js"),
        Example("Begin a settings file with it", "nilometer config convert config.js -o nilometer.toml"),
    ],
)
@click.option("-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Write there; it must not exist yet.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def convert(file: Path, output: Path | None) -> None:
    """Turn statsd's own configuration file into settings.

    What no setting stands for is named in comments at the top.
    """
    from nilometer.ingest.statsd import convert as converter  # noqa: PLC0415 only who has such a file needs its reader
    from nilometer.ingest.statsd import translate  # noqa: PLC0415 see above

    text = converter.convert(translate.load(file), str(file))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        message = f"{output}: cannot be written: {error.strerror}"
        raise ConfigError(message) from error


@command.command(
    name="default", cls=Command, examples=[Example("Begin a settings file", "nilometer config default > nilometer.toml")]
)
def default() -> None:
    """Print a settings file with every setting, its help and its default, all commented out."""
    click.echo(table.default_toml())
