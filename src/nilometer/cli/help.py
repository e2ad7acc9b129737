"""Help that teaches: every command shows examples that can be typed, and what its exit codes mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Example(NamedTuple):
    """What someone wants to do, and the line to type."""

    want: str
    line: str


class SettingOption(click.Option):
    """A flag that stands for a setting; help lists these apart from a command's own options."""


class Taught(click.Command):
    """Adds the sections ``Examples`` and ``Exit codes`` to a command's help."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 click's own arguments pass through
        examples: Sequence[Example] = (),
        exits: Mapping[int, str] | None = None,
        **kwargs: Any,  # noqa: ANN401 click's own arguments pass through
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples, self.exits = tuple(examples), dict(exits or {})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those that stand for settings in a section of their own."""
        records = [(isinstance(option, SettingOption), option.get_help_record(ctx)) for option in self.get_params(ctx)]
        for heading, chosen in (("Options", False), ("Settings, as in the file and the environment", True)):
            rows = [record for is_setting, record in records if record and is_setting is chosen]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the two sections at the end of the help."""
        del ctx
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example.want}:\n")
                    formatter.write(f"{'':{formatter.current_indent + 2}}{example.line}\n")
        if self.exits:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(code), meaning) for code, meaning in self.exits.items()])


class Command(Taught):
    """A command with examples and exit codes."""


class Group(Taught, click.Group):
    """A group of commands with examples and exit codes."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        Taught.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)
