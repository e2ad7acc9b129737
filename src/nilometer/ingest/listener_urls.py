"""What the URL of a listener may say: its schemes, the options of each, and what is refused before anything is bound.

Rules:

* An option stands here once, with its default and its help; docs/reference/listeners.md repeats them and a test compares
  the two.
* What a URL cannot mean is a `UrlError` that names the URL and the cure.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import UnknownScheme, did_you_mean
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration, Size
from nilometer.ingest.guard import Guard, networks, read_key
from nilometer.ingest.kernel import AUTO, DIALECTS, GAUGES, mode

if TYPE_CHECKING:
    from nilometer.core.url import Url

PORT = 8125
BUFFER = Size(16 << 20)
NEVER = Duration(0)
UDP, TCP, TCP_TLS, UNIX, UNIXGRAM = "udp", "tcp", "tcp+tls", "unix", "unixgram"
MOST_THREADS = 64
ALL_PERMISSIONS = 0o777
LONGEST_PATH = 107
"""Bytes in the path of a Unix socket, the zero byte at its end apart; see unix(7)."""
MOST_REMEMBERED = 1 << 24
ALLOW_HELP = "networks that may send, such as `10.0.0.0/8,::1`; all when empty"
MODE_HELP = "mode of the socket's file, as octal digits such as `660`; what the umask leaves when empty"


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """What every listener takes."""

    dialect: str = option(AUTO, f"what lines mean: {', '.join(f'`{name}`' for name in DIALECTS)}; see [dialects](dialects.md)")
    gauges: str = option(
        "", "a gauge with a sign is moved by it (`delta`) or set (`absolute`); when empty, as the dialect has it"
    )

    @property
    def reading(self) -> str:
        """What the kernel is told about the lines."""
        return mode(self.dialect, self.gauges)


@dataclass(frozen=True, slots=True)
class DatagramOptions(ListenerOptions):
    """What listeners of datagrams take."""

    buffer: Size = option(BUFFER, "bytes of receive buffer to ask the system for; the log says what was granted")  # noqa: RUF009 declares a field
    hmac_key_file: str = option("", "file whose first line is the key that datagrams are signed with; unsigned when empty")
    hmac_window: Duration = option(Duration(10), "how early or late a signed datagram may be; each is taken once")  # noqa: RUF009 declares a field
    hmac_remembered: int = option(1_000_000, "signed datagrams to remember within the window; beyond it they are refused")


@dataclass(frozen=True, slots=True)
class UdpOptions(DatagramOptions):
    """Options of ``udp://``."""

    threads: int = option(1, f"receiver threads that share the port, with a socket each, 1 to {MOST_THREADS}")
    allow: str = option("", ALLOW_HELP)


@dataclass(frozen=True, slots=True)
class UnixgramOptions(DatagramOptions):
    """Options of ``unixgram://``."""

    mode: str = option("", MODE_HELP)


@dataclass(frozen=True, slots=True)
class StreamOptions(ListenerOptions):
    """What listeners of streams take."""

    idle: Duration = option(NEVER, "for how long a connection may send nothing before it is closed; 0 is for ever")  # noqa: RUF009 declares a field


@dataclass(frozen=True, slots=True)
class TcpOptions(StreamOptions):
    """Options of ``tcp://``."""

    allow: str = option("", ALLOW_HELP)


@dataclass(frozen=True, slots=True)
class TlsOptions(TcpOptions):
    """Options of ``tcp+tls://``."""

    cert: str = option("", "file with the certificate, PEM, its chain behind it; SIGHUP reads it again")
    key: str = option("", "file with the private key, PEM; in `cert` when empty")
    client_ca: str = option("", "file with the authorities whose clients may send, PEM; any client when empty")
    handshake: Duration = option(Duration(10), "how long a client may take to agree on a session")  # noqa: RUF009 declares a field


@dataclass(frozen=True, slots=True)
class UnixOptions(StreamOptions):
    """Options of ``unix://``."""

    mode: str = option("", MODE_HELP)


@dataclass(frozen=True, slots=True)
class TlsPeerOptions(TlsOptions):
    """Options of ``tcp+tls://`` for who sends: `cert` and `key` are the client's own then."""

    ca: str = option("", "file with the authorities to trust, PEM; the system's when empty")
    verify: bool = option(default=True, text="check the server's certificate and name")


OPTIONS: dict[str, type[ListenerOptions]] = {
    UDP: UdpOptions,
    TCP: TcpOptions,
    TCP_TLS: TlsOptions,
    UNIX: UnixOptions,
    UNIXGRAM: UnixgramOptions,
}
"""The schemes of listeners and their options."""


