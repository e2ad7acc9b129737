"""URLs name both ends of every pipe. Parsed once into a small frozen object that never prints a secret.

``scheme://[user[:password]@]host[:port][,host[:port]…][/path][?option=value…]``

The query holds a backend's options; `Url.options` reads them into the backend's own dataclass and refuses what it does not
know, naming the nearest option.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from nilometer.core.errors import SettingError, UrlError, did_you_mean
from nilometer.core.quantity import convert

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)

SECRET = re.compile(r"pass|secret|token|key|sig", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9.+-]*\Z")
HOST = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d*))?\Z")
MASK = "***"


class Host(NamedTuple):
    """One host of a URL; the port is None where the URL names none."""

    name: str
    port: int | None

    def __str__(self) -> str:
        """Return the host as a URL writes it."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed URL. ``str`` masks the password and every query parameter whose name hints at a secret."""

    scheme: str
    hosts: tuple[Host, ...] = ()
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The first host's name, empty where there is none."""
        return self.hosts[0].name if self.hosts else ""

    @property
    def port(self) -> int | None:
        """The first host's port."""
        return self.hosts[0].port if self.hosts else None

    def __str__(self) -> str:
        """Return the URL with its secrets masked."""
        return self._text(MASK)

    __repr__ = __str__

    def reveal(self) -> str:
        """Return the URL with its secrets. Only for the driver that connects."""
        return self._text(None)

    def _text(self, mask: str | None) -> str:
        def shown(name: str, value: str) -> str:
            return mask if mask is not None and SECRET.search(name) else value

        login = "" if self.user is None else quote(self.user, safe="")
        if self.password is not None:
            login += ":" + (mask if mask is not None else quote(self.password, safe=""))
        at = "@" if self.user is not None or self.password is not None else ""
        query = urlencode([(name, shown(name, value)) for name, value in self.query], safe="*:/,")
        return f"{self.scheme}://{login}{at}{','.join(map(str, self.hosts))}{quote(self.path)}" + ("?" + query if query else "")

    def options(self, into: type[Options]) -> Options:
        """Read the query into the dataclass `into`. Raise `UrlError` for an unknown option or a value of the wrong type."""
        known = typing.get_type_hints(into)
        values: dict[str, object] = {}
        for name, text in self.query:
            if name not in known:
                message = f"{self}: unknown option {name!r}{did_you_mean(name, known)}; known are {', '.join(known) or 'none'}"
                raise UrlError(message)
            try:
                values[name] = convert(text, _plain(known[name]))
            except SettingError as error:
                message = f"{self}: option {name}: {error}"
                raise UrlError(message) from error
        return into(**values)


def _plain(kind: object) -> type:
    """Return the type itself of ``type | None``."""
    arms = [arm for arm in typing.get_args(kind) if arm is not type(None)]
    return typing.cast("type", arms[0] if arms else kind)


def parse(text: str) -> Url:
    """Parse a URL; a bare ``scheme:`` or ``scheme`` is one without hosts. Raise `UrlError` when it is none."""
    scheme, colon, rest = text.strip().partition(":")
    if not SCHEME.match(scheme) or (colon and rest and not rest.startswith("//")):
        message = f"{_masked(text)!r} is not a URL; write scheme://host:port, for example graphite://localhost"
        raise UrlError(message)
    try:
        parts = urlsplit("x:" + rest)
    except ValueError as error:
        message = f"{_masked(text)!r} is not a URL: {error}"
        raise UrlError(message) from None
    login, at, netloc = parts.netloc.rpartition("@")
    user, pair, password = login.partition(":")
    return Url(
        scheme=scheme,
        hosts=tuple(_host(part, text) for part in netloc.split(",")) if netloc else (),
        path=unquote(parts.path),
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        user=unquote(user) if at else None,
        password=unquote(password) if pair else None,
    )


def _host(text: str, whole: str) -> Host:
    match = HOST.match(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and port > 65535):  # noqa: PLR2004 the highest port there is
        message = f"{_masked(whole)!r}: {text!r} is not host:port; an IPv6 address stands in brackets, as in [::1]:8125"
        raise UrlError(message)
    return Host(unquote(match["six"] if match["six"] is not None else match["name"]), port)


def _masked(text: str) -> str:
    return re.sub(r"//[^/@]*@", f"//{MASK}@", text)
