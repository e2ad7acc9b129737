"""OSProfiler's signed headers, against vectors that OSProfiler made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.traces import ids
from nilometer.core.wire import trace_info

VECTORS = json.loads((Path(__file__).parents[1] / "data/osprofiler_vectors.json").read_text())
KEYS = ("K1", "K2")
NOW = 1_795_413_600.0


@pytest.mark.parametrize("case", VECTORS["A_signing"], ids=lambda case: case["id"])
def test_headers_are_signed_as_osprofiler_does(case: dict[str, Any]) -> None:
    info, signature = trace_info.signed(case["hmac_key"], **case["payload_in_this_key_order"])
    assert (info, signature) == (case["X-Trace-Info"], case["X-Trace-HMAC"])
    assert trace_info.verified(info, signature, ["other", case["hmac_key"]]) == (
        case["hmac_key"],
        *case["payload_in_this_key_order"].values(),
    )


@pytest.mark.parametrize("case", VECTORS["B_middleware"]["cases"], ids=lambda case: case["id"])
def test_requests_are_traced_as_by_osprofilers_middleware(case: dict[str, Any]) -> None:
    found = trace_info.verified(case["headers"].get("X-Trace-Info"), case["headers"].get("X-Trace-HMAC"), KEYS)
    assert (found is not None) == case["traced"]
    if found:
        assert (found.base_id, found.parent_id) == (case["expected_base_id"], case["expected_parent_id"])


@pytest.mark.parametrize("case", VECTORS["C_ids"][:2], ids=lambda case: case["uuid"])
def test_ids_are_those_of_opentelemetry(case: dict[str, Any]) -> None:
    assert ids.short(ids.span_id(case["uuid"])) == case["get_shorten_id"]
    assert ids.w3c_span(ids.span_id(case["uuid"])) == case["otlp_span_id_hex16"]
    assert ids.w3c_trace(ids.trace_id(case["uuid"])) == case["otlp_trace_id_hex32"]


@given(st.text(max_size=50) | st.none(), st.text(max_size=50) | st.none())
def test_nothing_raises_and_nothing_unsigned_passes(info: str | None, signature: str | None) -> None:
    assert trace_info.verified(info, signature, KEYS) is None


def test_a_time_makes_headers_good_for_a_while() -> None:
    headers = trace_info.signed("K1", "a", "b", now=NOW)
    assert trace_info.verified(*headers, KEYS, now=NOW + trace_info.LIFE) == ("K1", "a", "b")
    assert trace_info.verified(*headers, KEYS, now=NOW + trace_info.LIFE + 1) is None
    assert trace_info.verified(*headers, KEYS) is None
    plain = trace_info.signed("K1", "a", "b")
    assert trace_info.verified(*plain, KEYS, now=NOW) == ("K1", "a", "b")
    assert trace_info.verified(*plain, KEYS, now=NOW, strict=True) is None


@pytest.mark.parametrize(
    ("told", "traced"),
    [
        ({"base_id": 5}, True),
        ({"base_id": "a", "parent_id": None}, True),
        ({"base_id": ""}, True),
        ({"base_id": "a", "hmac_key": "K9"}, True),
        ({"base_id": "a", "other": 1}, False),
        ({"parent_id": "a"}, False),
        ({"base_id": ["a"]}, False),
        ({"base_id": True}, False),
        ({"base_id": "x" * 300}, False),
        (["base_id"], False),
    ],
)
def test_what_is_signed_is_looked_at_all_the_same(told: object, traced: bool) -> None:  # noqa: FBT001 one of two
    import base64  # noqa: PLC0415 for this test alone

    info = base64.urlsafe_b64encode(json.dumps(told).encode())
    assert (trace_info.verified(info.decode(), trace_info._signature("K2", info), KEYS) is not None) == traced
