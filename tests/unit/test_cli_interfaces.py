"""What the interfaces say about themselves at the start."""

from __future__ import annotations

import pytest

from nilometer.cli import interfaces


@pytest.mark.parametrize(
    ("bound", "opened"),
    [("0.0.0.0:8127", "localhost:8127"), ("[::]:80", "localhost:80"), ("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2")],
)
def test_the_page_is_named_by_an_address_that_a_browser_can_open(bound: str, opened: str) -> None:
    assert interfaces._here(bound) == opened
