"""``nilometer parse``: what lines mean, said as JSON, nothing sent and nothing counted.

Rules:

* One JSON object a line of output, for each value, event, service check and error, in order; ``line`` is the number of the
  line of input. Numbers that JSON has not are the strings NaN, Infinity, -Infinity.
* Input is read as it comes, so that it can be piped through; a line longer than `LONGEST` bytes ends the command.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from nilometer.cli import lines as incoming
from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.core.wire.number import to_text
from nilometer.ingest.kernel import AUTO, DIALECTS, GAUGES, mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from nilometer.ingest.kernel import Kernel


def explained(kernel: Kernel, stream: BinaryIO, dialect: str) -> Iterator[dict[str, Any]]:
    """Yield what each line of a stream means. Raise `InputError` for one that is too long."""
    before = 0
    for batch in incoming.batches(stream):
        for each in kernel.explain(b"\n".join(batch), dialect):
            yield each | {"line": before + each["line"]}
        before += len(batch)


def as_json(explained: dict[str, Any]) -> str:
    """Return a dict as one line of JSON."""
    return json.dumps({name: _plain(value) for name, value in explained.items()}, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return to_text(value) if isinstance(value, float) and not math.isfinite(value) else value


@click.command(
    cls=Command,
    examples=[
        Example("What does this line mean?", "echo 'page.views:1|c|#site:shop' | nilometer parse"),
        Example("And to statsd itself?", "echo 'page.views:1|c|#site:shop' | nilometer parse --dialect statsd"),
        Example("The bad lines of a file", "nilometer parse < lines.txt | grep error"),
    ],
    exits={0: "done, whatever the lines are", 1: "a line is too long to be read", 2: "wrong use, or no such file"},
)
@click.option("--dialect", type=Choice(DIALECTS), default=AUTO, show_default=True, help="Whose reading of the lines.")
@click.option("--gauges", type=Choice(GAUGES), help="Whether a sign moves a gauge; as the dialect has it by default.")
@click.argument("file", type=click.File("rb"), default="-", metavar="[FILE]")
def command(dialect: str, gauges: str | None, file: BinaryIO) -> int:
    """Say what lines mean.

    Lines are read from a FILE, or from standard input, and sent nowhere. One JSON object is printed for each value, event,
    service check or error; docs/reference/dialects.md lists their fields.
    """
    from nilometer.ingest import _kernel  # noqa: PLC0415 help needs no kernel

    for each in explained(_kernel.create(), file, mode(dialect, gauges or "")):
        click.echo(as_json(each).encode("utf-8", "replace"))
    return DONE
