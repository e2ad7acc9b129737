"""RabbitMQ stopped, frozen and killed: nothing waits longer than its timeout, nothing is lost, order is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer import Notifier
from nilometer.testing.amqp_bus import Exchange
from nilometer.testing.bus_contract import AwayContract
from nilometer.testing.rabbitmq import RabbitMQ, rabbitmq
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow
SENT = 3000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as found:
        yield found


class TestRabbitMQAway(AwayContract):
    @pytest.fixture
    def bus(self, server: RabbitMQ) -> Exchange:
        return Exchange(server)


def frozen(server: RabbitMQ) -> None:
    server.freeze()
    threading.Event().wait(3)  # longer than the sink waits for a confirmation
    server.thaw()


def restarted(server: RabbitMQ) -> None:
    server.stop()
    server.start()


def killed(server: RabbitMQ) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("trouble", [frozen, restarted, killed])
def test_under_load_nothing_is_lost_and_order_is_kept(server: RabbitMQ, trouble: Callable[[RabbitMQ], None]) -> None:
    bus = Exchange(server)
    notifier = Notifier(bus.url, publisher="magnetodb.h")
    going = threading.Event()

    def load() -> None:
        for number in range(SENT):
            notifier.info("magnetodb.table.create.end", {"n": number})
            if number == SENT // 10:
                going.set()
            threading.Event().wait(0.001)

    sender = threading.Thread(target=load)
    sender.start()
    assert going.wait(30)
    trouble(server)
    sender.join()
    until(lambda: len({event.id for event in bus.arrived(1)}) == SENT, "all arrive", 60)
    notifier.close(10)
    first = dict.fromkeys(event.payload["n"] for event in bus.arrived(SENT))
    assert list(first) == list(range(SENT))
    assert not any(notifier.losses().values())
