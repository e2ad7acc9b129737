"""The rules that come ready for the timers of request metrics, over both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import SettingError
from nilometer.core.settings import load
from nilometer.emit.requests.names import METRICS
from nilometer.emit.requests.options import STYLES
from nilometer.ingest.aggregate import rules
from nilometer.testing.kernels import flushed

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel

WANTED = {f"upper_{percent}" for percent in (50, 66, 75, 80, 90, 95, 98, 99, 100)}


def uppers(kernel: Kernel, stat: str, tags: str = "") -> dict[str, str]:
    """Return the percentiles of a timer that had the values 1 to 100."""
    lines = "".join(f"{stat}:{value}|ms{tags}\n" for value in range(1, 101))
    values = flushed(kernel, lines.encode()).items()
    return {key.rsplit(".", 1)[1]: text for key, text in values if key.rsplit(".", 1)[1].startswith("upper_")}


@pytest.mark.parametrize("style", STYLES)
def test_every_time_of_a_request_gets_the_distribution(kernel: Kernel, style: str) -> None:
    kernel.configure(rules(load(None, {}, {"rules.presets": ("requests",)})))
    for metric in METRICS:
        name = f"{STYLES[style]}.{metric.name.replace('STATUS', '404')}"
        if metric.kind == "ms":
            assert set(uppers(kernel, f"n1.{name}")) == set(uppers(kernel, f"{name}.put_item")) == WANTED
    found = uppers(kernel, f"{STYLES[style]}.timing.put_item.t1")
    assert (found["upper_50"], found["upper_66"], found["upper_99"], found["upper_100"]) == ("50", "66", "99", "100")


def test_others_keep_their_own(kernel: Kernel) -> None:
    kernel.configure(rules(load(None, {"NILOMETER_RULES_PRESETS": "requests"})))
    for name in ("page.timing", "mdb.required.timing", "requests.timing", "request.timings", "mdb.req.size"):
        assert set(uppers(kernel, name)) == {"upper_90"}
    kernel.configure(
        rules(load(None, {}, {"rules.presets": ("requests",), "rules.list": '[{prefix = "mdb", percentiles = [5]}]'}))
    )
    assert set(uppers(kernel, "mdb.req.timing")) == {"upper_5"}


def test_a_preset_that_is_none_is_refused() -> None:
    with pytest.raises(SettingError, match=r"rules\.presets.*expected one of requests; did you mean 'requests'"):
        load(None, {"NILOMETER_RULES_PRESETS": "request"})
