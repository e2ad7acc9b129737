"""Charts as PNG: the SVG of `core.chart`, turned into pixels by resvg.

Rules:

* Labels need a font of this machine; without one of `FONTS` there is no picture, for a chart without figures says nothing.
* A picture has the size of its chart, which is bounded before it is drawn, and its light colours.

Source: https://resvg-py.readthedocs.io/
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nilometer.query.limits import QueryError

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts/Supplemental")
FONTS = {
    "DejaVu Sans": "DejaVuSans.ttf",
    "Liberation Sans": "LiberationSans-Regular.ttf",
    "Noto Sans": "NotoSans-Regular.ttf",
    "Arial": "Arial.ttf",
}
"""Families that labels are written in, the first that is there, and their files."""


def png(svg: str) -> bytes:
    """Return a chart as PNG. Raise `QueryError`, with the cure, where a font or the library is missing."""
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415 only pictures need it
    except ImportError as error:
        message = "format=png takes the library resvg; type: pip install resvg-py (or ask for format=svg)"
        raise QueryError(message) from error
    family, file = _font()
    return bytes(svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=[file], sans_serif_family=family))


@cache
def _font() -> tuple[str, str]:
    """Return a font's family and its file."""
    for family, name in FONTS.items():
        for folder in FOLDERS:
            found = next(Path(folder).rglob(name), None)
            if found is not None:
                return family, str(found)
    message = "no font to write the labels with; install one (Debian: apt-get install fonts-dejavu-core), or ask for format=svg"
    raise QueryError(message)
