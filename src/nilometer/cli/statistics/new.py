"""``nilometer statistics new``: a plugin to begin with, and its test."""

from __future__ import annotations

from pathlib import Path

import click

from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.core.errors import ConfigError, StoreError

KINDS = ("count", "top", "sum", "distinct", "distribution", "latest", "class")


@click.command(
    cls=Command,
    examples=[
        Example("Write orders_by_shop.py and test_orders_by_shop.py", "nilometer statistics new 'orders by shop'"),
        Example(
            "One that adds amounts up, into another directory", "nilometer statistics new turnover --kind sum --to plugins"
        ),
    ],
    exits={0: "written", 1: "the files cannot be written", 2: "wrong use, or one of the files is there already"},
)
@click.option("--kind", type=Choice(KINDS), default=KINDS[0], show_default=True, help="What the plugin does with messages.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIRECTORY",
    help="Where to; made if it is not there.",
)
@click.argument("name")
def new(name: str, kind: str, folder: Path) -> int:
    """Write a plugin called NAME, and its test.

    Both work as they are; change them to what you want to know. Kinds: count messages by key, the top keys, sum amounts, count
    distinct ones, distribution of numbers, the latest by key, or a class that makes changes and rows by hand.
    """
    from nilometer.statistics.authoring.written import written  # noqa: PLC0415 help needs none of it

    made = written(name, kind)
    files = {folder / made.plugin: made.plugin_text, folder / made.test: made.test_text}
    for file in files:
        if file.exists():
            message = f"{file} is there already; choose another name, or another directory with --to"
            raise ConfigError(message)
    _write(files)
    plugin, test = files
    click.echo(f"{plugin}: the plugin\n{test}: its test; run it: pytest {test}")
    click.echo(f"Try it on recorded messages: nilometer statistics try {plugin} --messages FILE")
    return DONE


def _write(files: dict[Path, str]) -> None:
    """Write files that are not there. Raise `StoreError`."""
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as error:
        message = f"cannot write {error.filename}: {error.strerror}"
        raise StoreError(message) from error
