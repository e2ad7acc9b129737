"""Line charts as SVG: data in, text out. Light or dark as the reader's system has it; no script, nothing fetched."""

from nilometer.core.chart.draw import Line, Look, svg

__all__ = ["Line", "Look", "svg"]
