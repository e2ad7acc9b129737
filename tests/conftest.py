"""Rules for all tests: what generates the same examples everywhere, and what happens where a program is missing.

A test that needs what the set-up could not install (`NILOMETER_LEFT_OUT` names it) is left out, with the reason; whatever else
is missing fails the test.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from nilometer.testing.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Generator

LEFT_OUT = set(filter(None, os.environ.get("NILOMETER_LEFT_OUT", "").split(",")))

settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("same")


def leave_out() -> Generator[None, None, None]:
    """Turn the error of what the set-up has left out into a test that is left out."""
    try:
        return (yield)
    except Missing as error:
        if error.name in LEFT_OUT:
            pytest.skip(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    """Leave out what a fixture lacks."""
    return (yield from leave_out())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Leave out what a test lacks."""
    return (yield from leave_out())
