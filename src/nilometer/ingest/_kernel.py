"""Which kernel runs: the native one where it is built, else the reference. Nothing else imports `nilometer_native`.

Rules:

* ``NILOMETER_KERNEL`` says ``auto`` (the default), ``native`` or ``reference``. ``auto`` falls back to the reference kernel
  only when no native one is installed.
* A native kernel that was built from other sources than those beside this file, or that belongs to another version, is
  never used: `StaleBuild`, whichever way it was asked for.
* With the native kernel comes its renderer, which is then used for every flush.
"""

from __future__ import annotations

import os
import zlib
from array import array
from dataclasses import fields
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import SettingError, StaleBuild, did_you_mean
from nilometer.core.record import Block, Column, Kind
from nilometer.core.wire import render
from nilometer.ingest.guard import OPEN, Guard
from nilometer.ingest.inspection import Peeked, Top, TopName, TopRefused, TopSource, Totals
from nilometer.ingest.kernel import AUTO, Aggregates, BadLine, Notice, Overflowed, Tally, Timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    import nilometer_native

    from nilometer.core.wire.render import Placed
    from nilometer.ingest.kernel import Aggregation, Kernel, Receiver, Tap
    from nilometer.ingest.relay.router import Router

VARIABLE = "NILOMETER_KERNEL"
CHOICES = ("auto", "native", "reference")
SOURCES = Path(__file__).parents[3] / "native"
CRATES = ("core", "receive", "python")
INSTALL = "make native" if (SOURCES / "core").is_dir() else "pip install nilometer-native"
"""The command that brings the native kernel: another one in a checkout than where a package was installed."""


def create() -> Kernel:
    """Return the kernel that the environment asks for; flushes are rendered by what comes with it.

    Raise SettingError for an unknown choice, or for ``native`` where none is installed; StaleBuild for a native kernel that
    does not fit this source.
    """
    if choice() == "native":
        kernel = native()
        render.use(NativeRenderer())
        return kernel
    from nilometer.ingest._reference import ReferenceKernel  # noqa: PLC0415 only where it is used

    return ReferenceKernel()


def choice() -> str:
    """Return ``native`` or ``reference``. Raise SettingError as `create` does."""
    asked = os.environ.get(VARIABLE) or "auto"
    if asked not in CHOICES:
        message = f"{VARIABLE}={asked!r} is not one of {', '.join(CHOICES)}{did_you_mean(asked, CHOICES)}"
        raise SettingError(message)
    installed = find_spec("nilometer_native") is not None
    if asked == "native" and not installed:
        message = f"{VARIABLE}=native, but no native kernel is installed; run: {INSTALL}"
        raise SettingError(message)
    return "native" if installed and asked != "reference" else "reference"


def describe() -> str:
    """Return which kernel runs, in one line: its kind, version and build. Raise as `create` does."""
    if choice() == "native":
        module = _module()
        return f"native {module.__version__} (build {module.BUILD})"
    asked = os.environ.get(VARIABLE) == "reference"
    return f"reference {version('nilometer')} ({'asked for' if asked else f'no native kernel is installed: {INSTALL}'})"


def native() -> Kernel:
    """Return a new native kernel. Raise ImportError when none is installed, StaleBuild when it does not fit."""
    return NativeKernel(_module().Kernel())


@cache
def _module() -> ModuleType:
    """Return the native module, seen to fit this source."""
    module = import_module("nilometer_native")
    require_fit(module.BUILD, module.__version__, SOURCES)
    return module


def require_fit(build: str, release: str, sources: Path) -> None:
    """Raise StaleBuild unless the native module is of these sources (in a checkout), and of this version."""
    if (sources / "core").is_dir() and build != (now := fingerprint(sources)):
        message = f"the native kernel was built from other sources than these (build {build}, sources {now}); run: make native"
        raise StaleBuild(message)
    if release != version("nilometer"):
        own = version("nilometer")
        message = f"nilometer-native {release} does not fit nilometer {own}; run: pip install nilometer-native=={own}"
        raise StaleBuild(message)


def fingerprint(sources: Path) -> str:
    """Return the checksum of the native sources, as ``native/python/build.rs`` stamps it into the module."""
    files = [sources / name for name in ("Cargo.lock", "Cargo.toml")]
    for crate in CRATES:
        files += [sources / crate / "build.rs", sources / crate / "Cargo.toml", *(sources / crate / "src").rglob("*.rs")]
    checksum = 0
    for path, file in sorted((file.relative_to(sources).as_posix(), file) for file in files if file.is_file()):
        checksum = zlib.crc32(path.encode() + b"\0" + file.read_bytes(), checksum)
    return f"{checksum:08x}"


