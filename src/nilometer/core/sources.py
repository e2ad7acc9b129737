"""Where settings come from: a TOML file, environment variables, flags. Each gives values by full name, with their origin."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nilometer.core.setting import Setting

PREFIX = "NILOMETER_"
FILE_VARIABLE = "NILOMETER_CONFIG"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "NILOMETER_KERNEL", "NILOMETER_STATSD", "NILOMETER_EVENTS"})
FILES = (Path("nilometer.toml"), Path("/etc/nilometer/nilometer.toml"))
LARGEST = 1 << 20
HEADER = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]+")
KEY = re.compile(r"\s*([\w.-]+)\s*=")
NEAR = 0.85


class Found(NamedTuple):
    """A value and where it came from."""

    value: object
    origin: str


def locate(named: Path | None, environ: Mapping[str, str], directory: Path = Path()) -> Path | None:
    """Return the settings file: the one named, else ``$NILOMETER_CONFIG``, else the first of `FILES` that exists."""
    if named is not None:
        return named
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE])
    return next((directory / file for file in FILES if (directory / file).is_file()), None)


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return ``$XDG_STATE_HOME/nilometer``, or ``~/.local/state/nilometer``."""
    base = environ.get("XDG_STATE_HOME", "")
    return Path(base if base.startswith("/") else Path(environ.get("HOME") or "/") / ".local/state") / "nilometer"


def unknown(name: str, where: str, known: Iterable[str]) -> str:
    """Return the message about a name that is no setting."""
    return f"{where + ': ' if where else ''}unknown setting {name!r}{did_you_mean(name, known)}"


def from_file(file: Path, table: Sequence[Setting]) -> dict[str, Found]:
    """Read a TOML file. Raise `SettingError` when it cannot be read, is no TOML, or holds what the table lacks."""
    text = _read(file)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{file}: not TOML: {error}"
        raise SettingError(message) from error
    lines = _lines(text)
    return dict(_settings(document, file, lines, {setting.name: setting for setting in table}))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            message = f"{file}: larger than {LARGEST} bytes, which no settings file is"
            raise SettingError(message)
        return data.decode()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SettingError(message) from error
    except UnicodeDecodeError as error:
        message = f"{file}: not UTF-8: byte {error.start}"
        raise SettingError(message) from error


def _lines(text: str) -> dict[str, int]:
    """Return the line on which each name is set, for messages; good enough for files laid out as usual."""
    lines: dict[str, int] = {}
    section = ""
    times: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            section = header[1] + "."
            lines.setdefault(header[1], number)
            times[header[1]] += 1
            lines[f"{header[1]}[{times[header[1]]}]"] = number
        elif key := KEY.match(line):
            lines.setdefault(section + key[1], number)
    return lines


def _settings(
    document: Mapping[str, object], file: Path, lines: Mapping[str, int], known: Mapping[str, Setting]
) -> Iterable[tuple[str, Found]]:
    def where(name: str) -> str:
        return f"{file}:{lines[name]}" if name in lines else str(file)

    sections = dict.fromkeys(setting.section for setting in known.values())
    for section, body in document.items():
        if isinstance(body, list) and f"{section}.list" in known:  # [[rules]] is [rules] list = [...]
            name = f"{section}.list"
            items = (known[name].item(each, where(f"{section}[{number}]"), number) for number, each in enumerate(body, 1))
            yield name, Found(tuple(items), where(section))
            continue
        if section not in sections:
            raise SettingError(unknown(section, where(section), [*sections, *known]))
        if not isinstance(body, dict):
            message = f"{where(section)}: {section!r} is a table of settings, written [{section}]"
            raise SettingError(message)
        for key, value in body.items():
            name = f"{section}.{key}"
            if name not in known:
                raise SettingError(unknown(name, where(name), known))
            yield name, Found(known[name].read(value, where(name)), where(name))


def from_environment(environ: Mapping[str, str], table: Sequence[Setting]) -> dict[str, Found]:
    """Read ``NILOMETER_*`` variables. Raise `SettingError` for a wrong value or a name that is nearly a setting's."""
    known = {setting.environment: setting for setting in table}
    found = {}
    for variable, text in environ.items():
        if variable in known:
            found[known[variable].name] = Found(known[variable].read_text(text, f"${variable}"), f"${variable}")
        elif variable.startswith(PREFIX) and variable not in OTHER_VARIABLES:
            _refuse_typo(variable, known)
    return found


def _refuse_typo(variable: str, known: Iterable[str]) -> None:
    rest = {name.removeprefix(PREFIX): name for name in known}
    near = difflib.get_close_matches(variable.removeprefix(PREFIX), rest, n=1, cutoff=NEAR)
    if near:
        message = f"${variable}: unknown setting; did you mean {rest[near[0]]!r}?"
        raise SettingError(message)


def from_flags(flags: Mapping[str, object], table: Sequence[Setting]) -> dict[str, Found]:
    """Read flags by full name; None means not given. Raise `SettingError` for a wrong value or an unknown name."""
    known = {setting.name: setting for setting in table}
    found = {}
    for name, value in flags.items():
        if name not in known:
            raise SettingError(unknown(name, "flags", known))
        setting = known[name]
        if value is not None:
            read = setting.read_text(value, setting.flag) if isinstance(value, str) else setting.read(value, setting.flag)
            found[name] = Found(read, setting.flag)
    return found
