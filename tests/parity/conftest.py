"""Servers that the parity tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing import graphite_web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.graphite_web import Both


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A graphite-web and a shelf with the same series."""
    with graphite_web.both(tmp_path_factory.mktemp("graphite-web")) as both:
        yield both
