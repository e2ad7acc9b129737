"""Every error Nilometer raises on purpose, in one tree. The type says whose fault it is and whether to try again.

NilometerError
├─ ConfigError            the operator's: a setting, a URL, a file
│  ├─ UrlError            the URL cannot be parsed, or one of its parts is wrong
│  │  ├─ UnknownScheme    no backend or listener answers to that scheme
│  │  ├─ CapabilityError  the backend exists but cannot do what was asked
│  │  └─ MissingDriver    a Python package is not installed; the message says what to type
│  └─ SettingError        unknown key, wrong type, out of range
├─ InputError             a peer's: bytes that do not follow their format
│  └─ UnknownType         an event of a type that is not known, while such are refused
├─ DeliveryError          the way to another system
│  ├─ Unavailable         the system is away or overloaded: trying again can help
│  │  └─ TooSlow          it took longer than it may: asking for less can help
│  └─ Rejected            the system refused this batch: trying again cannot help
├─ StoreError             a file of ours cannot be read or written
│  └─ InUse               another process uses it
└─ StaleBuild             the native kernel does not fit this source; the message says what to type

A driver's own error is always wrapped: ``raise Unavailable(...) from error``.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class NilometerError(Exception):
    """Base of all errors that Nilometer raises on purpose."""


class ConfigError(NilometerError):
    """The operator asked for something that cannot be."""


class UrlError(ConfigError):
    """A URL that cannot be parsed, or one of whose parts is wrong."""


class UnknownScheme(UrlError):
    """No backend or listener answers to that scheme."""


class CapabilityError(UrlError):
    """The backend exists but cannot do what was asked of it."""


class MissingDriver(UrlError):
    """A Python package that the backend needs is not installed."""


class SettingError(ConfigError):
    """A setting that is unknown, of the wrong type or out of range."""


class InputError(NilometerError):
    """A peer sent bytes that do not follow their format."""


class UnknownType(InputError):
    """An event whose type is not known, while such are refused."""


class DeliveryError(NilometerError):
    """A batch did not reach another system."""


class Unavailable(DeliveryError):
    """The system is away or overloaded: trying again can help."""


class TooSlow(Unavailable):
    """An answer took longer than it may: asking for less can help."""


class Rejected(DeliveryError):
    """The system refused this batch: trying again cannot help."""


class StoreError(NilometerError):
    """A file of ours cannot be read or written."""


class InUse(StoreError):
    """Another process uses it."""


class StaleBuild(NilometerError):
    """The native kernel was built from other sources than these."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or the empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
