"""Settings as text: a TOML file of the defaults, the values in force, and a word for each type.

A URL's secrets are masked everywhere.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.core import setting as one
from nilometer.core.quantity import Duration, Rollup, Size
from nilometer.core.setting import Bins
from nilometer.core.settings import SECTIONS, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.setting import Setting
    from nilometer.core.settings import Settings

STATE = "~/.local/state/nilometer"
HEAD = f"""\
# Settings of Nilometer. Each commented line shows a default: remove its # to change it.
# A setting may also be given as an environment variable, {TABLE[0].environment}, or as a flag, {TABLE[0].flag}.
# Later wins: default, file, environment, flag. Check a file: nilometer config check FILE
"""


def value(item: object) -> str:
    """Return a value as TOML."""
    if isinstance(item, Bins):
        return f"{{match = {value(item.match)}, bins = [{', '.join(_bound(bound) for bound in item.bins)}]}}"
    if isinstance(item, tuple) and not isinstance(item, Rollup):
        return f"[{', '.join(value(each) for each in item)}]"
    if isinstance(item, bool) or (isinstance(item, int | float) and not isinstance(item, Duration | Size)):
        return one.text(item)
    return json.dumps(one.text(item), ensure_ascii=False).replace("\x7f", "\\u007f")


def _bound(bound: float) -> str:
    return '"inf"' if math.isinf(bound) else f"{bound:g}" if bound == int(bound) else repr(bound)


def default(setting: Setting) -> str:
    """Return a setting's default as TOML."""
    return value(STATE if setting.default == Path() else setting.default)


def defaults() -> Iterator[str]:
    """Yield the lines of a settings file that says what there is, and changes nothing."""
    yield from HEAD.splitlines()
    for section, kind in SECTIONS.items():
        yield ""
        yield f"[{section}]  # {about(kind)}"
        for setting in TABLE:
            if setting.section == section:
                yield f"# {setting.help}"
                yield f"#   {setting.expected}"
                yield f"# {setting.key} = {default(setting)}"


def about(kind: type) -> str:
    """Return the first line of a section's docstring."""
    return (kind.__doc__ or "").partition("\n")[0]


def in_force(settings: Settings, *, changed: bool) -> Iterator[tuple[str, str]]:
    """Yield each line of the settings in force and where its value comes from; only those not at default if `changed`."""
    for section in SECTIONS:
        rows = [s for s in TABLE if s.section == section and not (changed and settings.origin(s.name) == "default")]
        if rows:
            yield f"[{section}]", ""
        for setting in rows:
            yield f"{setting.key} = {value(settings.value(setting.name))}", settings.origin(setting.name)
