"""The flags that stand for settings: ``-c FILE``, and one flag for each line of the table of settings.

``@with_settings`` gives a command these flags and hands it a `Chosen` as the argument ``chosen``; nothing is read before
`Chosen.settings` is asked for, so that a command may say its own errors first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nilometer.cli.help import SettingOption
from nilometer.core import settings as table
from nilometer.core import sources, toml
from nilometer.core.quantity import Moment, NamedDuration
from nilometer.core.rules import RuleTable
from nilometer.core.setting import Bins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nilometer.core.setting import Setting
    from nilometer.core.settings import Settings

F = TypeVar("F", bound="Callable[..., object]")

USUAL_FILE = "Settings, TOML; by default $NILOMETER_CONFIG, ./nilometer.toml or /etc/nilometer/nilometer.toml."
SHAPES: dict[type, str] = {
    NamedDuration: "NAME=DURATION",
    Moment: "TIME",
    int: "NUMBER",
    float: "NUMBER",
    str: "TEXT",
    Path: "DIRECTORY",
    RuleTable: "RULE",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which file and which flags the user named."""

    file: Path | None = None
    flags: Mapping[str, object] = field(default_factory=dict)

    @property
    def located(self) -> Path | None:
        """The settings file: the one named, else ``$NILOMETER_CONFIG``, else the usual one that exists."""
        return sources.locate(self.file, os.environ)

    def settings(self, flags: Mapping[str, object] | None = None) -> Settings:
        """Read file, environment and flags; `flags` adds more by full name. Raise `SettingError`."""
        return table.load(self.located, os.environ, {**self.flags, **(flags or {})})


def with_settings(function: F) -> F:
    """Give a command the flags of all settings and the argument ``chosen``."""
    return _with(function, table.TABLE)


def with_state(function: F) -> F:
    """Give a command the flag of the state directory, and the argument ``chosen``."""
    return _with(function, [table.find("server.state")])


def _with(function: F, settings: Sequence[Setting]) -> F:
    def call(*args: Any, config_file: Path | None, **kwargs: Any) -> object:  # noqa: ANN401 click's own arguments pass through
        return function(*args, chosen=_chosen(config_file, settings, kwargs), **kwargs)

    call.__doc__ = function.__doc__
    call.__name__ = function.__name__
    decorated: Any = call
    for option in reversed([file_option(USUAL_FILE), *map(_flag, settings)]):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]  # click's decorators return what they are given


def _chosen(file: Path | None, settings: Sequence[Setting], given: dict[str, Any]) -> Chosen:
    """Return what the flags say; they are taken out of `given`."""
    return Chosen(file, {setting.name: _text(setting, given.pop(_variable(setting), None)) for setting in settings})


def chosen_state(given: Mapping[str, Any]) -> Chosen:
    """Return what the flags of `with_state` say so far, while a shell completes a command line."""
    return _chosen(given.get("config_file"), [table.find("server.state")], dict(given))


def _variable(setting: Setting) -> str:
    return f"setting_{setting.section}_{setting.key}"


def file_option(text: str) -> Callable[[F], F]:
    """Give a command the flag that names a settings file, as the argument ``config_file``; `text` is its help."""
    return click.option(
        "-c",
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=text,
    )


def _flag(setting: Setting) -> Callable[[F], F]:
    return click.option(
        setting.flag,
        _variable(setting),
        cls=SettingOption,
        multiple=setting.many,
        metavar=_shape(setting),
        help=f"{setting.help}{_default(setting)}{' May be repeated.' if setting.many else ''}",
    )


def _shape(setting: Setting) -> str:
    """Return what stands for a value in the help."""
    choices = ("true", "false") if setting.kind is bool else setting.limits.choices
    return "|".join(choices) or SHAPES.get(setting.kind, setting.kind.__name__.upper())


def _default(setting: Setting) -> str:
    values = setting.default if isinstance(setting.default, tuple) and setting.many else (setting.default,)
    shown = " ".join(toml.literal(value).strip('"') for value in values)
    return f" Default: {shown}." if shown else ""


def _text(setting: Setting, value: str | tuple[str, ...] | None) -> str | None:
    """Return a flag's text as `Setting.read_text` takes it, None when the flag was not given."""
    if not isinstance(value, tuple):
        return value
    if not value:
        return None
    if setting.kind in (Bins, RuleTable) and not value[0].lstrip().startswith("["):
        return f"[{', '.join(value)}]"
    return " ".join(value)
