"""What is to be expected: Holt-Winters forecasts with their bands, straight lines.

Source: graphite-web 1.1; P. R. Winters, "Forecasting sales by exponentially weighted moving averages" (1960); J. D. Brutlag,
"Aberrant behavior detection in time series for network monitoring" (2000).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from nilometer.query import times
from nilometer.query.functions.draw import AREA_BETWEEN, area_between
from nilometer.query.functions.parts import interval_of
from nilometer.query.functions.table import CALCULATE, SERIES_LIST, Param, function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.query.context import Context
    from nilometer.query.series import Points, Value, Values

ALPHA = GAMMA = 0.1
BETA = 0.0035
DELTA = Param("delta", "integer", default=3)
BOOTSTRAP = Param("bootstrapInterval", "interval", default="7d", suggestions=("7d", "30d"))
SEASON = Param("seasonality", "interval", default="1d", suggestions=("1d", "7d"))
FORECAST, ABERRATION, AREA = "holtWintersForecast", "holtWintersAberration", "holtWintersConfidenceArea"
UPPER, LOWER = "holtWintersConfidenceUpper", "holtWintersConfidenceLower"


class Expected(NamedTuple):
    """What was to be expected of each value, and how far off values used to be."""

    values: Values
    deviations: list[float]


class _State(NamedTuple):
    intercept: Value = None
    slope: float = 0.0
    expected: Value = None


def expected(values: Values, season: int) -> Expected:
    """Go through the values, by the additive method of Holt and Winters with seasons of so many values."""
    seasonals: list[float] = []
    found = Expected([], [])
    state = _State()

    def at(place: int, kept: list[float]) -> float:
        return kept[place - season] if place >= season and place - season < len(kept) else 0.0

    for place, value in enumerate(values):
        if value is None:
            found.values.append(state.expected)
            found.deviations.append(0.0)
            seasonals.append(0.0)
            state = _State()
            continue
        prediction = value if place == 0 else state.expected
        before = value if state.intercept is None else state.intercept
        seasonal = at(place, seasonals)
        intercept = ALPHA * (value - seasonal) + (1 - ALPHA) * (before + state.slope)
        slope = BETA * (intercept - before) + (1 - BETA) * state.slope
        deviation = GAMMA * math.fabs(value - (prediction or 0)) + (1 - GAMMA) * at(place, found.deviations)
        seasonals.append(GAMMA * (value - intercept) + (1 - GAMMA) * seasonal)
        found.values.append(prediction)
        found.deviations.append(deviation)
        state = _State(intercept, slope, intercept + slope + at(place + 1, seasonals))
    return found


def _analysed(context: Context, bootstrap: str, season: str) -> Iterator[tuple[Points, Expected]]:
    """Yield each series, its start moved to that of the range, and what was to be expected of its values then."""
    before = interval_of(bootstrap)
    for series in context.first_argument(context.start - before, context.end):
        found = expected(series.values, max(1, interval_of(season) // int(series.step)))
        skipped = before // int(series.step)
        series.start += before
        series.tags["holtWintersForecast"] = series.tags["holtWintersDeviation"] = 1
        yield series, Expected(found.values[skipped:], found.deviations[skipped:])


def _like(series: Points, name: str, values: Values) -> Points:
    made = series.copy(f"{name}({series.name})", values)
    made.consolidation = "average"
    return made


@function(CALCULATE, SERIES_LIST, BOOTSTRAP, SEASON, names=(FORECAST,))
def holt_winters_forecast(context: Context, series_list: list[Points], bootstrap: str, season: str) -> list[Points]:
    """Forecast each value from those before it, with seasons of a day."""
    del series_list
    return [_like(series, FORECAST, found.values) for series, found in _analysed(context, bootstrap, season)]


@function(CALCULATE, SERIES_LIST, DELTA, BOOTSTRAP, SEASON, names=("holtWintersConfidenceBands",))
def holt_winters_bands(context: Context, series_list: list[Points], delta: int, bootstrap: str, season: str) -> list[Points]:
    """Show below and above the forecast what is usual, `delta` deviations from it."""
    del series_list
    made = []
    for series, found in _analysed(context, bootstrap, season):
        series.tags[UPPER] = series.tags[LOWER] = 1
        for name, sign in ((LOWER, -1), (UPPER, 1)):
            pairs = zip(found.values, found.deviations, strict=True)
            band = _like(series, name, [None if value is None else value + sign * (delta * off) for value, off in pairs])
            band.path_expression = series.path_expression
            made.append(band)
    return made


@function(CALCULATE, SERIES_LIST, DELTA, BOOTSTRAP, SEASON, names=(ABERRATION,))
def holt_winters_aberration(
    context: Context, series_list: list[Points], delta: int, bootstrap: str, season: str
) -> list[Points]:
    """Show how far values lie beyond the bands of the forecast, 0 within them."""
    bands = {series.name: series.values for series in holt_winters_bands(context, series_list, delta, bootstrap, season)}
    made = []
    for series in series_list:
        lower, upper = bands.get(f"{LOWER}({series.name})", []), bands.get(f"{UPPER}({series.name})", [])
        values: Values = [_beyond(value, low, high) for value, low, high in zip(series.values, lower, upper, strict=False)]
        series.tags[ABERRATION] = 1
        made.append(_like(series, ABERRATION, values))
    return made


def _beyond(value: Value, low: Value, high: Value) -> float:
    if value is not None and high is not None and value > high:
        return value - high
    if value is not None and low is not None and value < low:
        return value - low
    return 0


@function(CALCULATE, SERIES_LIST, DELTA, BOOTSTRAP, SEASON, names=(AREA,))
def holt_winters_area(context: Context, series_list: list[Points], delta: int, bootstrap: str, season: str) -> list[Points]:
    """Draw the area between the bands of the forecast."""
    bands = area_between(context, holt_winters_bands(context, series_list, delta, bootstrap, season))
    for series in bands:
        series.tags.pop(AREA_BETWEEN, None)
        series.tags[AREA] = 1
        series.call(series.name.replace(AREA_BETWEEN, AREA))
    return bands


@function(CALCULATE, SERIES_LIST, Param("startSourceAt", "date"), Param("endSourceAt", "date"), names=("linearRegression",))
def linear_regression(context: Context, series_list: list[Points], start: str | None, end: str | None) -> list[Points]:
    """Draw the straight line that fits best: to the range, or to that between two times."""
    first = context.start if start is None else times.moment(start, context.now, context.zone)
    last = context.end if end is None else times.moment(end, context.now, context.zone)
    made = []
    for source, series in zip(context.first_argument(first, last), series_list, strict=False):
        series.tags["linearRegressions"] = f"{first}, {last}"
        line = _line(source)
        if line is not None:
            factor, offset = line
            values: Values = [offset + (series.start + place * series.step) * factor for place in range(len(series.values))]
            copy = series.copy(f"linearRegression({series.name}, {first}, {last})", values)
            copy.consolidation = "average"
            made.append(copy)
    return made


def _line(series: Points) -> tuple[float, float] | None:
    """Return slope and height, at the time 0, of the line that fits the values best by least squares."""
    found = [(place, value) for place, value in enumerate(series.values) if value is not None]
    places, total = sum(place for place, _ in found), sum(value for _, value in found)
    squares, products = sum(place * place for place, _ in found), sum(place * value for place, value in found)
    divisor = float(len(found) * squares - places * places)
    if divisor == 0:
        return None
    factor = (len(found) * products - places * total) / divisor / series.step
    return factor, (squares * total - products * places) / divisor - factor * series.start
