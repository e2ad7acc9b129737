"""``nilometer dashboards``: Grafana's dashboards and data source for the series of a store or a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from nilometer.cli import state
from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.cli.main import DONE
from nilometer.cli.options import with_state
from nilometer.core.errors import ConfigError
from nilometer.query.dashboards import dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.cli.link import Access
    from nilometer.cli.options import Chosen

PAGE = 10_000
HTTP = ("http://", "https://")
USUAL = "http://127.0.0.1:8127"
LEFT_OUT = "series are in no dashboard: their names are no stats.KIND.NAME, or there are too many first parts of names"


def paths(store: str | None, access: Access, chosen: Chosen) -> Iterator[str]:
    """Yield the paths of a server's series, by its URL, or of a store's. Raise `NilometerError`."""
    if store is not None and store.startswith(HTTP):
        from nilometer.cli import asking  # noqa: PLC0415 a store needs no HTTP

        return asking.paths(store, access)
    return _stored(store or _own_store(chosen))


def _own_store(chosen: Chosen) -> str:
    file = chosen.settings().server.state.absolute() / state.STORE
    if not file.exists():
        message = f"{file}: no store is there; name one by its URL, such as sqlite:///nilometer.db"
        raise ConfigError(message)
    return f"sqlite:///{quote(str(file))}"


def _stored(store: str) -> Iterator[str]:
    """Yield a store's paths, read page by page."""
    from nilometer.backends import registry  # noqa: PLC0415 help needs no store

    reader = registry.open(store, "series")
    try:
        found = reader.find("*", PAGE)
        while found:
            yield from found
            found = reader.find("*", PAGE, found[-1])
    finally:
        reader.close()


@click.command(
    cls=Command,
    examples=[
        Example("For the server on this machine", "nilometer dashboards --output grafana"),
        Example("For another store", "nilometer dashboards sqlite:///nilometer.db --output grafana"),
        Example(
            "For a server elsewhere",
            "nilometer dashboards https://metrics.example:8127 --from-token-file token --output grafana",
        ),
        Example("For a Grafana elsewhere", "nilometer dashboards --output grafana --data-source http://metrics.example:8127"),
    ],
)
@click.argument("store", required=False)
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR", help="Where to write files."
)
@click.option(
    "--data-source", metavar="URL", help=f"Where Grafana finds the server; by default the STORE that is asked, or {USUAL}."
)
@click.option("--self-prefix", "own", default="nilometer", show_default=True, help="The server's setting self.prefix.")
@with_access("from-", "the server that STORE names", "source")
@with_state
def command(  # noqa: PLR0913 each is an option
    store: str | None, *, output: Path, data_source: str | None, own: str, source: Access, chosen: Chosen
) -> int:
    """Make dashboards for Grafana.

    With them comes the data source that they ask. STORE is the URL of a server's HTTP interface or of a store of series;
    without it, the server's own store in its state directory. In DIR, provisioning/ is for Grafana's folder of that name,
    dashboards/ is what it loads.
    """
    from nilometer.cli.grafana.files import files  # noqa: PLC0415 help needs none

    asked = data_source or (store if store is not None and store.startswith(HTTP) else USUAL)
    if not asked.startswith(HTTP) or not asked.isprintable() or " " in asked:
        message = f"--data-source: {asked}: expected a URL such as {USUAL}"
        raise ConfigError(message)
    made = dashboards(paths(store, source, chosen), own)
    for line in files(output, made.boards, asked):
        click.echo(line)
    if made.left_out:
        click.echo(f"{made.left_out} {LEFT_OUT}", err=True)
    return DONE
