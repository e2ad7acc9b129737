"""Charts as SVG: data in, text out. Light or dark as the reader's system has it; no script, nothing fetched."""

from nilometer.core.chart.bars import Stack, stacked
from nilometer.core.chart.calendar import Day, calendar
from nilometer.core.chart.draw import Line, svg
from nilometer.core.chart.frame import Look

__all__ = ["Day", "Line", "Look", "Stack", "calendar", "stacked", "svg"]
