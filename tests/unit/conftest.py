"""Fixtures of the unit tests: every test that asks for `kernel` runs over both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing import kernels
from nilometer.testing.answering import Answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.ingest.kernel import Kernel
    from nilometer.testing.answering import Asked, Reply, Serve


@pytest.fixture(params=kernels.NAMES)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return kernels.make(request.param)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts HTTP servers that end with the test."""
    started: list[Answering] = []

    def start(answer: Callable[[Asked], Reply]) -> Answering:
        started.append(Answering(answer))
        return started[-1]

    yield start
    for server in started:
        server.close()
