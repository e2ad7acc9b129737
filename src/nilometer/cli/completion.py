"""``nilometer completion``: the script that makes a shell complete commands, options and URLs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from nilometer.cli.help import Command, Example
from nilometer.cli.program import COMPLETE, NAME

INSTALL = {
    "bash": 'eval "$(nilometer completion bash)"        # in ~/.bashrc',
    "zsh": 'eval "$(nilometer completion zsh)"         # in ~/.zshrc, after compinit',
    "fish": "nilometer completion fish > ~/.config/fish/completions/nilometer.fish",
}
"""What to type, once, for each shell."""


@click.command(
    cls=Command,
    examples=[Example(f"Install for {shell}", line) for shell, line in INSTALL.items()],
)
@click.argument("shell", type=click.Choice(list(INSTALL)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    Its first line says how to install it.
    """
    kind = get_completion_class(shell)
    if kind is None:
        ctx.fail(f"no completion for {shell}")
    click.echo(f"# To install, type:  {INSTALL[shell]}")
    click.echo(kind(ctx.find_root().command, {}, NAME, COMPLETE).source())
