"""A real graphite-web beside a shelf, both filled with the series of `graphite_series`: what parity is tested on."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from nilometer.testing import graphite_series, history, servers
from nilometer.testing.series import Shelf
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.history.store import Store
    from nilometer.testing.servers import Graphite

HOUR = 3600
SCHEMAS = "[slow]\npattern = ^slow\\.\nretentions = 60s:3d\n[all]\npattern = .*\nretentions = 10s:3d\n"
TELL_FUNCTIONS = """
import django, json
django.setup()
from graphite.functions import SeriesFunctions
told = {name: {"group": f.group, "params": [p.toJSON() for p in f.params]} for name, f in SeriesFunctions().items()}
print(json.dumps(told))
"""
"""What its ``/functions`` would tell, if it did not fail with this Python."""


class Told(NamedTuple):
    """A status and a body."""

    status: int
    body: str


@dataclass(frozen=True)
class Both:
    """A graphite-web, a shelf and an embedded store with the same series around the time `base`."""

    server: Graphite
    shelf: Shelf
    store: Store
    base: int

    def theirs(self, path: str, pairs: list[tuple[str, str]]) -> Told:
        """Return what graphite-web answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.server.ports.web}{path}?{urlencode(pairs)}", timeout=60) as answer:
                return Told(answer.status, answer.read().decode())
        except HTTPError as error:
            return Told(error.code, error.read().decode(errors="replace"))

    def functions(self) -> dict[str, Any]:
        """Return group and parameters of graphite-web's functions."""
        named = dict.fromkeys(("DJANGO_SETTINGS_MODULE", "GRAPHITE_SETTINGS_MODULE"), "graphite_under_test")
        environment = {**os.environ, **named, "PYTHONPATH": str(self.server.folder), "GRAPHITE_NO_PREFIX": "True"}
        command = [str(servers.programs() / "python"), "-W", "ignore", "-c", TELL_FUNCTIONS]
        told = subprocess.run(command, env=environment, cwd=self.server.folder, capture_output=True, check=True)  # noqa: S603 ours
        found: dict[str, Any] = json.loads(told.stdout)
        return found


@contextlib.contextmanager
def both(folder: Path) -> Iterator[Both]:
    """Start a graphite-web in a folder, fill it, and stop it in the end. Raise `Missing` when it is not installed."""
    server = servers.Graphite(folder)
    _set_steps(server.folder)
    base = int(time.time()) // HOUR * HOUR - 2 * HOUR
    series = graphite_series.made(base)
    diary = history.Diary(folder, start=base)
    try:
        server.start()
        _fill(server, series)
        _write(diary, series)
        yield Both(server, Shelf(series), diary.store, base)
    finally:
        diary.close()
        server.stop()


def _write(diary: history.Diary, series: graphite_series.Series) -> None:
    by_time: dict[int, dict[str, float]] = {}
    for path, points in series.items():
        for second, value in points.items():
            by_time.setdefault(second, {})[path] = value
    for second, values in sorted(by_time.items()):
        diary.write(second, values, graphite_series.STEP)


def _set_steps(folder: Path) -> None:
    (folder / "conf" / "storage-schemas.conf").write_text(SCHEMAS)


def _fill(server: Graphite, series: graphite_series.Series) -> None:
    lines = [f"{path} {value!r} {time}\n" for path, points in series.items() for time, value in points.items()]
    with socket.create_connection(("127.0.0.1", server.ports.line)) as carbon:
        carbon.sendall("".join(lines).encode())
    tagged = {path for path in series if ";" in path}
    until(lambda: set(_paths(server)) >= series.keys() - tagged, "graphite-web has all series", 60, server.log)
    found = "/tags/findSeries?expr=name=~disk"
    until(lambda: set(server.get(found)) == tagged, "graphite-web has all tags", 60, server.log)
    until(
        lambda: all(_whole(server, path, points) for path, points in series.items()),
        "graphite-web has all points",
        60,
        server.log,
    )


def _paths(server: Graphite) -> list[str]:
    found: list[str] = server.get("/metrics/index.json")
    return found


def _whole(server: Graphite, path: str, points: dict[int, float]) -> bool:
    return server.render(path, min(points), max(points)).get(path, {}) == points
