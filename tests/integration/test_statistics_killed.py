"""However often the program is killed, every message counts once."""

from __future__ import annotations

import threading
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.statistics_messages import many
from nilometer.testing.statistics_program import Bus, Program

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.testing.rabbitmq import RabbitMQ

KILLS = 20
MESSAGES = 4000
IDENTS = ("volume-1s", "volume-1m", "volume-1d")


@pytest.mark.slow
def test_every_message_counts_once_however_often_the_program_is_killed(broker: RabbitMQ, tmp_path: Path) -> None:
    bus = Bus(broker)
    found = many(MESSAGES)
    program = Program(bus, f"sqlite:///{tmp_path}/statistics.db", tmp_path / "state", "--plugins", "volume")
    publisher = threading.Thread(target=bus.publish, args=([*found, *found[:: MESSAGES // 100]],))
    try:
        publisher.start()
        for number in range(KILLS):
            program.ended_by(SIGKILL, after=0.01 * number)
            program.start()
        publisher.join()
        program.settle(MESSAGES)
        for ident in IDENTS:
            assert (ident, sum(row["volume"] for row in program.rows(f"/api/{ident}"))) == (ident, MESSAGES)
    finally:
        program.serving.kill()
        bus.close()
