"""``nilometer dashboards``: Grafana's dashboards and data source for the series of a store or a server, as files or pushed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from nilometer.cli import state
from nilometer.cli.grafana.files import files
from nilometer.cli.grafana.push import REFUSED, Source, Target, push
from nilometer.cli.help import Command, Example
from nilometer.cli.link import checked, token_in, with_access
from nilometer.cli.main import DONE, FAILED
from nilometer.cli.options import with_state
from nilometer.core.errors import ConfigError
from nilometer.query.dashboards import dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nilometer.cli.link import Access
    from nilometer.cli.options import Chosen

PAGE = 10_000
HTTP = ("http://", "https://")
TOKEN = "GRAFANA_TOKEN"  # noqa: S105 the name of a variable
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
            "Into a Grafana, for a server elsewhere",
            "nilometer dashboards https://metrics.example:8127 --from-token-file reads --data-source-token-file reads"
            " --push https://grafana.example --token-file grafana-token",
        ),
        Example("For a Grafana elsewhere", "nilometer dashboards --output grafana --data-source http://metrics.example:8127"),
    ],
    exits={
        0: "everything is as it should be",
        1: "something was refused, or failed: the other lines say what was done",
        2: "wrong use, or a wrong URL, file or token",
    },
)
@click.argument("store", required=False)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where to write files.")
@click.option("--push", "to", metavar="URL", help="The Grafana to put everything into.")
@click.option(
    "--token", envvar=TOKEN, show_envvar=True, help="Grafana's token; better in a file, for others on this machine may see it."
)
@with_access("", "Grafana", "access")
@click.option("--folder", default="nilometer", show_default=True, metavar="UID", help="The folder of new dashboards.")
@click.option(
    "--overwrite", is_flag=True, help="Replace dashboards that someone changed in Grafana, and the data source's token."
)
@click.option(
    "--data-source", metavar="URL", help=f"Where Grafana finds the server; by default the STORE that is asked, or {USUAL}."
)
@click.option(
    "--data-source-token-file",
    "sends",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The token of the server that Grafana asks with, if the server wants one.",
)
@click.option("--self-prefix", "own", default="nilometer", show_default=True, help="The server's setting self.prefix.")
@with_access("from-", "the server that STORE names", "source")
@with_state
def command(  # noqa: PLR0913 each is an option
    store: str | None,
    *,
    output: Path | None,
    to: str | None,
    token: str | None,
    access: Access,
    folder: str,
    overwrite: bool,
    data_source: str | None,
    sends: Path | None,
    own: str,
    source: Access,
    chosen: Chosen,
) -> int:
    """Make dashboards for Grafana.

    With them comes the data source that they ask. STORE is the URL of a server's HTTP interface or of a store of series;
    without it, the server's own store in its state directory. In DIR, provisioning/ is for Grafana's folder of that name,
    dashboards/ is what it loads. A push changes only what differs.
    """
    asked = data_source or (store if store is not None and store.startswith(HTTP) else USUAL)
    if not asked.startswith(HTTP) or not asked.isprintable() or " " in asked:
        message = f"--data-source: {asked}: expected a URL such as {USUAL}"
        raise ConfigError(message)
    if output is None and to is None:
        message = "say where to: --output DIR for files, --push URL for a running Grafana"
        raise ConfigError(message)
    target = to and Target(to, _with_token(access, token), folder, overwrite)
    described = Source(asked, data_source, token_in(sends, "--data-source-token-file") if sends else "")
    made = dashboards(paths(store, source, chosen), own)
    if output is not None:
        for line in files(output, made.boards, asked):
            click.echo(line)
    refused = _pushed(target, made.boards, described) if target else 0
    if made.left_out:
        click.echo(f"{made.left_out} {LEFT_OUT}", err=True)
    return FAILED if refused else DONE


def _with_token(access: Access, token: str | None) -> Access:
    """Return how to ask Grafana. Raise `ConfigError` without a token."""
    if not access.token and not token:
        message = f"--push needs a token of a service account in Grafana: --token-file FILE, --token, or ${TOKEN}"
        raise ConfigError(message)
    return access if access.token else replace(access, token=checked(token or "", "--token"))


def _pushed(target: Target, boards: Mapping[str, dict[str, Any]], source: Source) -> int:
    """Push, saying what becomes of each, and return how many were refused."""
    refused = 0
    for done in push(target, boards, source):
        click.echo(f"{done.state:<9}  {done.what}", err=done.state == REFUSED)
        refused += done.state == REFUSED
    return refused
