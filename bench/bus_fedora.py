"""A callback of fedora-messaging's own consumer, for ``bench/messages.py``: counts, and says how long it took.

``consumer_config`` of its configuration has `count`, and `file`, which gets the seconds from the first message to the last.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from fedora_messaging import config  # type: ignore[import-not-found]  # it lies in an environment of its own


class Counted:
    """Counts messages, and keeps none."""

    def __init__(self) -> None:
        self._wanted = config.conf["consumer_config"]
        self._count, self._begin = 0, 0.0

    def __call__(self, message: Any) -> None:  # noqa: ANN401 fedora-messaging is not there when types are checked
        """Count a message."""
        del message
        self._count += 1
        if self._count == 1:
            self._begin = time.perf_counter()
        if self._count == self._wanted["count"]:
            file = Path(self._wanted["file"])
            file.with_suffix(".part").write_text(f"{time.perf_counter() - self._begin}", encoding="ascii")
            file.with_suffix(".part").rename(file)
