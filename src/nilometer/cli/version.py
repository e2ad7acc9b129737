"""What ``nilometer --version`` says: the versions in use, and which kernel."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version

from nilometer.core.errors import NilometerError
from nilometer.ingest import _kernel


def text() -> str:
    """Return one line for each part."""
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    parts = {"nilometer": version("nilometer"), "kernel": kernel(), "python": python, "sqlite": sqlite3.sqlite_version}
    return "\n".join(f"{name:<10} {value}" for name, value in parts.items())


def kernel() -> str:
    """Describe the kernel that a server would use, or say why there is none."""
    try:
        return _kernel.describe()
    except NilometerError as error:
        return f"none: {error}"
