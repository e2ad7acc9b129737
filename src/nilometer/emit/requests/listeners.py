"""The sockets that a process listens on, and how many connections wait in their queues, as Linux tells.

Rules:

* Asked is the kernel's socket diagnosis, as ``ss -ltn`` does: no socket is touched, and those of other processes on the same
  port (``SO_REUSEPORT``) are counted, too.
* Where that is not allowed, or not there, there are no listeners: nothing is raised.

Sources: Linux's ``sock_diag(7)``; for listening sockets ``idiag_rqueue`` is the queue now, ``idiag_wqueue`` its bound, and
``UNIX_DIAG_RQLEN`` has both. ``/proc/net/netstat``: ``ListenOverflows``, ``ListenDrops``.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NETLINK_SOCK_DIAG, BY_FAMILY = 4, 20
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
LISTENING = 1 << 10
SHOW_NAME_AND_QUEUE = 0x11
NAME, QUEUE = 0, 4
HEADER = struct.Struct("=LHHLL")
ASK_INET = struct.Struct("=BBBxL48x")
INET = struct.Struct("=4xHH16s16s4x8xLLLLL")
"""A socket of TCP: ports in network order, addresses, expires, queue now, its bound, user, inode."""
ASK_UNIX = struct.Struct("=BBHLLL8x")
UNIX = struct.Struct("=4xL8x")
ATTRIBUTE = struct.Struct("=HH")
PAIR = struct.Struct("=LL")
ANSWER = 1 << 16
PATIENCE = 1.0
NETSTAT = Path("/proc/net/netstat")
DESCRIPTORS = Path("/proc/self/fd")


class Listener(NamedTuple):
    """A listening socket: its port or path, connections that wait to be accepted, and how many may."""

    name: str
    inode: int
    queued: int
    most: int


def everyone() -> list[Listener]:
    """Return all listening sockets of the network namespace, none where the kernel does not tell."""
    found: list[Listener] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        asked = ASK_INET.pack(family, socket.IPPROTO_TCP, 0, LISTENING)
        found += [_inet(body) for body in _dump(asked) if len(body) >= INET.size]
    asked = ASK_UNIX.pack(socket.AF_UNIX, 0, 0, LISTENING, 0, SHOW_NAME_AND_QUEUE)
    return found + [_unix(body) for body in _dump(asked) if len(body) >= UNIX.size]


def own_inodes() -> frozenset[int]:
    """Return the inodes of this process's sockets."""
    inodes = set()
    with suppress(OSError):
        for each in os.listdir(DESCRIPTORS):  # noqa: PTH208 thousands of descriptors, no objects
            with suppress(OSError):
                target = os.readlink(f"{DESCRIPTORS}/{each}")  # noqa: PTH115 as above
                if target.startswith("socket:["):
                    inodes.add(int(target[8:-1]))
    return frozenset(inodes)


def queues(listeners: list[Listener], names: frozenset[str]) -> dict[str, tuple[int, int]]:
    """Return the queue and its bound for each of those names, summed over the sockets of that name."""
    sums: dict[str, tuple[int, int]] = {}
    for each in listeners:
        if each.name in names:
            queued, most = sums.get(each.name, (0, 0))
            sums[each.name] = (queued + each.queued, most + each.most)
    return sums


def overflows() -> tuple[int, int] | None:
    """Return the connections that found a full queue, and those dropped for any reason, since the host started."""
    try:
        names, values = [line.split() for line in NETSTAT.read_text().splitlines() if line.startswith("TcpExt:")]
        counts = dict(zip(names[1:], map(int, values[1:]), strict=False))
        return counts["ListenOverflows"], counts["ListenDrops"]
    except (OSError, ValueError, KeyError):
        return None


def _dump(asked: bytes) -> Iterator[bytes]:
    """Yield the bodies of the kernel's messages about the sockets that were asked for."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(PATIENCE)
            kernel.send(HEADER.pack(HEADER.size + len(asked), BY_FAMILY, REQUEST_DUMP, 1, 0) + asked)
            while True:
                answer = memoryview(kernel.recv(ANSWER))
                while len(answer) >= HEADER.size:
                    length, kind, *_ = HEADER.unpack_from(answer)
                    if kind in (DONE, ERROR) or length < HEADER.size:
                        return
                    yield bytes(answer[HEADER.size : length])
                    answer = answer[_aligned(length) :]
    except (AttributeError, OSError):  # no netlink, or not for us
        return


def _inet(body: bytes) -> Listener:
    port, _, _, _, _, queued, most, _, inode = INET.unpack_from(body)
    return Listener(str(socket.ntohs(port)), inode, queued, most)


def _unix(body: bytes) -> Listener:
    (inode,) = UNIX.unpack_from(body)
    name, queued, most, rest = "", 0, 0, body[UNIX.size :]
    while len(rest) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(rest)
        value = rest[ATTRIBUTE.size : length]
        if kind == NAME:
            name = value.decode(errors="replace").strip("\0")
        elif kind == QUEUE:
            queued, most = PAIR.unpack(value)
        rest = rest[max(_aligned(length), ATTRIBUTE.size) :]
    return Listener(name, inode, queued, most)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