class Elsewhere(NamedTuple):
    """Listeners that do not take an option of others, and what does the same for them."""

    schemes: tuple[str, ...]
    reason: str


UNSIGNED = Elsewhere((TCP, TCP_TLS, UNIX), "only datagrams are signed; for TCP, let in clients with a certificate: tcp+tls://")
ELSEWHERE = {
    "allow": Elsewhere(
        (UNIX, UNIXGRAM), "who writes to a Unix socket has no address; the mode of its file says who may: ?mode=660"
    ),
    **dict.fromkeys(("hmac_key_file", "hmac_window", "hmac_remembered"), UNSIGNED),
}


def check(url: Url, *, sending: bool = False) -> None:
    """Raise `UrlError` for what is wrong with a listener's URL, without binding anything.

    With `sending` it is somebody else's listener, which takes the options of who sends.
    """
    if url.scheme not in OPTIONS:
        known = ", ".join(f"{scheme}://" for scheme in OPTIONS)
        message = f"{url}: no listener answers to {url.scheme}://{did_you_mean(url.scheme, OPTIONS)}; known are {known}"
        raise UnknownScheme(message)
    _check_place(url)
    options = url.options(TlsPeerOptions if sending and url.scheme == TCP_TLS else OPTIONS[url.scheme])
    one_of(url, "dialect", options.dialect, DIALECTS)
    if options.gauges:
        one_of(url, "gauges", options.gauges, GAUGES)
    if isinstance(options, DatagramOptions):
        _check_signed(url, options)
    if isinstance(options, UdpOptions):
        _check_udp(url, options)
    elif isinstance(options, TcpOptions):
        _check_tcp(url, options, sending=sending)
    if url.user is not None:
        raise refuse(url, "a listener asks for neither user nor password")
    if isinstance(options, UnixOptions | UnixgramOptions):
        _check_unix(url, options.mode)
    elif len(url.hosts) > 1 or url.path.strip("/"):
        raise refuse(url, f"a listener has one host and no path; write {url.scheme}://host:{PORT}")
    else:
        _check_zone(url)


def _check_place(url: Url) -> None:
    """Refuse an option of other listeners, and say what does the same here."""
    for name, _ in url.query:
        if name in ELSEWHERE and url.scheme in ELSEWHERE[name].schemes:
            raise refuse(url, f"option {name}: {ELSEWHERE[name].reason}")


def _check_udp(url: Url, options: UdpOptions) -> None:
    if not 1 <= options.threads <= MOST_THREADS:
        raise refuse(url, f"option threads: {options.threads} is not between 1 and {MOST_THREADS}")
    networks(url, options.allow)


def _check_signed(url: Url, options: DatagramOptions) -> None:
    at_least(url, "hmac_window", options.hmac_window, 1)
    if not 1 <= options.hmac_remembered <= MOST_REMEMBERED:
        raise refuse(url, f"option hmac_remembered: {options.hmac_remembered} is not between 1 and {MOST_REMEMBERED}")


def _check_tcp(url: Url, options: TcpOptions, *, sending: bool) -> None:
    networks(url, options.allow)
    if isinstance(options, TlsOptions):
        if not options.cert and not sending:
            raise refuse(url, "option cert is missing: add ?cert=FILE&key=FILE")
        at_least(url, "handshake", options.handshake, 0.1)


def guard(url: Url, options: DatagramOptions) -> Guard:
    """Return what the options let in. Raise `ConfigError` for a network or a key that is none."""
    key = read_key(options.hmac_key_file) if options.hmac_key_file else b""
    allowed = networks(url, options.allow) if isinstance(options, UdpOptions) else ()
    return Guard(allowed, key, int(options.hmac_window), options.hmac_remembered)


def _check_zone(url: Url) -> None:
    """Refuse an address that every link has when no link is named; the system would only call it invalid."""
    if ":" in url.host and (address := ipaddress.IPv6Address(url.host)).is_link_local and not address.scope_id:
        raise refuse(url, f"an address of one link needs its zone; write {url.scheme}://[{url.host}%25eth0]:{PORT}")


def _check_unix(url: Url, mode: str) -> None:
    if any(str(host) for host in url.hosts) or not url.path.startswith("/"):
        raise refuse(url, f"names no absolute path; write {url.scheme}:///run/nilometer.sock")
    if len(os.fsencode(url.path)) > LONGEST_PATH:
        raise refuse(url, f"its path is longer than {LONGEST_PATH} bytes, which the system does not take for a socket")
    octal = mode.isascii() and mode.isdigit() and set(mode) <= set("01234567")
    if mode and not (octal and int(mode, 8) <= ALL_PERMISSIONS):
        raise refuse(url, f"option mode: {mode!r} is not octal digits such as 660")
