"""The group of commands. A command's module is imported when the command is used; ``--help`` lists them without."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple, cast

import click
from click.shell_completion import shell_complete

from nilometer.cli.help import Example, Group
from nilometer.cli.main import DONE, FAILED, INTERRUPTED, PIPE_CLOSED, WRONG_USE, complain
from nilometer.core.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence


class Place(NamedTuple):
    """Where a command is defined, as ``module:attribute``, and what the list of commands says about it."""

    target: str
    summary: str


COMMANDS = {
    "serve": Place("nilometer.cli.serve:command", "Receive metrics and send aggregates on."),
    "demo": Place("nilometer.cli.demo:command", "Show Nilometer at work."),
    "send": Place("nilometer.cli.send:command", "Send metrics to a StatsD server."),
    "parse": Place("nilometer.cli.parse:command", "Say what lines mean."),
    "top": Place("nilometer.cli.top:command", "Show what a server takes in, loses and sends on."),
    "tables": Place("nilometer.cli.tables:command", "Tell what tables use, or send it to a StatsD server."),
    "health": Place("nilometer.cli.health:command", "Ask health checks, and tell what they say, or send it on."),
    "events": Place("nilometer.cli.events.command:command", "Follow, search and send events."),
    "usage": Place("nilometer.cli.usage.command:command", "Tell what tables took in a period, and add usage up."),
    "statistics": Place("nilometer.cli.statistics.command:command", "Keep statistics of what a message bus brings."),
    "trace": Place("nilometer.cli.trace.command:command", "List, show, compare, copy and delete traces."),
    "dashboards": Place("nilometer.cli.dashboards:command", "Make dashboards for Grafana."),
    "check": Place("nilometer.cli.check:command", "Try a URL: connect, write, read back."),
    "config": Place("nilometer.cli.config:command", "Show, check or print settings."),
    "token": Place("nilometer.cli.token:command", "Say who may ask over HTTP."),
    "completion": Place("nilometer.cli.completion:command", "Print the completion script for a shell."),
}
"""Every command, in the order of ``--help``."""


EXITS = {
    DONE: "done",
    FAILED: "something failed; standard error says what",
    WRONG_USE: "wrong use: an option, a setting, a URL, a line that is no metric, a missing package",
    INTERRUPTED: "interrupted from the keyboard",
    PIPE_CLOSED: "nobody read the output any more",
}
"""What the exit codes of every command mean."""

NAME = "nilometer"
COMPLETE = "_NILOMETER_COMPLETE"
"""The variable by which a shell's completion script asks what could be typed next."""

WIDTH = 110
"""The most columns that help takes."""


class Commands(Group):
    """A group that loads its commands on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None for an unknown name."""
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.target.partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; name the nearest when there is none."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 click calls it so
    del parameter
    if value and not ctx.resilient_parsing:
        from nilometer.cli.version import text  # noqa: PLC0415 other commands need no kernel

        click.echo(text())
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
    examples=[
        Example("Start a server with a store of its own", "nilometer serve"),
        Example("Send it a metric", "nilometer send 'page.views:1|c'"),
        Example("Start a server that sends to Graphite every ten seconds", "nilometer serve graphite://localhost"),
    ],
    exits=EXITS,
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the versions in use.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback with each error (also NILOMETER_DEBUG=1).")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Nilometer measures services: it receives StatsD metrics and sends aggregates on."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def invoke(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code. Errors of Nilometer pass through."""
    instruction = os.environ.get(COMPLETE)
    if instruction:
        return shell_complete(program, {}, NAME, COMPLETE, instruction)
    try:
        with program.make_context(NAME, list(arguments)) as context:
            result = program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        complain(error.format_message())
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"Try '{error.ctx.command_path} --help' for help.", err=True)
        return error.exit_code
    return result if isinstance(result, int) else DONE
