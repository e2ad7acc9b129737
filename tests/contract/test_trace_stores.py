"""The contract of stores of traces, over each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory
from nilometer.testing.trace_store import TraceStoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestMemory(TraceStoreContract):
    @pytest.fixture
    def url(self) -> Iterator[str]:
        yield "memory://contract-of-traces"
        memory.forget("contract-of-traces")
