"""Threads that must not hold up the receivers stand behind them."""

from __future__ import annotations

import os
import threading

from nilometer.core import priority


def test_a_thread_steps_back_and_leaves_the_others_where_they_are() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen: list[int] = []

    def work() -> None:
        priority.step_back()
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [min(before + priority.BEHIND, 19)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
