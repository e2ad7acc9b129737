"""The state directory: what a server keeps over a restart. One server at a time, and nobody else may read it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from nilometer.core import url as urls
from nilometer.core.errors import ConfigError
from nilometer.web.tokens import TokenFile

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

LOCK, STORE, SPOOLS, CARRYOVER, TOKENS = "lock", "nilometer.db", "spool", "carryover.json", "tokens.json"
CURE = "set server.state (--server-state, $NILOMETER_SERVER_STATE) to another directory"


def tokens(settings: Settings) -> TokenFile:
    """Return the file of the HTTP interface's tokens, in the state directory."""
    return TokenFile(settings.server.state.absolute() / TOKENS)


def in_state(url: Url, path: Path) -> Url:
    """Return the URL of a store; ``sqlite`` alone is a file in the state directory."""
    return urls.parse(f"sqlite:///{quote(str(path))}") if url == urls.parse("sqlite") else url


class StateDirectory:
    """The directory, made with mode 0700 and locked until `close`. Raise `ConfigError` when it cannot be had.

    `folder`: a part of it for a server that may run beside the one that has the whole.
    """

    def __init__(self, path: Path, folder: str = "") -> None:
        self.path = path.absolute() / folder
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"{self.path}: state cannot be kept there: {error.strerror}; {CURE}"
            raise ConfigError(message) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            message = f"{self.path}: another server{_holder(self.path)} keeps its state there; stop it, or {CURE}"
            raise ConfigError(message) from error
        os.truncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    @property
    def store(self) -> Path:
        """The file of the embedded series store."""
        return self.path / STORE

    @property
    def spools(self) -> Path:
        """The directory of the sinks' spools."""
        return self.path / SPOOLS

    @property
    def carryover(self) -> Path:
        """The file that a server leaves to its successor."""
        return self.path / CARRYOVER

    def close(self) -> None:
        """Let another server have it."""
        os.close(self._lock)


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f" (process {int((path / LOCK).read_text('ascii')[:20])})"
    return ""
