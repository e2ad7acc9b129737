"""New ids of traces and spans: well formed, and never the same again."""

from __future__ import annotations

import os
import random
import re
import uuid
from typing import TYPE_CHECKING

import pytest

from nilometer.core.traces import ids

if TYPE_CHECKING:
    from collections.abc import Callable

MAKERS = [ids.new_trace, ids.new_span, ids.new_uuid]


def test_a_trace_has_32_digits_and_a_span_16() -> None:
    assert re.fullmatch("[0-9a-f]{32}", ids.new_trace())
    assert re.fullmatch("[0-9a-f]{16}", ids.new_span())


def test_a_uuid_is_one_of_version_4() -> None:
    for _ in range(1000):
        made = uuid.UUID(ids.new_uuid())
        assert (made.version, made.variant) == (4, uuid.RFC_4122)


@pytest.mark.parametrize("make", MAKERS)
def test_an_application_that_seeds_random_gets_no_id_twice(make: Callable[[], str]) -> None:
    found = set()
    for _ in range(10):
        random.seed(1)
        found.add(make())
    assert len(found) == 10


@pytest.mark.parametrize("make", MAKERS)
def test_a_forked_child_makes_other_ids_than_its_parent(make: Callable[[], str]) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, make().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read() != make()
