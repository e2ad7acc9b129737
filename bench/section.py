"""The page that measurements are written to: the section between two markers is replaced."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/performance.md"


def write(part: str, lines: list[str]) -> None:
    """Put the lines between the markers ``<!-- part: begin -->`` and ``<!-- part: end -->``."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text("\n".join([before + begin, *lines, end + rest.partition(end)[2]]))
