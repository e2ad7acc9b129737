"""What a plugin says of itself, looked at before it runs.

Rule: what would only fail later, on a message, or in the upkeep of all statistics, is refused here, with what to write instead.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import ConfigError, InputError
from nilometer.core.statistics import EVER, Kind
from nilometer.core.statistics.window import parse

if TYPE_CHECKING:
    from nilometer.core.statistics import Window
    from nilometer.statistics.plugin import Plugin

LONGEST = 200
"""Characters of a name, at most: with a window it makes an ident, which databases index."""
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff/]")
TIME = "timestamp"


def declared(plugin: Plugin) -> list[Window]:
    """Return the windows of a plugin. Raise `ConfigError` naming the plugin, and what is wrong with it."""
    try:
        _texts(plugin)
        _words(plugin)
        _spans(plugin)
        _numbers(plugin)
        return [parse(window) for window in plugin.windows]
    except InputError as error:
        message = f"plugin {type(plugin).__name__}: {error}"
        raise ConfigError(message) from error


def _texts(plugin: Plugin) -> None:
    for word in ("name", "summary", "description"):
        if not isinstance(getattr(plugin, word, None), str) or not getattr(plugin, word).strip():
            message = f"has no {word}; set the class attribute to a text"
            raise InputError(message)
    if "/" in plugin.name:
        message = f"its name {plugin.name!r} has a slash, which its path in URLs cannot have"
        raise InputError(message)
    if UNFIT.search(plugin.name) or len(plugin.name) > LONGEST or not plugin.ident:
        message = f"its name {plugin.name!r:.80} is no name: one has letters, up to {LONGEST} characters, and is one line"
        raise InputError(message)


def _words(plugin: Plugin) -> None:
    """Look at what is a tuple of words: one word alone would be taken for its letters."""
    for name in ("topics", "windows", "keys"):
        found: Any = getattr(plugin, name)
        if isinstance(found, str):
            message = f"its {name} are the text {found!r:.80}; write a tuple, ({found!r:.80},)"
            raise InputError(message)
        if not isinstance(found, tuple | list) or not all(isinstance(each, str) for each in found):
            message = f"its {name} are {found!r:.80}; write a tuple of texts"
            raise InputError(message)
    if not plugin.windows:
        message = "has no windows; write those to count in, such as ('1m', '1d'), or ('ever',)"
        raise InputError(message)
    columns = [TIME, *plugin.keys, plugin.value]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        message = f"its rows would have two columns {twice!r:.80}; name its keys and its value otherwise"
        raise InputError(message)


def _spans(plugin: Plugin) -> None:
    for name in ("backlog_delta", "keep"):
        found: Any = getattr(plugin, name)
        if found is not None and not _is_span(found):
            message = f"its {name} is {found!r:.80}; write a timedelta above 0, such as timedelta(days=7), or None"
            raise InputError(message)
    rolled: Any = plugin.roll_up
    if rolled is None:
        return
    if not (isinstance(rolled, tuple | list) and len(rolled) == len(("age", "window")) and _is_span(rolled[0])):
        message = f"its roll_up is {rolled!r:.80}; write an age and a window, such as (timedelta(days=30), '1d'), or None"
        raise InputError(message)
    if not isinstance(rolled[1], str) or parse(rolled[1]) == EVER:
        message = f"its roll_up is into {rolled[1]!r:.80}; write a window, such as '1d'"
        raise InputError(message)


def _is_span(found: object) -> bool:
    return isinstance(found, timedelta) and found > timedelta(0)


def _numbers(plugin: Plugin) -> None:
    if not isinstance(plugin.kind, Kind):
        message = f"its kind is {plugin.kind!r:.80}; write one of {', '.join(f'Kind.{kind.name}' for kind in Kind)}"
        raise InputError(message)
    for name, least in (("top", 0), ("version", 1)):
        found = getattr(plugin, name)
        if not isinstance(found, int) or not least <= found < 1 << 63:
            message = f"its {name} is {found!r:.80}; write a whole number, {least} or more"
            raise InputError(message)
    try:
        json.dumps(plugin.layout, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"its layout is nothing that JSON can hold: {error}"
        raise InputError(message) from error
