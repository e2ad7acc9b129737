"""A trace as one file of HTML that needs nothing else: no network, no library. Its parts lie in `page/`.

Rules:

* What a trace holds is data, never code: it stands in a block that no browser runs, without a character that could end the
  block; the page puts it in as text. A policy in the file forbids everything but its own script and style, by their digests.
* Only the rows in sight exist, so that 50,000 spans are as quick as fifty.
"""

from __future__ import annotations

import base64
import hashlib
import html as entities
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from nilometer.core.wire.span import text
from nilometer.traces.formats.json import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {style_digest}; script-src {script_digest}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="trace">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def html(spans: Sequence[Span]) -> str:
    """Return the page of a trace of at least one span."""
    style, script, body = _part("trace.css"), _part("trace.js"), _part("trace.html")
    found = told(spans)
    title = entities.escape(f"{found['name'] or 'trace'} – {found['trace']}")
    return PAGE.format(
        style_digest=_digest(style),
        script_digest=_digest(script),
        title=title,
        style=style,
        body=body,
        data=_data(found),
        script=script,
    )


@lru_cache(8)
def _part(name: str) -> str:
    return files("nilometer.traces.formats").joinpath("page", name).read_text("utf-8").strip()


def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _data(found: object) -> str:
    """Return JSON that no HTML can end: nothing in it is a sign of HTML."""
    return text(found).decode().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
