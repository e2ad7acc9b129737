"""The machine that is measured on: what it is, what it grants, and what a process uses of it, as Linux tells."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

RECEIVE_BUFFER = 4 << 20
TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def described() -> str:
    """Name the processor, the cores and the kernel."""
    model = (PROC / "cpuinfo").read_text().partition("model name")[2].partition(":")[2].partition("\n")[0].strip()
    cores = f"{os.cpu_count()} × {model or platform.machine()}"
    return f"{cores}, Linux {platform.release()}, Python {platform.python_version()}"


def receive_buffer() -> int:
    """Give every server the same receive buffer where that is allowed (root); return what a plain socket gets."""
    for name in ("rmem_max", "rmem_default"):
        path = PROC / "sys/net/core" / name
        if os.access(path, os.W_OK) and int(path.read_text()) < RECEIVE_BUFFER:
            path.write_text(str(RECEIVE_BUFFER))
    return int((PROC / "sys/net/core/rmem_default").read_text())


def _stat(process: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the third on."""
    return (PROC / f"{process}/stat").read_text().rpartition(")")[2].split()


def cpu(process: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / TICKS


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    found = []
    for folder in PROC.iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if folder.name.isdigit() and int(_stat(int(folder.name))[1]) == process:
                found.append(int(folder.name))
    return found


def peak_memory(process: int) -> float:
    """Return the most memory that a process has held, in MB."""
    status = (PROC / f"{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
