"""OSProfiler's report of a trace: the tree that ``osprofiler trace show --json`` prints, in whole milliseconds.

Source: osprofiler 4.4.0, ``osprofiler/drivers/base.py``. What it does otherwise, on purpose: names are whole, not cut at their
first dash; siblings of the same millisecond stay in the order in which they began; spans in a cycle are roots, not lost; and
however deep a trace is, nothing fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.traces.ids import uuid
from nilometer.core.wire import osprofiler as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.traces.span import Span

Node = dict[str, Any]
MS = 1_000_000
RAW = "meta.raw_payload."
"""What stands before the name of a notification that a node holds."""
LONGEST = 1 << 40
"""Milliseconds from the start of a trace, at most."""


def report(spans: Sequence[Span]) -> Node:
    """Return the report of the spans of one trace, in order of start; of none, that of an unknown trace."""
    nodes = {span.id: _node(span) for span in spans}
    began = min((min(info["started"], info["finished"]) for info in _infos(nodes)), default=0)
    total: Node = {"name": "total", "started": 0, "finished": None, "last_trace_started": None}
    if nodes:
        total["finished"] = (max(max(info["started"], info["finished"]) for info in _infos(nodes)) - began) // MS
        total["last_trace_started"] = (max(info["started"] for info in _infos(nodes)) - began) // MS
    stats: dict[str, dict[str, int]] = {}
    for info in _infos(nodes):
        info["started"], info["finished"] = (info["started"] - began) // MS, (info["finished"] - began) // MS
        counted = stats.setdefault(info["name"], {"count": 0, "duration": 0})
        counted["count"] += 1
        counted["duration"] += info["finished"] - info["started"]
    return {"info": total, "children": _planted(spans, nodes), "stats": stats}


def _infos(nodes: dict[str, Node]) -> Iterable[Node]:
    return (node["info"] for node in nodes.values())


def _node(span: Span) -> Node:
    notes = wire.notes(span)
    first = notes[0]
    info: Node = {
        "name": span.name,
        "project": first.get("project") if span.notes else span.project,
        "service": first.get("service") if span.notes else span.service,
        "host": span.host,
    }
    started, finished = _times(span)
    for note in notes:
        info[f"{RAW}{note['name']}"] = note
        if str(note["name"]).endswith("stop"):
            info["finished"] = finished
            info["exception"] = span.error or "None" if span.failed else "None"
        else:
            info["started"] = started
    info.setdefault("started", finished)
    info.setdefault("finished", started)
    parent = first.get("parent_id", uuid(span.parent or span.trace))
    return {"info": info, "trace_id": first.get("trace_id", uuid(span.id)), "parent_id": parent, "children": []}


def _times(span: Span) -> tuple[int, int]:
    """Return start and end in ns; OSProfiler's clocks may have gone back in between, which a span does not tell."""
    if span.start == span.end and len(span.notes) > 1:
        try:
            found = {str(note["name"]).endswith("stop"): wire.time_of(note.get("timestamp")) for note in span.notes}
        except InputError:
            return span.start, span.end
        return found.get(False, span.start), found.get(True, span.end)
    return span.start, span.end


def _planted(spans: Sequence[Span], nodes: dict[str, Node]) -> list[Node]:
    """Put nodes under their parents, in order of `started`. Return those at the top."""
    roots: list[Node] = []
    above = {span.id: span.parent for span in spans}
    cut = _cycles(above)
    for span in sorted(spans, key=lambda each: nodes[each.id]["info"]["started"]):
        parent = nodes.get(span.parent)
        (roots if parent is None or span.id in cut else parent["children"]).append(nodes[span.id])
    return roots


def _cycles(above: dict[str, str]) -> set[str]:
    """Return one span of each cycle of parents."""
    done: set[str] = set()
    cut: set[str] = set()
    for start in above:
        way: dict[str, None] = {}
        at = start
        while at in above and at not in done and at not in way:
            way[at] = None
            at = above[at]
        if at in way:
            cut.add(at)
        done.update(way)
    return cut


def spans(found: Any) -> list[Span]:  # noqa: ANN401 whatever JSON a file holds
    """Return the spans of a report that somebody has kept. Raise `InputError` for what is none."""
    if not isinstance(found, dict) or not isinstance(found.get("children"), list):
        message = "this is no report of OSProfiler: it has no children"
        raise InputError(message)
    documents: list[object] = []
    waiting: list[tuple[Any, str]] = [(child, "") for child in reversed(found["children"])]
    while waiting:
        node, base = waiting.pop()
        if isinstance(node, dict):
            base = base or str(node.get("parent_id") or "trace")
            documents += _documents(node, base)
            children = node.get("children")
            waiting += [(child, base) for child in reversed(children if isinstance(children, list) else [])]
    return wire.spans(documents).spans


def _documents(node: Node, base: str) -> list[Node]:
    """Return the notifications that a node holds; of those of which only a part was kept, what the node tells."""
    info = node.get("info")
    if not isinstance(info, dict):
        return []
    found = []
    for name, payload in info.items():
        if name.startswith(RAW) and isinstance(payload, dict):
            time = info.get("finished" if name.endswith("stop") else "started")
            told = {
                "name": name.removeprefix(RAW),
                "base_id": base,
                "trace_id": node.get("trace_id"),
                "parent_id": node.get("parent_id"),
                "timestamp": wire.timestamp(time * MS if isinstance(time, int) and 0 <= time < LONGEST else 0),
                "project": info.get("project"),
                "service": info.get("service"),
            }
            found.append({**told, **payload})
    return found
