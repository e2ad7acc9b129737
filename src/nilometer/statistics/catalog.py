"""Which plugins there are: those that distributions bring (entry points `nilometer.statistics`), and those in files of yours.

Rules:

* An entry point names a plugin class, or several in a list or tuple. A file ``NAME.py`` gives every plugin class it defines.
* What is asked for by name is a plugin (``volume-by-user``), one of its windows (``volume-by-user-1d``), an entry point, a
  file, or ``all`` that distributions bring. What is not there is a `ConfigError`; one of ``all`` that cannot be loaded is
  logged, and left out.
* No two statistics have the same ident.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from datetime import timedelta
from importlib.metadata import entry_points
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import ConfigError, did_you_mean
from nilometer.statistics.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.metadata import EntryPoint

    from nilometer.core.quantity import NamedDuration
    from nilometer.statistics.plugin import Statistic

LOG = logging.getLogger(__name__)
GROUP = "nilometer.statistics"
ALL = "all"
SUFFIX = ".py"


def statistics(wanted: Sequence[str] = (ALL,)) -> list[Statistic]:
    """Return the statistics that are wanted, in order of their idents. Raise `ConfigError` naming what is wrong."""
    files = [name for name in wanted if name.endswith(SUFFIX)]
    names = [name for name in wanted if not name.endswith(SUFFIX)]
    found = [each for file in files for plugin in in_file(Path(file)) for each in _made(plugin)]
    if names:
        brought = _brought()
        found += [each for statistics in brought.values() for each in statistics] if ALL in names else _named(names, brought)
    return _distinct(found)


def _brought() -> dict[str, list[Statistic]]:
    """Return the statistics of each entry point that can be loaded."""
    found: dict[str, list[Statistic]] = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = [each for plugin in _loaded(point) for each in _made(plugin)]
        except (Exception, SystemExit) as error:  # whatever a distribution's code raises
            LOG.exception("statistics plugin %s (%s) cannot be loaded: %s", point.name, point.value, error)  # noqa: TRY401 on one line, too
    return found


def _loaded(point: EntryPoint) -> list[type[Plugin]]:
    loaded: Any = point.load()
    classes = list(loaded) if isinstance(loaded, list | tuple) else [loaded]
    for each in classes:
        if not (isinstance(each, type) and issubclass(each, Plugin)):
            message = f"{each!r:.100} is no plugin class"
            raise ConfigError(message)
    return classes


def _made(plugin: type[Plugin]) -> list[Statistic]:
    """Return the statistics of a plugin class. Raise `ConfigError` for one that cannot be made, or says what is wrong."""
    try:
        made = plugin()
    except (Exception, SystemExit) as error:
        message = f"plugin {plugin.__name__}: cannot be made without arguments: {type(error).__name__}: {error}"
        raise ConfigError(message) from error
    return made.statistics()


def _named(names: Iterable[str], brought: dict[str, list[Statistic]]) -> list[Statistic]:
    """Return what names mean: an entry point, a plugin, or one of its windows."""
    every = [each for statistics in brought.values() for each in statistics]
    found = []
    for name in names:
        fitting = brought.get(name) or [each for each in every if name in {each.ident, family(each), each.plugin.name}]
        if not fitting:
            known = {ALL, *brought, *(each.ident for each in every), *(family(each) for each in every)}
            message = f"no statistics plugin is called {name!r:.80}{did_you_mean(name, known)}; name a file as ./NAME.py"
            raise ConfigError(message)
        found += fitting
    return list({each.ident: each for each in found}.values())


def adjusted(
    statistics: list[Statistic], backlog: Iterable[NamedDuration] = (), keep: Iterable[NamedDuration] = ()
) -> list[Statistic]:
    """Have plugins take archived messages of another age, and keep rows for another time. Raise `ConfigError` for no plugin."""
    for attribute, spans in (("backlog_delta", backlog), ("keep", keep)):
        for span in spans:
            for plugin in _called(span.name, statistics):
                setattr(plugin, attribute, timedelta(seconds=span.duration))
    return statistics


def _called(name: str, statistics: Iterable[Statistic]) -> list[Plugin]:
    found = [each.plugin for each in statistics if name in {family(each), each.plugin.name}]
    if not found:
        known = {family(each) for each in statistics}
        message = f"no statistics plugin that runs is called {name!r:.80}{did_you_mean(name, known)}"
        raise ConfigError(message)
    return found


def family(statistic: Statistic) -> str:
    """Return the ident of a plugin, without a window."""
    return statistic.plugin.ident


def in_file(file: Path) -> list[type[Plugin]]:
    """Return the plugin classes that a file defines. Raise `ConfigError` for one that cannot be loaded, or defines none."""
    name = f"nilometer_statistics_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        message = f"{file}: no such file; name a Python file that defines a statistics plugin"
        raise ConfigError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that its classes can find their module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        message = f"{file}: {type(error).__name__}: {error}"
        raise ConfigError(message) from error
    defined = [each for each in vars(module).values() if _is_defined(each, name)]
    found = [each for each in defined if not isabstract(each)]
    if not found:
        message = f"{file}: defines no statistics plugin; {_lacking(defined)}"
        raise ConfigError(message)
    return found


def _is_defined(found: object, module: str) -> bool:
    return isinstance(found, type) and issubclass(found, Plugin) and found.__module__ == module


def _lacking(defined: Iterable[type[Plugin]]) -> str:
    """Say what to write, where classes lack what makes them plugins, or there are none."""
    for each in defined:
        return f"class {each.__name__} lacks {', '.join(sorted(each.__abstractmethods__))}"
    return "derive a class from nilometer.statistics.kinds.Count, or Plugin"


def _distinct(found: list[Statistic]) -> list[Statistic]:
    """Return statistics in order of idents. Raise `ConfigError` when two have the same."""
    by_ident: dict[str, Statistic] = {}
    for each in found:
        other = by_ident.setdefault(each.ident, each)
        if other is not each:
            names = f"{type(other.plugin).__qualname__} and {type(each.plugin).__qualname__}"
            message = f"two statistics plugins make {each.ident}: {names}; give one of them another name"
            raise ConfigError(message)
    return [by_ident[ident] for ident in sorted(by_ident)]
