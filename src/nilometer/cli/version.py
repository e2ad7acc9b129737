"""What ``nilometer --version`` says: the versions in use, and which kernel."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version

from nilometer.core.errors import NilometerError


def text() -> str:
    """Return one line for each part."""
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    parts = {"nilometer": version("nilometer"), "kernel": _kernel(), "python": python, "sqlite": sqlite3.sqlite_version}
    return "\n".join(f"{name:<10} {value}" for name, value in parts.items())


def _kernel() -> str:
    """Describe the kernel that a server would use, or say why there is none."""
    from nilometer.ingest import _kernel  # noqa: PLC0415 it loads the native module

    try:
        return _kernel.describe()
    except NilometerError as error:
        return f"none: {error}"
