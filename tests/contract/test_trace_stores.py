"""The contract of stores of traces, over each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis as driver

from nilometer.backends import memory
from nilometer.testing.redis import redis
from nilometer.testing.trace_store import TraceStoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestMemory(TraceStoreContract):
    @pytest.fixture
    def url(self) -> Iterator[str]:
        yield "memory://contract-of-traces"
        memory.forget("contract-of-traces")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis() as found:
        yield found


def flushed(url: str) -> str:
    """Empty a Redis, and return its URL."""
    client = driver.Redis.from_url(url)
    client.flushall()
    client.close()
    return url


class TestRedis(TraceStoreContract):
    @pytest.fixture
    def url(self, redis_url: str) -> str:
        return flushed(redis_url)


class TestRedisInOsprofilersLayout(TraceStoreContract):
    @pytest.fixture
    def url(self, redis_url: str) -> str:
        return f"{flushed(redis_url)}?layout=osprofiler"
