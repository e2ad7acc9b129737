"""The pages of the reference that are made from the code: ``python -m nilometer.cli.reference docs/reference``.

A test compares the pages with the code; this command mends them.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from nilometer.cli.help import SettingOption, Taught
from nilometer.cli.program import program
from nilometer.core import toml
from nilometer.core.rules import KEYS, RuleTable
from nilometer.core.settings import SECTIONS, TABLE
from nilometer.ingest.statsd import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.setting import Setting

MADE = "<!-- Made from the code by `python -m nilometer.cli.reference docs/reference`. Change the code, not this page. -->"

BAR = "\\|"
"""How a cell of a table writes ``|``."""


class Variable(NamedTuple):
    """An environment variable that is no setting."""

    name: str
    help: str


VARIABLES = (
    Variable("NILOMETER_CONFIG", "The settings file, where `-c` names none."),
    Variable(
        "NILOMETER_KERNEL",
        "Which kernel aggregates: `auto` (native where it is installed, the default), `native`, or `reference` "
        "(pure Python: the same answers, many times slower).",
    ),
    Variable("NILOMETER_DEBUG", "`1` shows a traceback with each error, like `--debug`."),
    Variable("NILOMETER_STATSD", "The URL of clients that an application makes without one."),
    Variable("NILOMETER_EVENTS", "The URLs of notifiers that an application makes without one, divided by blanks."),
    Variable(
        "NILOMETER_TRACES", "The URL where `nilometer trace` looks for traces, and where a tracer without one sends its own."
    ),
    Variable("NILOMETER_SERVICE", "What a service is called in its spans, where its tracer is not told."),
    Variable("NO_COLOR", "Anything but the empty string turns colours off; without a terminal they are off anyway."),
    Variable("XDG_STATE_HOME", "Where the default of `server.state` lies; `~/.local/state` without it."),
)
"""Every variable that is read, besides those of the settings and those of completion scripts."""


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join([*_settings_head(), *(line for section, kind in SECTIONS.items() for line in _section(section, kind))])


def _settings_head() -> Iterator[str]:
    yield from (
        "# Settings",
        "",
        MADE,
        "",
        "A setting has a value from, in this order of precedence: a flag, an environment variable, the settings file, its",
        "default. `nilometer config show` prints the values in force and where each comes from.",
        "",
        "The file is TOML: the one that `-c FILE` names, else `$NILOMETER_CONFIG`, else `nilometer.toml` in the working",
        "directory, else `/etc/nilometer/nilometer.toml`. `nilometer config default` prints one to begin with,",
        "`nilometer config check FILE` checks one. An unknown name is an error that names the nearest known one.",
        "",
        "In variables and flags a list has spaces between its items, or is written as in TOML; a flag may be repeated instead.",
        "A running server reads its settings again on SIGHUP; when they are wrong, it says why and goes on with the old ones.",
        "",
        "| setting | default | |",
        "|---|---|---|",
    )
    for setting in TABLE:
        yield f"| [`{setting.name}`](#{_anchor(setting.name)}) | `{toml.literal(setting.default)}` | {setting.help} |"
    yield ""


def _anchor(title: str) -> str:
    return title.replace(".", "")


def _section(name: str, kind: type) -> Iterator[str]:
    yield from (f"## [{name}]", "", (kind.__doc__ or "").partition("\n")[0], "")
    for setting in TABLE:
        if setting.section == name:
            yield from _setting(setting)


def _setting(setting: Setting) -> Iterator[str]:
    yield from (
        f"### {setting.name}",
        "",
        setting.help,
        "",
        f"- value: {setting.expected}",
        f"- default: `{toml.literal(setting.default)}`",
        f"- variable `{setting.environment}`, flag `{setting.flag}`",
        "",
    )
    if setting.kind is RuleTable:
        yield from ("A rule has these keys; see [rules](../howto/rules.md).", "", "| key | value | |", "|---|---|---|")
        yield from (
            f"| `{key}` | {each.expected.replace('|', BAR)} | {each.help.replace('|', BAR)} |" for key, each in KEYS.items()
        )
        yield ""


def cli_page() -> str:
    """Return docs/reference/cli.md."""
    root = click.Context(program, info_name="nilometer", **program.context_settings)
    return "\n".join([*_cli_head(), *_command(program, root)])


def _cli_head() -> Iterator[str]:
    yield from ("# Command line", "", MADE, "")
    yield from ("## Environment variables", "", "Each setting has one too: see [settings](settings.md).", "")
    yield from ("| variable | |", "|---|---|")
    for variable in VARIABLES:
        yield f"| `{variable.name}` | {variable.help} |"
    yield ""


def _command(command: Taught, context: click.Context) -> Iterator[str]:
    """Yield a command's section, then those of its subcommands."""
    yield from (
        f"## {context.command_path}",
        "",
        "```text",
        " ".join([context.command_path, *command.collect_usage_pieces(context)]),
        "```",
        "",
    )
    yield from (inspect.cleandoc(command.help or ""), "")
    yield from _options(command, context)
    for example in command.examples:
        yield from (f"{example.want}:", "", "```sh", example.line, "```", "")
    if command.exits:
        yield from ("| exit code | |", "|---|---|", *(f"| {code} | {meaning} |" for code, meaning in command.exits.items()), "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if isinstance(child, Taught):
                yield from _command(child, click.Context(child, info_name=name, parent=context))


def _options(command: Taught, context: click.Context) -> Iterator[str]:
    params = command.get_params(context)
    records = [param.get_help_record(context) for param in params if not isinstance(param, SettingOption)]
    yield from ("| option | |", "|---|---|")
    for words, text in filter(None, records):
        if text:
            yield f"| `{words}` | {text.replace('|', BAR)} |"
    yield ""
    if any(isinstance(param, SettingOption) for param in params):
        yield from ("Besides, every [setting](settings.md) has a flag, such as `--flush-interval 5s`.", "")


def statsd_page() -> str:
    """Return docs/reference/statsd-config.md."""
    return "\n".join(_statsd_page())


STATSD = """\
`nilometer serve --statsd-config FILE` reads statsd's own file and serves as statsd does: the same defaults, lines, names and
digits. What differs on purpose is listed in [compatibility](compatibility.md#configuration). Settings that are given as flags
or in the environment win over the file. `nilometer config convert FILE` turns it into [settings](settings.md).

The file is JSON, or what statsd's files are written in: a JavaScript object with comments, keys without quotes, commas at the
end, numbers in any of JavaScript's forms, texts joined by `+`, and `require('os').hostname()`, also with `.split('.')[0]`
behind it. It may stand in parentheses or behind `module.exports =`. Nothing in it is executed: anything else is refused with
its line and column.

A wrong value is an error that names its place; a key without effect is named in a warning at the start. `servers[].port` means
the key `port` of each item of `servers`.
"""


def _statsd_page() -> Iterator[str]:
    yield from ("# statsd's configuration file", "", MADE, "", STATSD, "| key | default | |", "|---|---|---|")
    for key in keys.KEYS:
        if key.effect:
            yield f"| `{key.name}` | {f'`{key.default}`' if key.default else ''} | {key.help} |"
    yield from ("", "These are known and have no effect:", "", "| key | why |", "|---|---|")
    for key in keys.KEYS:
        if not key.effect:
            yield f"| `{key.name}` | {key.help} |"
    yield ""


PAGES = {"settings.md": settings_page, "cli.md": cli_page, "statsd-config.md": statsd_page}


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page().rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
