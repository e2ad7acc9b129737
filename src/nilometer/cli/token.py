"""``nilometer token``: make, list and revoke the tokens of the HTTP interface. A running server follows at once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import click

from nilometer.cli import state
from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example, Group
from nilometer.cli.options import chosen_state, with_state
from nilometer.core.errors import NilometerError
from nilometer.web.tokens import SCOPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.cli.options import Chosen
    from nilometer.web.tokens import TokenFile

SHOWN_ONCE = "This is the only time that it is shown. Send it as  Authorization: Bearer TOKEN"


@click.group(
    cls=Group,
    examples=[
        Example("Let Grafana read", "nilometer token create grafana --scope read"),
        Example("See who may ask", "nilometer token list"),
        Example("Let it ask no more", "nilometer token revoke grafana"),
    ],
)
def command() -> None:
    """Say who may ask over HTTP.

    Tokens lie, hashed, in the server's state directory; a running server follows at once. Before the first one is made,
    this machine alone may ask.
    """


@command.command(
    cls=Command,
    examples=[
        Example("A token that reads", "nilometer token create grafana"),
        Example(
            "One in a file, for nilometer top --token-file", "nilometer token create me --scope admin > ~/.nilometer-token"
        ),
        Example(
            "For a server with a state directory of its own", "nilometer token create ci --server-state /var/lib/nilometer"
        ),
    ],
)
@click.argument("name")
@click.option(
    "--scope",
    type=Choice(SCOPES),
    default=SCOPES[0],
    show_default=True,
    help="What it is good for: to look, also to change, also to see settings.",
)
@with_state
def create(name: str, scope: str, chosen: Chosen) -> None:
    """Make a token and print it.

    It is printed once, on standard output; what is kept is its hash.
    """
    text = _file(chosen).create(name, scope)
    click.echo(text)
    click.echo(SHOWN_ONCE, err=True)


@command.command(name="list", cls=Command, examples=[Example("As JSON", "nilometer token list --json")])
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@with_state
def show(chosen: Chosen, *, as_json: bool) -> None:
    """List the tokens: name, scope, when it was made."""
    file = _file(chosen)
    tokens = file.read()
    if as_json:
        for token in tokens:
            click.echo(json.dumps({"name": token.name, "scope": token.scope, "created": token.created}))
        return
    if not tokens:
        click.echo(_who(file))
        return
    width = max(len(token.name) for token in tokens)
    for token in tokens:
        made = datetime.fromtimestamp(token.created).astimezone()
        click.echo(f"{token.name:<{width}}  {token.scope:<5}  {made:%Y-%m-%d %H:%M:%S %z}")


def _names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Sequence[str]:
    """Return the tokens that could be meant, for a shell."""
    del parameter
    try:
        tokens = _file(chosen_state(ctx.params)).read()
    except NilometerError:
        return []
    return [token.name for token in tokens if token.name.startswith(incomplete)]


@command.command(cls=Command, examples=[Example("Let two ask no more", "nilometer token revoke grafana ci")])
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=_names)
@with_state
def revoke(names: tuple[str, ...], chosen: Chosen) -> None:
    """Remove tokens; the server refuses them from now on."""
    file = _file(chosen)
    file.revoke(names)
    if not file.read():
        click.echo(_who(file), err=True)


def _who(file: TokenFile) -> str:
    """Say who may ask while there is no token."""
    if file.in_force:
        return f"no tokens are left: nobody may ask; make one, or remove {file.path} to let this machine ask without"
    return f"no tokens: this machine alone may ask; {file.path} does not exist"


def _file(chosen: Chosen) -> TokenFile:
    return state.tokens(chosen.settings())
