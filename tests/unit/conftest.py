"""Fixtures of the unit tests: every test that asks for `kernel` runs over both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import StaleBuild
from nilometer.testing import kernels

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel


@pytest.fixture(params=kernels.NAMES)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    try:
        return kernels.make(request.param)
    except (ImportError, StaleBuild) as error:
        pytest.fail(f"the {request.param} kernel cannot be used: {error}; build it with: make native", pytrace=False)
