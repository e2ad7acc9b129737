"""Fixtures of the unit tests: every test that asks for `kernel` runs over both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing import kernels

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel


@pytest.fixture(params=kernels.NAMES)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return kernels.make(request.param)
