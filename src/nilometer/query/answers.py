"""Graphite's read API, from what a request says to what is answered. Plain functions of a reader, to run in any process.

Rules:

* A function takes a reader and the request's pairs of name and value, and returns an `Answer`; what cannot be answered is one
  of status 400, as text, as graphite-web does.
* Nothing is kept from one request to the next.

Source: graphite-web 1.1, "The Render URL API", "The Metrics API", "Graphite Tag Support", "Function API".
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.chart import Look
from nilometer.query import browse, formats, times
from nilometer.query.evaluate import evaluate
from nilometer.query.functions import TABLE
from nilometer.query.limits import QueryError
from nilometer.query.picture import png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import SeriesReader
    from nilometer.query.series import Points

Pairs = list[tuple[str, str]]
JSON, CSV, TEXT = "application/json", "text/csv", "text/plain; charset=utf-8"
SVG, PNG = "image/svg+xml", "image/png"
LEAST_POINTS = 1
VERSION = "1.1.10"
"""The graphite-web whose behaviour this is; clients ask for it to know what they may use."""
BEFORE = "-1d"
MOST_DIGITS = 9
WIDTH, HEIGHT = 330, 250
"""Pixels of a chart where nothing is said."""


class Answer(NamedTuple):
    """A status, what kind of body, and the body."""

    status: int
    kind: str
    body: bytes


class Query:
    """What a request says, by name."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        """Return the values under a name, or under ``name[]``."""
        return [value for key, value in self._pairs if key == name] or [
            value for key, value in self._pairs if key == f"{name}[]"
        ]

    def one(self, name: str, usual: str = "") -> str:
        """Return the last value under a name."""
        return next((value for key, value in reversed(self._pairs) if key == name), usual)

    def has(self, name: str) -> bool:
        """Say whether something is said under a name."""
        return any(key == name for key, _ in self._pairs)

    def yes(self, name: str) -> bool:
        """Say whether the value under a name is 1 or true."""
        return self.one(name).lower() in ("1", "true")

    def number(self, name: str) -> int | None:
        """Return a whole number. Raise `QueryError`."""
        text = self.one(name)
        if text == "":
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
            message = f"{name}={text[:40]!r} is no whole number"
            raise QueryError(message)
        return int(text)

    def template(self) -> dict[str, str]:
        """Return the values of ``template[name]``."""
        return {key[9:-1]: value for key, value in self._pairs if key.startswith("template[") and key.endswith("]")}


def _answered(make: Callable[[], Answer]) -> Answer:
    try:
        return make()
    except QueryError as error:
        return Answer(400, TEXT, f"{error}\n".encode("utf-8", "replace"))


def _json(value: Any, status: int = 200, *, pretty: str = "") -> Answer:  # noqa: ANN401 whatever JSON can hold
    """Return a value as JSON, for people to read when `pretty` says anything."""
    return Answer(status, JSON, json.dumps(value, indent=2 if pretty else None, sort_keys=bool(pretty)).encode())


def render(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/render``."""
    return _answered(lambda: _render(reader, Query(pairs)))


def _render(reader: SeriesReader, query: Query) -> Answer:
    zone = times.zone(query.one("tz", "UTC"))
    now = times.moment(query.one("now", str(int(time.time()))), int(time.time()), zone)
    ends = [times.moment(query.one(name, usual), now, zone) for name, usual in (("from", BEFORE), ("until", "now"))]
    start, end = sorted(ends)
    if start == end:
        message = "from and until are the same; the range between them is empty"
        raise QueryError(message)
    if query.has("jsonp"):
        message = "jsonp is not to be had here: another site's page could read what it must not"
        raise QueryError(message)
    found = evaluate(
        reader,
        query.all("target"),
        start,
        end,
        now=now,
        zone=zone,
        x_files_factor=_factor(query.one("xFilesFactor", "0")),
        template=query.template(),
    )
    return _formatted(query, found, start, end)


