from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

import nilometer
from nilometer.core.losses import LOSSES, Loss, Losses


def test_every_line_of_the_list_starts_at_zero() -> None:
    assert Losses().totals() == {(loss.stage, loss.reason): 0 for loss in LOSSES}


def test_names_are_unique_and_fit_a_metric() -> None:
    names = [loss.metric for loss in LOSSES]
    assert len(set(names)) == len(names)
    assert all(name.replace(".", "").replace("_", "").isalpha() and name.islower() for name in names)
    assert all(loss.help for loss in LOSSES)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.metric)
def test_every_line_of_the_list_is_used(loss: Loss) -> None:
    root = Path(nilometer.__file__).parent
    sources = [path.read_text() for path in root.rglob("*.py") if path.name != "losses.py"]
    whole, part = f'"{loss.stage}", "{loss.reason}"', f'_count("{loss.reason}"'
    assert any(whole in source or part in source or f'_drop("{loss.reason}")' in source for source in sources)


def test_counts_add_up() -> None:
    losses = Losses()
    losses.count("spool", "size")
    losses.count("spool", "size", 4)
    losses.count("sink", "rejected", 0)
    totals = losses.totals()
    assert totals["spool", "size"] == 5
    assert sum(totals.values()) == 5


def test_totals_are_a_copy() -> None:
    losses = Losses()
    losses.totals()["spool", "size"] = 7
    assert losses.totals()["spool", "size"] == 0


def test_what_the_list_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'spool\.siz' is no line of LOSSES; did you mean 'spool\.size'"):
        Losses().count("spool", "siz")


def test_counts_never_shrink() -> None:
    with pytest.raises(ValueError, match="only grow"):
        Losses().count("spool", "size", -1)


def test_no_count_of_any_thread_is_lost() -> None:
    losses = Losses()

    def work() -> None:
        for _ in range(5000):
            losses.count("kernel", "bad_line")

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert losses.totals()["kernel", "bad_line"] == 20_000
