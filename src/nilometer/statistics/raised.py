"""What a plugin raised, said in one line for its author: the error, and where in the plugin."""

from __future__ import annotations

import traceback
from pathlib import Path

OURS = "tallying.py"
"""What looks at the changes that a plugin returns, and raises for it."""


def said(error: BaseException) -> str:
    """Return ``KeyError: 'agent' (process, line 14)``: type, message, and innermost function and line, unless that is ours."""
    last = [each for each in traceback.extract_tb(error.__traceback__)[-1:] if Path(each.filename).name != OURS]
    place = f" ({last[0].name}, line {last[0].lineno})" if last else ""
    return f"{type(error).__name__}: {error}{place}"
