"""The name of the process, as ``ps`` and ``top`` show it. Linux only; elsewhere the name stays.

Source: proc(5): ``comm``, and the fields ``arg_start`` and ``arg_end`` of ``stat``, between which the command line lies.
"""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

COMM, STAT, CMDLINE = Path("/proc/self/comm"), Path("/proc/self/stat"), Path("/proc/self/cmdline")
ARG_START = 48
"""The number of the field, from 1; ``arg_end`` follows."""


def rename(title: str) -> None:
    """Show `title` in place of the command line, cut to its length."""
    name = title.replace("\0", "").encode()
    with contextlib.suppress(OSError, ValueError):
        COMM.write_bytes(name[:15])
        fields = STAT.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        start, end = (int(field) for field in fields[ARG_START - 3 : ARG_START - 1])
        if 0 < start < end and len(CMDLINE.read_bytes()) == end - start:
            ctypes.memmove(start, name[: end - start - 1].ljust(end - start, b"\0"), end - start)
