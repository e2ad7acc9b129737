"""Files of SQLite: which one a URL names, and SQLite's errors in our own words: which file, and what to do about it.

Rules:

* What time or the operator can mend while we run (disk full, no right to write, locked, directory missing) is `Unavailable`:
  the pipe keeps the records in its spool and tries again.
* What lies in the file itself (damaged, no database, of a newer version) is `StoreError`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.core.errors import StoreError, Unavailable
from nilometer.core.options import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.errors import NilometerError
    from nilometer.core.url import Url

SPELLING = "write sqlite:///name.db, or sqlite:////path/name.db with four slashes"

CURES = {
    "SQLITE_FULL": "the disk is full: free some space, or keep less (retention, rollups)",
    "SQLITE_BUSY": "another program holds the file locked: end its transaction",
    "SQLITE_LOCKED": "another program holds the file locked: end its transaction",
    "SQLITE_READONLY": "it cannot be written: give this user the right to write the file and its directory",
    "SQLITE_PERM": "it cannot be written: give this user the right to write the file and its directory",
    "SQLITE_IOERR": "the disk does not read or write: look at the system's log",
}
DAMAGED = {
    "SQLITE_CORRUPT": "the file is damaged: set it aside (a new one is made), or try `sqlite3 FILE .recover`",
    "SQLITE_NOTADB": "the file is no SQLite database: set it aside, or name another file",
}


def file_of(url: Url) -> Path:
    """Return the file that ``sqlite:///name.db`` (relative) or ``sqlite:////name.db`` (absolute) names, as an absolute path.

    Raise `UrlError` when it names none.
    """
    if url.hosts or url.user is not None:
        raise refuse(url, f"takes no host; {SPELLING}")
    name = url.path.removeprefix("/")
    if name in ("", ":memory:") or name.endswith("/"):
        raise refuse(url, f"names no file; {SPELLING}")
    return Path(name).absolute()


@contextmanager
def guarded(file: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into `Unavailable` and `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, file) from error
    except OSError as error:
        message = f"{file}: {error.strerror or error}: {_place(file)}"
        raise Unavailable(message) from error


def translated(error: sqlite3.Error, file: Path) -> NilometerError:
    """Return our error for one of SQLite's."""
    name = str(getattr(error, "sqlite_errorname", ""))
    for code, cure in DAMAGED.items():
        if name.startswith(code):
            return StoreError(f"{file}: {error}: {cure}")
    if name.startswith("SQLITE_CANTOPEN"):
        return Unavailable(f"{file}: {error}: {_place(file)}")
    cure = next((cure for code, cure in CURES.items() if name.startswith(code)), "")
    if cure:
        return Unavailable(f"{file}: {error}: {cure}")
    return StoreError(f"{file}: {error}: its tables are not as this program made them; name another file")


def _place(file: Path) -> str:
    if not os.path.isdir(file.parent):  # noqa: PTH112 the method raises where this user may not look
        return f"there is no directory {file.parent}: create it"
    if os.path.isdir(file):  # noqa: PTH112 as above
        return "it is a directory: name a file"
    return f"this user needs the right to write {file.parent} and the file in it"
