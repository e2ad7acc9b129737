"""Servers that the integration tests share: one process of tests starts each at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.testing import servers
from nilometer.testing.apps.site import site
from nilometer.testing.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.apps.site import Site
    from nilometer.testing.rabbitmq import RabbitMQ
    from nilometer.testing.servers import Graphite


@pytest.fixture(scope="session")
def graphite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphite]:
    """A real Graphite. Whoever stops its carbon starts it again; names of series are each test's own."""
    with servers.graphite(tmp_path_factory.mktemp("graphite")) as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A real RabbitMQ, which nobody stops. Names of exchanges and queues are each test's own."""
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[Site]:
    """An application with request metrics under the server whose name is the parameter."""
    with site(request.param) as found:
        yield found
