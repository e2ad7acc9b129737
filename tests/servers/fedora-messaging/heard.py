"""A callback of fedora-messaging's own consumer: notes the id of each message in the file that its configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fedora_messaging import config  # type: ignore[import-not-found]  # it lies in an environment of its own


def heard(message: Any) -> None:  # noqa: ANN401 fedora-messaging is not there when types are checked
    """Note a message."""
    with Path(config.conf["consumer_config"]["file"]).open("a", encoding="utf-8") as file:
        file.write(f"{message.id}\n")
