"""What a window could not take is told once, with its cure."""

from __future__ import annotations

import pytest

from nilometer.core.settings import find
from nilometer.ingest.kernel import Tally
from nilometer.ingest.losslog import TOLD, LossLog, Told


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.field)
def test_each_is_told_once_until_a_window_without_it(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    log = LossLog()
    for number in (0, 7, 8, 0, 9):
        log.counted(Tally(**{told.field: number}))

    assert [message.partition(" ")[0] for message in caplog.messages] == ["7", "9"]


def test_it_names_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    log = LossLog()
    log.counted(Tally(samples_over_limit=4, members_over_limit=2, series_over_limit=1))

    for name, message in zip(("limits.series", "limits.samples", "limits.set_members"), caplog.messages, strict=True):
        assert f"{find(name).name} is reached" in message
