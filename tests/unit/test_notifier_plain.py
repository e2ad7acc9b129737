"""Payloads as JSON, bounded, without secrets."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import json
import pathlib
import time
import uuid
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.emit.notifier.plain import CHARACTERS, CUT, DEEPEST, ITEMS, LONGEST_TEXT, Plain
from nilometer.emit.notifier.secrets import MASK, is_secret, masked

plain = Plain()
SECRET = "hunter2hunter2"  # noqa: S105 a word to look for
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.decimals()
    | st.ip_addresses()
    | st.fractions()
    | st.complex_numbers()
)
KEYS = st.text(st.characters(exclude_categories=[])) | st.integers() | st.none() | st.binary()
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(KEYS, inner) | st.lists(inner).map(deque),
    max_leaves=4,
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=3))
def test_whatever_a_payload_holds_it_becomes_json(payload: dict[Any, Any]) -> None:
    found = plain(payload)
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\0" not in text
    assert "\\u0000" not in text
    assert json.loads(text) == found
    assert plain(found) == found or MASK in text or CUT in text


class Colour(enum.StrEnum):
    RED = "red"


class Text(str):
    __slots__ = ()


@dataclass
class Point:
    x: int
    password: str


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 the kind that is tested
ZONE = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        (dt.datetime(2026, 11, 22, 4, 0, 12, 250977, ZONE), "2026-11-22T04:00:12.250977+02:00"),
        (dt.date(2026, 11, 22), "2026-11-22"),
        (dt.time(4, 5), "04:05:00"),
        (dt.timedelta(seconds=1.5), 1.5),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("1.10"), "1.10"),
        (ipaddress.ip_address("::1"), "::1"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (b"text", "text"),
        (bytearray(b"\xff\x00"), "/wA="),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(), []),
        (deque([1]), [1]),
        (range(3), [0, 1, 2]),
        (Pair(1, 2), [1, 2]),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Colour.RED, "red"),
        (Text("t"), "t"),
        (Point(1, SECRET), {"x": 1, "password": MASK}),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (10**5000, "<integer of 16610 bits>"),
        (KeyError("gone"), "KeyError: 'gone'"),
        ("\ud800\0", "\ufffd\ufffd"),
        ({1: "a", None: "b", "": "c"}, {"1": "a", "None": "b", "": "c"}),
        (True, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_becomes_of_each_type(value: object, copied: object) -> None:
    assert plain({"v": value}) == {"v": copied}


def test_cycles_and_depth_end() -> None:
    circle: dict[str, Any] = {"a": [1]}
    circle["a"].append(circle)
    assert plain(circle) == {"a": [1, CUT]}
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert json.dumps(plain({"deep": deep})).count("[") == DEEPEST - 1
    twice = [1]
    assert plain({"a": twice, "b": twice}) == {"a": [1], "b": [1]}


def test_size_is_bounded() -> None:
    long = plain({"text": "x" * 10**6})["text"]
    assert long == "x" * LONGEST_TEXT + CUT
    assert len(plain({"all": list(range(10**6))})["all"]) == ITEMS - 1
    assert len(json.dumps(plain({str(number): "x" * 10_000 for number in range(1000)}))) < CHARACTERS + LONGEST_TEXT
    assert len(json.dumps(plain({"k" * 10_000: 1}))) < 300


def test_a_value_that_cannot_be_read_leaves_the_others() -> None:
    class Bad(dict[str, int]):
        def items(self) -> Any:  # noqa: ANN401 raises
            raise RuntimeError

    class Mute:
        def __str__(self) -> str:
            raise ValueError

    assert plain({"bad": Bad(), "mute": [Mute(), 1], "good": 2}) == {
        "bad": "<unreadable Bad>",
        "mute": ["<unreadable Mute>", 1],
        "good": 2,
    }


SECRETS = """
    password passwd adminPass admin_pass adminpass new_pass db_password PASSWORD userPassword x-auth-token X-Subject-Token
    auth_token token access_token refreshToken id_token api_key apiKey X-Api-Key secret client_secret secretKey private_key
    credentials aws_secret_access_key accessKey Authorization Proxy-Authorization Set-Cookie Cookie cookies session_id
    auth basic_auth passphrase sys_pswd otp jwt encryption_key pwd mysql_pwd secret_uuid
"""
OPEN = """
    key keys key_schema hash_key range_key table_key author authorized_by compass bypass passenger tokenizer monkey signal
    signature_count table_name state disk_gb message user_id tenant_id rows_impacted consistency_level keyboard oauth_provider
    authors
"""


@pytest.mark.parametrize("key", SECRETS.split())
def test_keys_that_are_secret(key: str) -> None:
    found = plain({"a": [{"b": {key: {"inner": SECRET}, "open": 1}}], key: SECRET})
    assert found == {"a": [{"b": {key: MASK, "open": 1}}], key: MASK}
    assert plain({key: None}) == {key: None}


@pytest.mark.parametrize("key", OPEN.split())
def test_keys_that_are_not(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqp://user:hunter2@host/x", "amqp://user:***@host/x"),
        ("a postgres://:hunter2@h and redis://u:p@h", "a postgres://:***@h and redis://u:***@h"),
        ("password=hunter2&user=ann", "password=***&user=ann"),
        ("{'adminPassword': 'hunter2', 'a': 1}", "{'adminPassword': '***', 'a': 1}"),
        ('"api_key":"hunter2"', '"api_key":"***"'),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        ("12:30, key: value, http://host/path:x", "12:30, key: value, http://host/path:x"),
        ("the password is long", "the password is long"),
    ],
)
def test_secrets_that_can_be_told_in_texts(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert plain({"message": text}) == {"message": shown}


@pytest.mark.parametrize("part", ["token", "secret:", "://", "://a:", "password='", "basic ", "secret-", "=", ":", "a@"])
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    masked((part * LONGEST_TEXT)[:LONGEST_TEXT] + ":")
    assert time.process_time() - began < 10  # of this process alone; it would be minutes
