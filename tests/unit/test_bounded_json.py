"""JSON of the network is as deep as it may be, however its texts look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.wire.bounded_json import DEEPEST, read, read_many

if TYPE_CHECKING:
    import random

TEXT = st.text('[]{}"\\a\n\u2028')


@given(TEXT, st.integers(1, DEEPEST))
def test_brackets_in_texts_do_not_count(text: str, levels: int) -> None:
    found: object = {text: [text] * DEEPEST}
    for _ in range(levels - 2):
        found = [found]
    assert read(json.dumps(found).encode()) == found


@given(TEXT, st.integers(1, DEEPEST), st.randoms(use_true_random=False))
def test_what_lies_deeper_is_refused(text: str, more: int, chance: random.Random) -> None:
    found: object = text
    for _ in range(DEEPEST + more):
        found = [found] if chance.random() < 0.5 else {text: found}
    with pytest.raises(InputError, match="deep"):
        read(json.dumps(found).encode())


def test_many_texts_are_read_at_once_and_a_bad_one_spoils_no_other() -> None:
    deep = b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1)
    assert read_many([]) == []
    assert read_many([b"1", b'"a"', deep]) == [1, "a", json.loads(deep)]
    assert read_many([b"1", b"2, 3", b"[", b"]", b"NaN", b"[" + deep + b"]"]) == [
        1,
        None,
        None,
        None,
        None,
        json.loads(b"[" + deep + b"]"),
    ]
    assert read_many([b"[1", b"2]", b"[[3]]"], 4) == [None, None, None]