class NativeKernel:
    """The native module's kernel, in the terms of `nilometer.ingest.kernel`."""

    name = "native"

    def __init__(self, inner: nilometer_native.Kernel) -> None:
        self._inner = inner

    def configure(self, aggregation: Aggregation) -> None:
        """Use other settings: limits, cleaning and rules at once, the rest when the open window is flushed."""
        histograms = [(histogram.match, histogram.bins) for histogram in aggregation.histograms]
        settings = {each.name: getattr(aggregation, each.name) for each in fields(aggregation)}
        self._inner.configure(**settings | {"histograms": histograms})

    def feed(self, data: bytes, source: str = "", dialect: str = AUTO, *, packets: int = 1) -> None:
        """Count whole lines, separated by newlines; the last needs none. Raise ValueError for an unknown dialect."""
        self._inner.feed(data, source, dialect, packets)

    def receive_udp(  # noqa: PLR0913 each is an option of its own
        self, host: str, port: int, *, buffer_bytes: int, threads: int, dialect: str, guard: Guard = OPEN
    ) -> Receiver:
        """Bind a UDP socket (per thread one, sharing the port) and read what `guard` lets in. Raise OSError when it cannot."""
        return self._inner.receive_udp(host, port, buffer_bytes, threads, dialect, _guarded(guard))

    def receive_unix(self, path: str, *, buffer_bytes: int, dialect: str, guard: Guard = OPEN) -> Receiver:
        """Bind a Unix datagram socket and read what `guard` lets in. Raise OSError when it cannot be bound."""
        return self._inner.receive_unix(path, buffer_bytes, dialect, _guarded(guard))

    def relay(self, streams: Sequence[bool], *, ring: bool, queue_bytes: int) -> Router:
        """Repeat what comes in from now on, before it is read. Raise OSError."""
        return self._inner.relay(streams, ring, queue_bytes)

    def tap(self, queue_bytes: int) -> Tap:
        """Copy what comes in from now on, before it is read, as far as there is room."""
        return self._inner.tap(queue_bytes)

    def flush(self, seconds: float, *, last: bool = False) -> Aggregates:
        """Hand over the finished window; rates are per second over `seconds`. With `last`, nothing is held any longer."""
        blocks, tally, timed = self._inner.flush(seconds, last)
        times = tuple(Timed(when, Kind(kind), key, value) for when, kind, key, value in timed)
        return Aggregates(tuple(_block(*parts) for parts in blocks), Tally(**tally), times)

    def explain(self, data: bytes, dialect: str = AUTO) -> list[dict[str, Any]]:
        """Return what each line means, counting nothing. Raise ValueError for an unknown dialect."""
        return self._inner.explain(data, dialect)

    def notices(self) -> tuple[list[Notice], int]:
        """Return the events and service checks since the last call, and how many there were no room for."""
        notices, lost = self._inner.notices()
        return [Notice(*parts) for parts in notices], lost

    def bad_lines(self) -> list[BadLine]:
        """Return refused lines, at most 32 since the last call; the rest are only counted."""
        return [BadLine(*parts) for parts in self._inner.bad_lines()]

    def overflowed(self) -> list[Overflowed]:
        """Return keys that a limit refused, at most 32 since the last call; the rest are only counted."""
        return [Overflowed(source, key, Kind(kind), limit) for source, key, kind, limit in self._inner.overflowed()]

    def gauges(self) -> tuple[Sequence[str], Sequence[float]]:
        """Return the gauges as of the last flush, to be kept over a restart."""
        return self._inner.gauges()

    def restore_gauges(self, keys: Sequence[str], values: Sequence[float]) -> None:
        """Set gauges that have not been set since the start."""
        self._inner.restore_gauges(keys, values)

    def peek(self, kind: Kind, most: int) -> Peeked:
        """Return the first `most` series of a kind as the open window has them; it is not disturbed."""
        return Peeked(kind, *self._inner.peek(kind, most))

    def keys(self, kind: Kind, prefix: str, most: int) -> list[str]:
        """Return the first `most` keys of a kind that start with `prefix`, in order of first arrival."""
        return self._inner.keys(kind, prefix, most)

    def delete(self, kind: Kind, names: Sequence[str]) -> list[bool]:
        """Delete series by their keys, also from the open window. Return for each whether there was one."""
        return self._inner.delete(kind, names)

    def top(self, most: int) -> Top:
        """Return the `most` busiest names and sources, and of what was refused; see `Top` for how exact that is."""
        names, sources, refused = self._inner.top(most)
        return Top(
            [TopName(Kind(kind), key, updates) for kind, key, updates in names],
            [TopSource(*source) for source in sources],
            [TopRefused(*each) for each in refused],
        )

    def totals(self) -> Totals:
        """Return what was counted since the kernel was made."""
        return Totals(*self._inner.totals())


def _guarded(guard: Guard) -> tuple[list[tuple[str, int]], bytes, int, int] | None:
    networks = [(str(network.network_address), network.prefixlen) for network in guard.networks]
    return None if guard.is_open else (networks, guard.key, guard.window, guard.remembered)


def _block(kind: str, names: bytes, count: int, columns: list[tuple[str, bytes, bytes | None]], sketches: list[bytes]) -> Block:
    built = tuple(Column(name, _floats(data), present) for name, data, present in columns)
    return Block(Kind(kind), names, count, built, tuple(sketches))


def _floats(data: bytes) -> memoryview[float]:
    return memoryview(data).cast("d")


class NativeRenderer:
    """The native module's renderer, in the terms of `nilometer.core.wire.render`."""

    def __init__(self) -> None:
        self._inner = _module()

    def lines(self, block: Block, columns: Sequence[Placed], timestamp: int, *, sanitize: bool) -> bytes:
        """Return ``path value timestamp`` lines, each ended by a newline."""
        text: bytes = self._inner.render_lines(block.names, block.count, _placed(columns), timestamp, sanitize)
        return text

    def points(self, block: Block, columns: Sequence[Placed], *, sanitize: bool) -> tuple[bytes, Sequence[float]]:
        """Return the paths joined by newlines, and a float64 for each."""
        paths, data = self._inner.render_points(block.names, block.count, _placed(columns), sanitize)
        return paths, array("d", data)


def _placed(columns: Iterable[Placed]) -> list[tuple[bytes, bytes, Sequence[float], bytes | None]]:
    return [(each.before, each.after, each.values, each.present) for each in columns]