def _factor(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        message = f"xFilesFactor={text[:40]!r} is no number"
        raise QueryError(message) from error


def _formatted(query: Query, found: Sequence[Points], start: int, end: int) -> Answer:
    kind = query.one("format", "raw" if query.has("rawData") else "png")
    indent = 2 if query.one("pretty") else None
    if kind == "json":
        most = query.one("maxDataPoints")
        points = int(most) if most.isascii() and most.isdecimal() and len(most) <= MOST_DIGITS else None
        return Answer(200, JSON, formats.to_json(found, points, nulls=not query.has("noNullPoints"), indent=indent))
    if kind == "csv":
        return Answer(200, CSV, formats.to_csv(found, times.zone(query.one("tz", "UTC"))))
    if kind == "raw":
        return Answer(200, TEXT, formats.to_raw(found))
    if kind == "dygraph":
        return Answer(200, JSON, formats.to_dygraph(found))
    if kind == "rickshaw":
        return Answer(200, JSON, formats.to_rickshaw(found, indent))
    if kind not in ("svg", "png"):
        raise formats.no_drawing(kind)
    drawn = formats.to_svg(found, range(start, end), _look(query))
    return Answer(200, SVG, drawn) if kind == "svg" else Answer(200, PNG, png(drawn.decode()))


def _look(query: Query) -> Look:
    width, height = (query.number(name) for name in ("width", "height"))
    zone = times.zone(query.one("tz", "UTC"))
    return Look(width or WIDTH, height or HEIGHT, query.one("title"), zone, legend=query.one("hideLegend") != "true")


def find(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/metrics/find``."""

    def make() -> Answer:
        query = Query(pairs)
        pattern = query.one("query")
        if not pattern:
            message = "say what to find: query=servers.*"
            raise QueryError(message)
        kind = query.one("format", "treejson")
        if kind not in browse.FORMATS:
            message = f"format={kind[:40]!r} is not to be had here; one of {', '.join(browse.FORMATS)}"
            raise QueryError(message)
        position = query.one("position", "-1")
        asked = browse.Asked(
            pattern, leaves_only=query.yes("leavesOnly"), wildcards=query.yes("wildcards"), position=_position(position)
        )
        return _json(browse.FORMATS[kind](reader, asked))

    return _answered(make)


def _position(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        message = f"position={text[:40]!r} is no whole number"
        raise QueryError(message)
    return int(text)


def expand(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/metrics/expand``."""
    query = Query(pairs)
    return _answered(
        lambda: _json(
            browse.expanded(reader, query.all("query"), leaves_only=query.yes("leavesOnly"), by_query=query.yes("groupByExpr"))
        )
    )


def index(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/metrics/index.json``."""
    del pairs
    return _answered(lambda: _json(browse.index(reader)))


def tags(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/tags``."""
    query = Query(pairs)
    return _answered(lambda: _json(browse.tags(reader, query.one("filter"), query.number("limit"))))


def tag(reader: SeriesReader, name: str, pairs: Pairs) -> Answer:
    """``/tags/NAME``."""
    query = Query(pairs)
    return _answered(lambda: _json(browse.tag(reader, name, query.one("filter"), query.number("limit"))))


def find_series(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/tags/findSeries``."""
    return _answered(lambda: _json(browse.find_series(reader, Query(pairs).all("expr"))))


def complete_tags(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/tags/autoComplete/tags``."""
    query = Query(pairs)
    return _answered(
        lambda: _json(browse.complete_tags(reader, query.all("expr"), query.one("tagPrefix"), query.number("limit")))
    )


def complete_values(reader: SeriesReader, pairs: Pairs) -> Answer:
    """``/tags/autoComplete/values``."""
    query = Query(pairs)
    asked = query.all("expr"), query.one("tag"), query.one("valuePrefix")
    return _answered(lambda: _json(browse.complete_values(reader, *asked, query.number("limit"))))


def functions(pairs: Pairs) -> Answer:
    """``/functions``."""
    query = Query(pairs)
    told = {name: entry.told() for name, entry in TABLE.items() if query.one("group") in ("", entry.group)}
    if not query.yes("grouped"):
        return _functions(told, query)
    groups: dict[str, dict[str, Any]] = {}
    for name, entry in told.items():
        groups.setdefault(entry["group"], {})[name] = entry
    return _functions(groups, query)


def function(name: str, pairs: Pairs) -> Answer:
    """``/functions/NAME``."""
    if name not in TABLE:
        return _json({"error": f"Function not found: {name[:100]}"}, 404)
    return _functions(TABLE[name].told(), Query(pairs))


def _functions(value: Any, query: Query) -> Answer:  # noqa: ANN401 whatever JSON can hold
    found = _json(value, pretty=query.one("pretty"))
    return found._replace(body=found.body.replace(b"Infinity", b"1e9999"))


def version() -> Answer:
    """``/version``."""
    return _json(VERSION)
