"""The series that both answer for: with gaps, counters that start again, tags, two steps, and odd names."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 7
STEP, SLOW = 10, 60
RESTARTS = 0.03
BEFORE, AFTER = 3600, 2400
"""Seconds of points before and after the time that the series are made for."""

Series = dict[str, dict[int, float]]


def made(base: int) -> Series:
    """Return the series around a time that is a whole hour."""
    return _Maker(base).series


class _Maker:
    def __init__(self, base: int) -> None:
        self.random = random.Random(SEED)  # noqa: S311 the same series every time
        self.times = range(base - BEFORE, base + AFTER, STEP)
        self.series: Series = {}
        self._servers()
        self._databases()
        self._odd()
        self._tagged()

    def _put(self, path: str, value: Callable[[int], float], *, step: int = STEP, gap: float = 0.0) -> None:
        points = enumerate(self.times)
        self.series[path] = {
            time: round(float(value(place)), 6) for place, time in points if time % step == 0 and self.random.random() >= gap
        }

    def _servers(self) -> None:
        pick = self.random
        for host in ("one", "two", "three"):
            self._put(f"web.{host}.cpu.user", lambda _: pick.uniform(0, 100), gap=0.1)
            self._put(f"web.{host}.cpu.system", lambda _: pick.uniform(0, 100), gap=0.1)
            self._put(f"web.{host}.requests.count", lambda _: pick.randint(0, 500))
            self._put(f"web.{host}.errors.count", lambda _: pick.randint(0, 5), gap=0.3)
        for host in ("x", "y"):
            steps = [pick.randint(0, 50) if pick.random() > RESTARTS else -1 for _ in self.times]
            grown = list(accumulate(steps, lambda total, step: 0 if step < 0 else total + step))
            self._put(f"total.{host}.bytes", grown.__getitem__, gap=0.05)

    def _databases(self) -> None:
        pick = self.random
        for host in ("a1", "a2", "a10"):
            self._put(f"db.{host}.latency", lambda _: pick.lognormvariate(2, 1), gap=0.05)
            self._put(f"db.{host}.temperature", lambda _: pick.uniform(-20, 20))
        for name in ("p", "q"):
            self._put(f"slow.{name}.size", lambda _: pick.uniform(0, 1000), step=SLOW, gap=0.05)

    def _odd(self) -> None:
        self._put("flat.zero", lambda _: 0)
        self._put("flat.one", lambda _: 1)
        self._put("flat.huge", lambda place: 1e18 + place)
        self._put("flat.tiny", lambda place: 1e-5 * place)
        self._put("sparse.half", lambda _: self.random.randint(1, 9), gap=0.5)
        self._put("sparse.rare", lambda _: self.random.randint(1, 9), gap=0.85)
        self._put("odd.name-with_signs:1.x%y", lambda place: place)
        self.series["empty.before"] = dict.fromkeys(self.times[:20], 1.0)
        self.series["both"] = dict.fromkeys(self.times, 2.0)
        self.series["both.below"] = dict.fromkeys(self.times, 3.0)

    def _tagged(self) -> None:
        for dc in ("east", "west"):
            for host in ("a", "b"):
                self._put(f"disk.used;dc={dc};host={host}", lambda _: self.random.uniform(0, 100), gap=0.02)
        self._put("disk.free;dc=east", lambda _: self.random.uniform(0, 100))
