"""JSON of the network is as deep as it may be, however its texts look."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.wire.bounded_json import DEEPEST, read

TEXT = st.text('[]{}"\\a\n\u2028')


@given(TEXT, st.integers(1, DEEPEST))
def test_brackets_in_texts_do_not_count(text: str, levels: int) -> None:
    found: object = {text: [text] * DEEPEST}
    for _ in range(levels - 2):
        found = [found]
    assert read(json.dumps(found).encode()) == found


@given(TEXT, st.integers(1, 3), st.booleans())
def test_what_lies_deeper_is_refused(text: str, more: int, lists: bool) -> None:  # noqa: FBT001 drawn
    found: object = text
    for _ in range(DEEPEST + more):
        found = [found] if lists else {text: found}
    with pytest.raises(InputError, match="deep"):
        read(json.dumps(found).encode())
