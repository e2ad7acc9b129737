"""The tokens of the HTTP interface: a file in the state directory that the command line changes and the server reads.

Rules:

* A token is 256 bits from the system's source of randomness. It is shown once; the file holds its SHA-256 alone, so who reads
  the file cannot ask anything. A slow hash, which makes guessing dear, would be in vain: 256 random bits cannot be guessed, and
  each request would cost the server what it should cost an attacker.
* The file is replaced as a whole, under a lock on its directory: of two changes at a time none is lost.
* A running server looks at the file with every request, and reads it when it has changed. A file that cannot be read, or that
  holds no token any more, lets nobody in: to revoke the last token opens nothing.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import ConfigError, StoreError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = 1
PREFIX = "nilometer_"
"""What a token begins with, so that programs that look for leaked secrets can know one."""
BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
HASH = re.compile(r"[0-9a-f]{64}\Z")
MOST, MOST_BYTES = 1000, 1 << 20


class Scope(enum.IntEnum):
    """What a token is good for; each includes those before it. `NONE` is what takes no token."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """Its name in lower case."""
        return self.name.lower()


SCOPES = tuple(scope.word for scope in Scope if scope)


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. `created`: seconds since the epoch."""

    name: str
    scope: str
    hash: str
    created: float

    @property
    def reach(self) -> Scope:
        """What it is good for."""
        return Scope[self.scope.upper()]


class TokenFile:
    """The file. What changes it raises `ConfigError` for a wrong name, and `StoreError` when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Token]:
        """Return the tokens, in order of creation; none without a file. Raise `StoreError` for a file that is none of ours."""
        try:
            with self.path.open("rb") as stream:
                return _parse(json.loads(stream.read(MOST_BYTES)))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            message = f"{self.path}: tokens cannot be read: {error}; remove the file to begin anew"
            raise StoreError(message) from error

    @property
    def in_force(self) -> bool:
        """Whether tokens are asked for: there is a file, be it without a token."""
        return self.path.exists()

    def create(self, name: str, scope: str) -> str:
        """Add a token and return its text, which is kept nowhere."""
        if not NAME.match(name):
            message = f"{name!r} is no name for a token: at most 64 letters, digits, dots, dashes and underscores"
            raise ConfigError(message)
        text = PREFIX + secrets.token_urlsafe(BYTES)
        with self._changed() as tokens:
            if any(token.name == name for token in tokens):
                message = f"there is a token {name!r} already; revoke it first: nilometer token revoke {name}"
                raise ConfigError(message)
            if len(tokens) >= MOST:
                message = f"there are {MOST} tokens already; revoke some"
                raise ConfigError(message)
            tokens.append(Token(name, scope, digest(text), round(time.time(), 3)))
        return text

    def revoke(self, names: Iterable[str]) -> None:
        """Remove tokens, all or none."""
        with self._changed() as tokens:
            known = {token.name for token in tokens}
            for name in names:
                if name not in known:
                    message = f"there is no token {name!r}{did_you_mean(name, known)}; see: nilometer token list"
                    raise ConfigError(message)
            tokens[:] = [token for token in tokens if token.name not in set(names)]

    @contextlib.contextmanager
    def _changed(self) -> Iterator[list[Token]]:
        """Give the tokens to be changed, and write them back."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                tokens = self.read()
                yield tokens
                self._write(tokens, os.fstat(lock))
                os.fsync(lock)
            finally:
                os.close(lock)
        except OSError as error:
            message = f"{self.path}: tokens cannot be kept: {error.strerror}"
            raise StoreError(message) from error

    def _write(self, tokens: list[Token], folder: os.stat_result) -> None:
        """Replace the file; it belongs to whom the directory does, whoever else, such as root, writes it."""
        aside = self.path.with_suffix(".tmp")
        aside.unlink(missing_ok=True)
        opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(opened, "w", encoding="utf-8") as stream:  # noqa: PTH123 opened with its mode
            json.dump({"version": VERSION, "tokens": [asdict(token) for token in tokens]}, stream, indent=1)
            stream.flush()
            if os.geteuid() == 0:
                os.fchown(opened, folder.st_uid, folder.st_gid)
            os.fsync(opened)
        aside.replace(self.path)


class Tokens:
    """The tokens as a server knows them, by their hashes."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file
        self._seen: tuple[int, ...] | None = None
        self._known: dict[str, Token] | None = None

    def known(self) -> Mapping[str, Token] | None:
        """Return the tokens in force now, None while none are asked for. Raise `StoreError` when the file cannot be read."""
        seen = self._look()
        if seen != self._seen:
            self._known = None if seen is None else {token.hash: token for token in self._file.read()}
            self._seen = seen
        return self._known

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._file.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{self._file.path}: tokens cannot be read: {error.strerror}"
            raise StoreError(message) from error
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest(text: str) -> str:
    """Return what is kept of a token's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parse(document: Any) -> list[Token]:  # noqa: ANN401 whatever JSON can hold
    """Read a document. Raise ValueError, TypeError or KeyError when it is none of ours."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        message = f"not a file of version {VERSION}"
        raise ValueError(message)
    tokens = [Token(**each) for each in document["tokens"]]
    for token in tokens:
        if not (NAME.match(token.name) and HASH.match(token.hash) and token.scope in SCOPES):
            message = f"not a token: {token.name!r}"
            raise ValueError(message)
    return tokens
