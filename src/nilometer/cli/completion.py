"""``nilometer completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example
from nilometer.cli.program import COMPLETE, NAME

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete


class Shell(NamedTuple):
    """A shell: what makes its script, and what to type once to install it."""

    kind: type[ShellComplete]
    install: str


SHELLS = {
    "bash": Shell(BashComplete, 'eval "$(nilometer completion bash)"        # in ~/.bashrc'),
    "zsh": Shell(ZshComplete, 'eval "$(nilometer completion zsh)"         # in ~/.zshrc, after compinit'),
    "fish": Shell(FishComplete, "nilometer completion fish > ~/.config/fish/completions/nilometer.fish"),
}


@click.command(
    cls=Command,
    examples=[Example(f"Install for {name}", shell.install) for name, shell in SHELLS.items()],
)
@click.argument("shell", type=Choice(list(SHELLS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    Its first line says how to install it.
    """
    chosen = SHELLS[shell]
    click.echo(f"# To install, type:  {chosen.install}")
    click.echo(chosen.kind(ctx.find_root().command, {}, NAME, COMPLETE).source())
