"""A trace as a graph in the language DOT, https://graphviz.org/doc/info/lang.html, with the labels that OSProfiler gives.

A node says service, name and milliseconds, and below what was asked or called; one that failed is red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

LONGEST = 30
"""Characters of the second line of a label."""


def dot(spans: Sequence[Span]) -> str:
    """Return the graph of the spans of one trace."""
    numbers = {span.id: number for number, span in enumerate(spans)}
    lines = ["digraph {"]
    for number, span in enumerate(spans):
        colour = ", color=red, fontcolor=red" if span.failed else ""
        lines.append(f"\tn{number} [label={_quoted(_label(span))}{colour}]")
    lines += [f"\tn{numbers[span.parent]} -> n{numbers[span.id]}" for span in spans if span.parent in numbers]
    return "\n".join([*lines, "}"])


def _label(span: Span) -> str:
    first = f"{span.service}:{span.name} - {span.duration // 1_000_000} ms"
    second = _asked(span)
    return f"{first}\n{second[:LONGEST]}{'..' if len(second) > LONGEST else ''}" if second else first


def _asked(span: Span) -> str:
    """Return what was asked or called, empty where nothing tells."""
    told = span.attributes
    if "url.path" in told:
        return f"{told.get('http.request.method', '')} {told['url.path']}".strip()
    return str(told.get("code.function.name", "")).rpartition(".")[2]


def _quoted(text: str) -> str:
    printable = "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
