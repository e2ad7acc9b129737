"""Prometheus' text: names, labels and samples, as text format 0.0.4 and as OpenMetrics 1.0.

Rules:

* A key ``web.GET-time;zone=a`` is ``web_GET_time{zone="a"}``: what a name cannot hold is ``_``, a name that would begin with a
  digit gets ``_`` before it.
* A family has one type. Where two kinds of series would have one name, the one that comes later gets its kind after it.
* Two keys that become the same name and labels are one sample: sums are added, of other values the last counts.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics 1.0 specification.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
WRONG = re.compile(r"[^a-zA-Z0-9_:]")
WRONG_LABEL = re.compile(r"[^a-zA-Z0-9_]")
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
RESERVED = {"le": "le_", "quantile": "quantile_"}
"""Labels that mean something to histograms and summaries."""

SUFFIXES = {
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "summary": ("", "_sum", "_count", "_created"),
    "histogram": ("", "_bucket", "_sum", "_count", "_created"),
}
"""What stands after a family's name in its samples."""


class Sample(NamedTuple):
    """A line: what stands after the family's name (``_sum``), labels as text (``zone="a"``), a value."""

    suffix: str
    labels: str
    value: float
    summed: bool = False


class Family:
    """A name, its type, and its samples; a sample that comes twice is added or replaced."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self._samples: dict[tuple[str, str], float] = {}

    def add(self, sample: Sample) -> None:
        """Take a sample."""
        place = (sample.suffix, sample.labels)
        before = self._samples.get(place, 0.0) if sample.summed else 0.0
        self._samples[place] = before + sample.value

    def lines(self, *, open_metrics: bool) -> Iterator[str]:
        """Yield its type and its samples."""
        total = "_total" if self.kind == "counter" else ""
        yield f"# TYPE {self.name}{'' if open_metrics else total} {self.kind}"
        for (suffix, labels), value in self._samples.items():
            yield (
                f"{self.name}{total}{suffix}{{{labels}}} {number(value)}"
                if labels
                else f"{self.name}{total}{suffix} {number(value)}"
            )


class Families:
    """All families of one answer, each name with one type."""

    def __init__(self) -> None:
        self._families: dict[tuple[str, str], Family] = {}
        self._taken = set[str]()

    def of(self, name: str, kind: str) -> Family:
        """Return the family of a name and a type."""
        found = self._families.get((name, kind))
        if found is None:
            found = self._families[name, kind] = Family(self._free(name, kind), kind)
        return found

    def _free(self, name: str, kind: str) -> str:
        """Take a name with all that its samples are called; another one when somebody has any of them."""
        while self._taken.intersection(wanted := [name + suffix for suffix in SUFFIXES[kind]]):
            name = f"{name}_{kind}"
        self._taken.update(wanted)
        return name

    def text(self, *, open_metrics: bool) -> str:
        """Return all, by name."""
        ordered = sorted(self._families.values(), key=lambda family: (family.name, family.kind))
        lines = [line for family in ordered for line in family.lines(open_metrics=open_metrics)]
        return "".join(line + "\n" for line in (*lines, "# EOF") if open_metrics or line != "# EOF")


def named(key: str) -> tuple[str, str]:
    """Return the name and the labels of a key."""
    name, *tags = key.split(";")
    name = WRONG.sub("_", name) or "_"
    return ("_" + name if name[0].isdigit() else name), ",".join(_labels(tags)) if tags else ""


def _labels(tags: Iterable[str]) -> Iterator[str]:
    taken = set[str]()
    for tag in tags:
        label, _, value = tag.partition("=")
        label = WRONG_LABEL.sub("_", label) or "_"
        label = RESERVED.get(label, "_" + label if label[0].isdigit() else label)
        label = "x" + label if label.startswith("__") else label  # two underlines are Prometheus' own
        while label in taken:
            label += "x"
        taken.add(label)
        yield f'{label}="{value.translate(ESCAPES)}"'


def labelled(labels: str, name: str, value: str) -> str:
    """Return labels with one more."""
    return f'{labels},{name}="{value}"' if labels else f'{name}="{value}"'


def number(value: float) -> str:
    """Return a value as both formats have it."""
    if math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 beyond it digits are lost
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
