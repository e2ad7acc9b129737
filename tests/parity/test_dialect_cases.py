"""Lines from other servers' tests and documents mean what they mean there: what `nilometer parse` prints, with both kernels.

The cases keep the words of the servers that they come from; `meaning` and `wanted` bring both sides to one form.
"""

from __future__ import annotations

import base64
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from nilometer.testing import kernels

CASES = json.loads((Path(__file__).parents[1] / "data/statsd_dialects.json").read_text("utf-8"))
TYPES = {"count": "counter", "observer": "timer", "distribution": "timer"}
EVENT = {"Title": "title", "Text": "text", "DateHappened": "timestamp", "Source": "hostname"}
EVENT |= {"Priority": "priority", "AlertType": "alert_type", "Tags": "tags"}
WORDS = {"type", "name", "title", "text", "timestamp", "hostname", "priority", "alert_type", "set_value"}


def line(case: dict[str, Any]) -> bytes:
    """Return the bytes of a case."""
    return base64.b64decode(case["line_b64"]) if "line_b64" in case else str(case["line"]).encode()


def tags(pairs: Any) -> set[str]:  # noqa: ANN401 a list or an object
    """Return tags as ``name:value``, their names as Prometheus may have them; statsd_exporter drops those without a value."""
    found = [f"{name}:{value}" for name, value in pairs.items()] if isinstance(pairs, dict) else pairs
    return {
        re.sub(r"^(\d)", r"_\1", re.sub(r"[^\w:]", "_", tag.partition(":")[0])) + ":" + tag.partition(":")[2] for tag in found
    }


def meaning(told: dict[str, Any]) -> dict[str, Any]:
    """Return what we say of a value or an event, in the words of the cases."""
    kept = {word: told[word] for word in WORDS & told.keys()}
    kept["type"] = TYPES.get(told["type"], told["type"])
    return kept | {"values": told.get("values"), "tags": tags(told["tags"]), "container": told.get("container", "")}


def wanted(case: Any) -> dict[str, Any]:  # noqa: ANN401 whatever a case holds
    """Return what a case says of a value or an event, in our words."""
    found = {EVENT.get(word, word): value for word, value in case.items()}
    if "type" in found:
        found["type"] = TYPES.get(found["type"], found["type"])
    for word in ("value", "gauge"):
        if word in found:
            found["values"] = [found.pop(word)]
    if "labels" in found or "tags" in found:
        found["tags"] = tags(found.pop("labels", None) or found.pop("tags", []))
    return found


def agrees(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Say whether all that a case tells of is what we say."""
    container = theirs.pop("container", "")
    named = {tag for tag in ours["tags"] if not tag.endswith(":")}
    known = {word: ours.get(word) for word in WORDS | {"values"}}
    expected = theirs.pop("tags", ours["tags"])
    rest = {word: value for word, value in theirs.items() if word in known}
    return (
        expected in (ours["tags"], named)
        and ours["container"].startswith(container.rstrip("."))
        and all(known[word] == value for word, value in rest.items())
    )


@pytest.mark.parametrize("kernel", kernels.NAMES)
@pytest.mark.parametrize("case", CASES, ids=[repr(line(case))[2:60] for case in CASES])
def test_a_line_means_what_others_say(case: dict[str, Any], kernel: str) -> None:
    told = kernels.make(kernel).explain(line(case), "auto")
    good = [each for each in told if "error" not in each]
    parsed = case["parsed"]
    if not parsed:  # null, or no value at all
        assert good == []
    elif isinstance(parsed, str):  # bytes of a client: well read, whatever they mean
        assert good == told
    elif "counter" in parsed:
        assert math.fsum(value / each["rate"] for each in good for value in each["values"]) == parsed["counter"]
    else:
        several = parsed if isinstance(parsed, list) else [parsed]
        if several[0].get("type") == "observer":  # told once for each sample that it stands for
            several = several[: len(good)]
        assert len(good) >= len(several) > 0
        assert all(agrees(meaning(ours), wanted(theirs)) for ours, theirs in zip(good, several, strict=False)), told
