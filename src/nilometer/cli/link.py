"""HTTP from a command to one place: a URL, a token, an authority to trust.

Rules:

* A redirect is never followed, so that the token goes nowhere but to the host that was named; `Answer.location` tells where to.
* Certificates are verified, with TLS 1.2 at least. Proxies that the environment names are not used.
* An answer is read up to `MOST_BYTES` and for as long as the time-out; a longer one is no answer.
* A token is in no message and no representation.
"""

from __future__ import annotations

import functools
import http.client
import json
import ssl
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import click

from nilometer.core.errors import ConfigError, Unavailable, UrlError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

F = TypeVar("F", bound="Callable[..., object]")

TIMEOUT = 10.0
MOST_BYTES = 64 << 20
PIECE = 1 << 16
SHOWN = 300
LONGEST_LINE = 8 << 20


class Answer(NamedTuple):
    """What came back: the status code, the body, and where a redirect points to."""

    status: int
    body: bytes
    location: str = ""

    def json(self) -> Any:  # noqa: ANN401 whatever JSON the other side sends
        """Return what the body says; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Access:
    """What a command was told to ask with: a token, and the file of the authorities to trust."""

    token: str = field(default="", repr=False)
    authorities: Path | None = None
    option: str = "--ca-file"
    """The flag that names the authorities, for messages."""


def with_access(prefix: str, of: str, name: str) -> Callable[[F], F]:
    """Give a command the flags ``--PREFIXtoken-file`` and ``--PREFIXca-file``, and an `Access` as the argument `name`."""
    variable = prefix.replace("-", "_")

    def decorate(function: F) -> F:
        @functools.wraps(function)  # with it go the flags that it has already
        def call(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 click's own arguments pass through
            token, ca = kwargs.pop(f"{variable}token_file"), kwargs.pop(f"{variable}ca_file")
            text = "" if token is None else token_in(token, f"--{prefix}token-file")
            access = Access(text, ca, f"--{prefix}ca-file")
            return function(*args, **{name: access}, **kwargs)

        decorated: Any = call
        decorated = click.option(
            f"--{prefix}ca-file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help=f"The authority that signed the certificate of {of}, PEM; by default the system's.",
        )(decorated)
        return click.option(  # type: ignore[no-any-return]  # click's decorators return what they are given
            f"--{prefix}token-file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help=f"The token that {of} asks for.",
        )(decorated)

    return decorate


def token_in(file: Path, option: str) -> str:
    """Return the token that a file holds. Raise `ConfigError`."""
    try:
        text = file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{option}: {file} cannot be read: {error}"
        raise ConfigError(message) from error
    return checked(text, f"{option}: {file}")


def checked(token: str, where: str) -> str:
    """Return a token that can stand in a header. Raise `ConfigError`, which does not show it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        message = f"{where}: what is there is no token: one word of plain letters, digits and signs"
        raise ConfigError(message)
    return token


class Link:
    """Requests to what is below a URL."""

    def __init__(self, url: str, access: Access, timeout: float = TIMEOUT) -> None:
        """Raise `UrlError` for another URL than one of HTTP, `ConfigError` for authorities that cannot be used."""
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            message = f"{url}: {error}"
            raise UrlError(message) from error
        if parts.scheme not in ("http", "https") or not self._host or parts.query or parts.fragment or "@" in parts.netloc:
            message = f"{url}: expected a URL such as http://127.0.0.1:8127"
            raise UrlError(message)
        self._path, self._timeout, self._access = parts.path, timeout, access
        self._tls = _context(access) if parts.scheme == "https" else None

    def send(self, method: str, path: str, body: object = None, *, token: bool = True) -> Answer:
        """Return the answer to a request; `body` goes as JSON, the token unless told otherwise. Raise `Unavailable`."""
        headers = self._headers("application/json", token=token)
        if body is not None:
            headers["Content-Type"] = "application/json"
        with self._guarded(path), closing(self._connection(self._timeout)) as connection:
            connection.request(method, self._path + path, None if body is None else json.dumps(body).encode(), headers)
            return self._answer(connection.getresponse())

    def lines(self, path: str, silence: float) -> Generator[bytes | Answer, None, None]:
        """Yield the lines of an answer that goes on; the `Answer` instead when it is no good one.

        Raise `Unavailable` when it ends, or when nothing comes for `silence` seconds.
        """
        with self._guarded(path), closing(self._connection(silence)) as connection:
            connection.request("GET", self._path + path, headers=self._headers("text/event-stream"))
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                yield self._answer(answer)
                return
            while line := answer.readline(LONGEST_LINE):
                if not line.endswith(b"\n"):
                    message = f"a line exceeds {LONGEST_LINE} bytes, or is broken off"
                    raise OSError(message)
                yield line
            message = "the other side has ended it"
            raise OSError(message)

    def _headers(self, accept: str, *, token: bool = True) -> dict[str, str]:
        found = {"Accept": accept}
        return found | ({"Authorization": f"Bearer {self._access.token}"} if token and self._access.token else {})

    @contextmanager
    def _guarded(self, path: str) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            hint = f"; name the authority that signed it with {self._access.option}" if isinstance(error, ssl.SSLError) else ""
            message = f"{self.url}{path}: no answer: {printable(error) or type(error).__name__}{hint}"
            raise Unavailable(message) from error

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)

    def _answer(self, answer: http.client.HTTPResponse) -> Answer:
        return Answer(answer.status, self._read(answer), answer.getheader("Location", ""))

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """Return the whole body. Raise OSError when it is too long or takes too long."""
        pieces, size, end = list[bytes](), 0, time.monotonic() + self._timeout
        while piece := answer.read1(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES or time.monotonic() > end:
                message = f"the answer exceeds {MOST_BYTES} bytes or {self._timeout:g} s"
                raise OSError(message)
        return b"".join(pieces)


def _context(access: Access) -> ssl.SSLContext:
    file = access.authorities
    try:
        made = ssl.create_default_context(cafile=None if file is None else file.expanduser())
    except OSError as error:
        message = f"{access.option}: {file} cannot be used: {error.strerror or error}"
        raise ConfigError(message) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def printable(text: object) -> str:
    """Return a text of the other side fit for a message: short, on one line, without control characters."""
    plain = "".join(sign if sign.isprintable() else " " for sign in str(text)[: 2 * SHOWN])
    return plain if len(plain) <= SHOWN else plain[:SHOWN] + "…"
