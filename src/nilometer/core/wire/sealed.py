"""Bytes with a head that tells what they are, and whether they are whole: what files of a spool are made of.

Layout, little endian::

    magic, 4 bytes · version u8 · crc32 u32 of what follows · length u32 of the body · body, deflated (zlib)

Rules: `unseal` raises `InputError` for whatever `seal` did not make, and nothing else; a claim of the head never allocates
more than the bytes at hand can hold (deflate expands at most 1032 times).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

HEAD = struct.Struct("<4sBII")
EXPANSION = 1032
LEVEL = 1  # most of the gain at a small part of the time


def seal(magic: bytes, version: int, body: bytes) -> bytes:
    """Return the body, deflated, behind its head."""
    packed = zlib.compress(body, LEVEL)
    length = struct.pack("<I", len(body))
    return magic + struct.pack("<BI", version, zlib.crc32(packed, zlib.crc32(length))) + length + packed


def unseal(magic: bytes, versions: Collection[int], data: bytes, what: str) -> tuple[int, bytes]:
    """Return version and body. Raise `InputError`, saying that it is no `what`."""
    if len(data) < HEAD.size or data[:4] != magic:
        message = f"not a {what}: {data[:4]!r} where {magic!r} should stand"
        raise InputError(message)
    _, version, crc, length = HEAD.unpack_from(data)
    if version not in versions:
        message = f"a {what} of version {version}; this build reads versions up to {max(versions)}"
        raise InputError(message)
    if zlib.crc32(data[HEAD.size - 4 :]) != crc:
        message = f"a {what} whose checksum is wrong; its file was cut or changed"
        raise InputError(message)
    return version, _inflate(data[HEAD.size :], length, what)


def _inflate(packed: bytes, length: int, what: str) -> bytes:
    if length > EXPANSION * len(packed):
        message = f"a {what} that claims {length} bytes in {len(packed)}"
        raise InputError(message)
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(packed, length + 1)
    except zlib.error as error:
        message = f"a {what} that cannot be inflated: {error}"
        raise InputError(message) from error
    if len(body) != length or not inflater.eof or inflater.unused_data:
        message = f"a {what} that is not {length} bytes long"
        raise InputError(message)
    return body
