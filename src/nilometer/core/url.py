"""URLs name both ends of every pipe. Parsed once into a small frozen object that never prints a secret.

``scheme://[user[:password]@]host[:port][,host[:port]…][/path][?option=value…]``

The query holds a backend's options; `Url.options` reads them into the backend's own dataclass and refuses what it does not
know, naming the nearest option.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode

from nilometer.core.errors import SettingError, UrlError, did_you_mean
from nilometer.core.quantity import convert

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)

SECRET = re.compile(r"pass|pwd|secret|token|key(?!s$)|sig|auth|cred", re.IGNORECASE)
"""Names of parameters whose values are hidden; ``keys`` are routing keys, which an operator has to see."""
HIDDEN = re.compile(r"([?&][^=&]*=)[^&]*")
SCHEME = re.compile(r"[a-z][a-z0-9.+-]*\Z")
NAMED = re.compile(r"(?:(?P<name>[A-Za-z0-9_-]{1,100})=)?(?P<url>[A-Za-z][A-Za-z0-9+.-]*:.*)", re.DOTALL)
HOST = re.compile(r"(?:\[(?P<six>[0-9A-Za-z:.%_~-]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{0,5}))?\Z")
ZONE = re.compile(r"[0-9A-Za-z._~-]+\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LONGEST = 8192
HIGHEST_PORT = 65535
MASK = "***"


class Host(NamedTuple):
    """One host of a URL; the port is None where the URL names none."""

    name: str
    port: int | None

    def __str__(self) -> str:
        """Return the host as a URL writes it."""
        name = f"[{self.name.replace('%', '%25')}]" if ":" in self.name else _encoded(self.name)
        return name if self.port is None else f"{name}:{self.port}"


def _encoded(name: str) -> str:
    """Encode what would end a host; letters of any script stay."""
    return "".join(sign if sign.isalnum() or sign in "-._~*" else quote(sign, safe="") for sign in name)


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
        """Read the query into the dataclass `into`. Raise `UrlError` for an option that is unknown, wrong, twice or missing."""
        known = typing.get_type_hints(into)
        values: dict[str, object] = {}
        for name, text in self.query:
            if name not in known:
                raise UrlError(
                    self._fault(f"unknown option {name!r}{did_you_mean(name, known)}; known are {', '.join(known) or 'none'}")
                )
            if name in values:
                raise UrlError(self._fault(f"option {name} stands there twice"))
            try:
                values[name] = convert(text, _plain(known[name]))
            except SettingError as error:
                raise UrlError(self._fault(f"option {name}: {error}")) from error
        missing = [field.name for field in dataclasses.fields(into) if field.name not in values and _required(field)]
        if missing:
            raise UrlError(self._fault(f"option {missing[0]} is missing: add ?{missing[0]}=..."))
        return into(**values)

    def _fault(self, reason: str) -> str:
        """Return a message that shows no option's value: a misspelt one's may be secret."""
        return f"{dataclasses.replace(self, query=())}: {reason}"


def _required(field: dataclasses.Field[object]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _plain(kind: object) -> type:
    """Return the type itself of ``type | None``."""
    arms = [arm for arm in typing.get_args(kind) if arm is not type(None)]
    return typing.cast("type", arms[0] if arms else kind)


class NamedUrl(NamedTuple):
    """A URL that somebody gave a name; the name is empty where nobody did."""

    name: str
    url: Url

    def __str__(self) -> str:
        """Return ``NAME=URL``, or the URL alone, with its secrets masked."""
        return f"{self.name}={self.url}" if self.name else str(self.url)


def named(text: str) -> NamedUrl:
    """Parse ``[NAME=]URL``. Raise `UrlError` when it is none."""
    match = NAMED.fullmatch(text.strip())
    return NamedUrl("", parse(text)) if match is None else NamedUrl(match["name"] or "", parse(match["url"]))


def parse(text: str) -> Url:
    """Parse a URL; ``scheme``, ``scheme:`` and ``scheme:?a=b`` are ones without hosts. Raise `UrlError` when it is none."""
    text = text.strip()
    if len(text) > LONGEST or CONTROL.search(text):
        message = f"{_masked(text[:80])!r} is not a URL: longer than {LONGEST} characters, or with control characters"
        raise UrlError(message)
    scheme, colon, rest = text.partition(":")
    if not SCHEME.match(scheme.lower()) or (colon and rest and not rest.startswith(("//", "?"))):
        message = f"{_masked(text)!r} is not a URL; write scheme://host:port, for example graphite://localhost"
        raise UrlError(message)
    try:
        return _parse(scheme.lower(), rest)
    except ValueError as error:
        message = f"{_masked(text)!r} is not a URL: {error}"
        raise UrlError(message) from None


def _parse(scheme: str, rest: str) -> Url:
    """Parse what follows the scheme. Raise ValueError, without quoting a part that may be secret."""
    if "#" in rest:
        message = "a '#' is written %23"
        raise ValueError(message)
    place, _, query = rest.partition("?")
    authority, slash, path = place[2:].partition("/")
    login, at, hosts = authority.rpartition("@")
    user, pair, password = login.partition(":")
    return Url(
        scheme=scheme,
        hosts=tuple(_host(part) for part in hosts.split(",")) if hosts else (),
        path=_clean(_decoded(slash + path)),
        query=tuple(parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)),
        user=_clean(_decoded(user)) if at else None,
        password=_decoded(password) if pair else None,
    )


def _host(text: str) -> Host:
    match = HOST.match(text)
    name = "" if match is None else _clean(_decoded(match["name"] or ""))
    port = int(match["port"]) if match and match["port"] else None
    if match is None or text in ("", ":") or ":" in name or (port or 0) > HIGHEST_PORT:
        message = "what follows // is not host:port; an IPv6 address stands in brackets, as in [::1]:8125, "
        message += "and / ? # @ : in a user or password are written %2F %3F %23 %40 %3A"
        raise ValueError(message)
    if match["name"] is not None:
        return Host(name, port)
    address, percent, zone = match["six"].partition("%")
    zone = zone.removeprefix("25")
    if percent and not ZONE.match(zone):
        message = "the zone of an IPv6 address is written as in [fe80::1%25eth0]"
        raise ValueError(message)
    return Host(str(ipaddress.IPv6Address(address)) + ("%" + zone if zone else ""), port)


def _decoded(text: str) -> str:
    return unquote(text, errors="strict")


def _clean(text: str) -> str:
    if CONTROL.search(text):
        message = "a control character is hidden in it"
        raise ValueError(message)
    return text


def _masked(text: str) -> str:
    """Mask whatever may be secret in a text that is no URL: all before the last ``@``, and options' values."""
    scheme, colon, rest = text.partition(":")
    before, at, after = rest.rpartition("@")
    shown = f"{scheme}{colon}//{MASK}@{after}" if at and before else text
    return HIDDEN.sub(rf"\1{MASK}", shown)
