"""``nilometer dashboards``: Grafana's dashboards and data source for the series of a store, as files that Grafana provisions.

Rules:

* What is there already stays as it is: writing again changes nothing while the series have the same names.
* A file appears whole or not at all. Files of series that are gone are left alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from nilometer.cli import state
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.cli.options import with_state
from nilometer.core.errors import ConfigError, NilometerError
from nilometer.query.dashboards import UID, dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.cli.options import Chosen
    from nilometer.core.capability import SeriesReader

PAGE = 10_000
TOKEN = "$GRAFANA_NILOMETER_TOKEN"  # noqa: S105 the name of a variable
DATA_SOURCE = """\
apiVersion: 1
datasources:
  - name: Nilometer
    uid: {uid}
    type: graphite
    access: proxy
    url: {url}
    jsonData:
      graphiteVersion: "1.1"
      httpHeaderName1: Authorization
    secureJsonData:
      httpHeaderValue1: Bearer {token}
"""
PROVIDER = """\
apiVersion: 1
providers:
  - name: Nilometer
    folder: Nilometer
    type: file
    options:
      path: {path}
"""


def paths(reader: SeriesReader) -> Iterator[str]:
    """Yield the store's paths, read page by page."""
    found = reader.find("*", PAGE)
    while found:
        yield from found
        found = reader.find("*", PAGE, found[-1])


def write(file: Path, text: str) -> bool:
    """Write a file whole, unless it says the same already; return whether it changed. Raise `NilometerError`."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.exists() and file.read_text("utf-8", "replace") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"{file}: cannot be written: {error.strerror}; choose another folder with --output"
        raise NilometerError(message) from error
    return True


@click.command(
    cls=Command,
    examples=[
        Example("For the server on this machine", "nilometer dashboards --output grafana"),
        Example("For another store", "nilometer dashboards sqlite:///nilometer.db --output grafana"),
        Example("For a Grafana elsewhere", "nilometer dashboards --output grafana --data-source http://metrics.example:8127"),
    ],
)
@click.argument("store", required=False)
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR", help="Where to write."
)
@click.option(
    "--data-source", default="http://127.0.0.1:8127", show_default=True, metavar="URL", help="Where Grafana finds it."
)
@click.option("--self-prefix", "own", default="nilometer", show_default=True, help="The server's setting self.prefix.")
@with_state
def command(store: str | None, output: Path, data_source: str, own: str, chosen: Chosen) -> int:
    """Write dashboards for Grafana.

    With them comes the data source that they ask. STORE is the URL of a store of series; without it,
    the server's own in its state directory. In DIR, provisioning/ is for Grafana's folder of that name, dashboards/ is what
    it loads.
    """
    from nilometer.backends import registry  # noqa: PLC0415 help needs no store

    if store is None:
        file = chosen.settings().server.state.absolute() / state.STORE
        if not file.exists():
            message = f"{file}: no store is there; name one by its URL, such as sqlite:///nilometer.db"
            raise ConfigError(message)
        store = f"sqlite:///{quote(str(file))}"
    if not data_source.startswith(("http://", "https://")) or not data_source.isprintable() or " " in data_source:
        message = f"--data-source: {data_source}: expected a URL such as http://127.0.0.1:8127"
        raise ConfigError(message)
    reader = registry.open(store, "series")
    try:
        made = dashboards(paths(reader), own)
    finally:
        reader.close()
    folder = output.absolute() / "dashboards"
    texts = {folder / f"{name}.json": json.dumps(board, indent=2) + "\n" for name, board in made.boards.items()}
    provisioning = output.absolute() / "provisioning"
    source = DATA_SOURCE.format(uid=UID, url=json.dumps(data_source), token=TOKEN)
    texts[provisioning / "datasources" / "nilometer.yaml"] = source
    texts[provisioning / "dashboards" / "nilometer.yaml"] = PROVIDER.format(path=json.dumps(str(folder)))
    for each, text in texts.items():
        click.echo(f"{'written' if write(each, text) else 'unchanged'}  {each}")
    if made.left_out:
        click.echo(f"{made.left_out} series are in no dashboard: with tags, or named otherwise than stats.KIND.NAME", err=True)
    return DONE
