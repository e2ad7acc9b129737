"""Servers that the integration tests share: one process of tests starts each at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.servers import Graphite


@pytest.fixture(scope="session")
def graphite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphite]:
    """A real Graphite. Whoever stops its carbon starts it again; names of series are each test's own."""
    with servers.graphite(tmp_path_factory.mktemp("graphite")) as server:
        yield server
