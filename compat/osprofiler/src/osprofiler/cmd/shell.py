"""``osprofiler trace show|list``: the command line of the original, over any store.

What is wrong is said on standard output with exit code 1, as the original does.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import osprofiler
from nilometer.core.errors import NilometerError
from osprofiler.cmd import commands
from osprofiler.cmd.cliutils import env
from osprofiler.exc import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIABLE = "OSPROFILER_CONNECTION_STRING"
CONNECTION = f"where the traces are; or the variable {VARIABLE}. Any URL of Nilometer, or one of osprofiler's"


class OSProfilerShell:
    """Reads a command line and does what it says. Raise `CommandError`."""

    def __init__(self, argv: Sequence[str]) -> None:
        args = parser().parse_args(argv)
        run: Callable[[argparse.Namespace], None] | None = getattr(args, "run", None)
        if run is None:
            args.help()
            return
        if not args.connection_string and not commands.is_file(getattr(args, "trace", "")):
            message = f"You must provide connection string via either --connection-string or via env[{VARIABLE}]"
            raise CommandError(message)
        run(args)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser("osprofiler", description=osprofiler.__doc__)
    top.add_argument("-v", "--version", action="version", version=osprofiler.__version__)
    top.set_defaults(help=top.print_help)
    trace = top.add_subparsers(title="subcommands").add_parser("trace", help="show and list traces")
    trace.set_defaults(help=trace.print_help)
    actions = trace.add_subparsers()
    _show(actions.add_parser("show", help="show one trace as JSON, HTML or graph"))
    _list(actions.add_parser("list", help="list the traces"))
    return top


def _connection(found: argparse.ArgumentParser) -> None:
    found.add_argument("--connection-string", dest="connection_string", default=env(VARIABLE), help=CONNECTION)


def _show(found: argparse.ArgumentParser) -> None:
    found.set_defaults(run=commands.show)
    found.add_argument("trace", help="the trace's id, or a file in which `trace show --json` has written one")
    _connection(found)
    found.add_argument("--transport-url", dest="transport_url", help="oslo.messaging's URL, with messaging://")
    found.add_argument(
        "--idle-timeout", dest="idle_timeout", type=int, default=1, help="takes no effect: reading needs no pause"
    )
    found.add_argument("--json", dest="use_json", action="store_true", help="as JSON")
    found.add_argument("--html", dest="use_html", action="store_true", help="as one page of HTML that needs no network")
    found.add_argument("--local-libs", dest="local_libs", action="store_true", help="takes no effect: it needs no libraries")
    found.add_argument("--dot", dest="use_dot", action="store_true", help="as a graph in the language DOT")
    found.add_argument(
        "--render-dot", dest="render_dot_filename", metavar="FILE", help="draw the graph with Graphviz: FILE.pdf"
    )
    found.add_argument("--out", dest="file_name", metavar="FILE", help="write into a file")


def _list(found: argparse.ArgumentParser) -> None:
    found.set_defaults(run=commands.list_)
    _connection(found)
    found.add_argument(
        "--error-trace",
        dest="error_trace",
        nargs="?",
        const=True,
        default=False,
        type=commands.truth,
        help="those with an error only",
    )


def main(args: Sequence[str] | None = None) -> int | None:
    """Run a command line. Return the exit code."""
    try:
        OSProfilerShell(sys.argv[1:] if args is None else args)
    except (CommandError, NilometerError, NotImplementedError, ValueError, OSError) as error:
        print(error)  # noqa: T201 a program prints
        return 1
    return None


if __name__ == "__main__":
    sys.exit(main())
