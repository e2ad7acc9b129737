"""The way to a database: connections that are shared by threads, bounded in time, their errors in our own words.

Rules:

* Nothing is connected before the first use. A connection that broke, or whose file was replaced, is not used again.
* Each statement ends within the timeout: the server is told so, SQLite asks the clock as it goes on. What takes longer is
  `TooSlow`; what cannot be reached, is locked or refuses for now `Unavailable`; a value that cannot be stored `Rejected`.
* A message names the URL, secrets masked, and shows one line of what the driver says.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from nilometer.core.errors import NilometerError, Rejected, TooSlow, Unavailable
from nilometer.core.sqlite import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock."""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32768", "journal_size_limit=67108864")
BUSY, PAUSE = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED"}), 0.01
SLOW_CODES = frozenset({"57014", 1317, 1969, 3024})
"""A statement was stopped: PostgreSQL's state, MariaDB's and MySQL's numbers."""
GRACE = 2.0
"""Seconds that a server has beyond the bound to say that it was reached."""
WRITE = "nilometer_write"
SHOWN = 300


class Database:
    """A database behind an engine of SQLAlchemy. `place` names it in messages; `seconds` bound each statement."""

    def __init__(self, engine: sa.Engine, place: str, seconds: float, file: Path | None = None) -> None:
        self.engine, self.place, self.seconds, self.file = engine, place, seconds, file

    @contextmanager
    def connected(self, *, write: bool = False) -> Iterator[sa.Connection]:
        """Give a connection inside a transaction, which is committed at the end. Raise `NilometerError`."""
        with self._guarded(), self.engine.connect() as connection:
            connection.execution_options(**{WRITE: write})
            with self._bounded(connection, write=write):
                yield connection
                connection.commit()

    @property
    def absent(self) -> bool:
        """Whether there is no file yet; a server's database is always there, or cannot be reached."""
        return self.file is not None and not self.file.exists() and self.file.parent.is_dir()

    @property
    def identity(self) -> object:
        """What tells this database from one that took its place."""
        return self.place if self.file is None else _inode(self.file)

    @contextmanager
    def _bounded(self, connection: sa.Connection, *, write: bool) -> Iterator[None]:
        """Bound the time of SQLite's questions; servers know the bound by themselves, as long as they answer at all."""
        driver = connection.connection.driver_connection
        if write or not isinstance(driver, sqlite3.Connection):
            with cut_off(driver, self.seconds + GRACE):
                yield
            return
        end = time.monotonic() + self.seconds
        driver.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        try:
            yield
        finally:
            driver.set_progress_handler(None, STEPS)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            raise self._translated(error) from error
        except (sa.exc.SQLAlchemyError, OSError) as error:
            message = f"{self.place}: {_line(error)}"
            raise Unavailable(message) from error

    def _translated(self, error: sa.exc.DBAPIError) -> NilometerError:
        cause = error.orig
        if _is_slow(cause):
            return TooSlow(f"{self.place}: it takes longer than {self.seconds:g} s; ask for a shorter time, or for less")
        if self.file is not None and isinstance(cause, sqlite3.Error):
            return translated(cause, self.file)
        kind = Rejected if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError) else Unavailable
        return kind(f"{self.place}: {_line(cause)}")

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()


@contextmanager
def cut_off(driver: Any, seconds: float) -> Iterator[None]:  # noqa: ANN401 a connection of any driver
    """Break psycopg's connection when the server has not answered by then: libpq itself would wait for ever.

    PyMySQL bounds its waits by itself, SQLite has no server.
    """
    if not hasattr(driver, "pgconn") or driver.closed:
        yield
        return
    with socket.socket(fileno=os.dup(driver.fileno())) as link:
        timer = threading.Timer(seconds, _shut, (link,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


def _is_slow(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
    codes = (getattr(cause, "sqlstate", None), next(iter(getattr(cause, "args", ())), None))
    return any(isinstance(code, str | int) and code in SLOW_CODES for code in codes)


def _line(error: BaseException | None) -> str:
    """Return what an error says, on one line."""
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(error)).split())
    return text[:SHOWN] or type(error).__name__


def in_file(file: Path, seconds: float) -> Database:
    """Return the database in a file of SQLite."""

    def connect() -> sqlite3.Connection:
        name = f"file:{quote(str(file))}?mode=rwc"
        made = sqlite3.connect(name, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            for pragma in PRAGMAS:
                _set(made, pragma, time.monotonic() + seconds)
        except BaseException:
            made.close()
            raise
        return made

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool, pool_size=4, pool_timeout=seconds)

    def opened(_: object, record: Any) -> None:  # noqa: ANN401 SQLAlchemy's own
        record.info["inode"] = _inode(file)

    def taken(_: object, record: Any, __: object) -> None:  # noqa: ANN401 SQLAlchemy's own
        if record.info.get("inode") != _inode(file):
            raise sa.exc.DisconnectionError

    def begun(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    sa.event.listen(engine, "connect", opened)
    sa.event.listen(engine, "checkout", taken)
    sa.event.listen(engine, "begin", begun)
    return Database(engine, str(file), seconds, file)


def _set(link: sqlite3.Connection, pragma: str, end: float) -> None:
    """Set a pragma. SQLite itself does not wait while another process makes the file's log: here that is tried until `end`."""
    while True:
        try:
            link.execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in BUSY or time.monotonic() > end:
                raise
            time.sleep(PAUSE)
        else:
            return


def _inode(file: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = os.stat(file)  # noqa: PTH116 as short
        return found.st_dev, found.st_ino
    return None


def on_server(place: str, name: sa.URL, seconds: float, connect: Mapping[str, Any]) -> Database:
    """Return the database of a server; `connect` is what its driver is told."""
    engine = sa.create_engine(name, connect_args=dict(connect), pool_size=4, pool_timeout=seconds, pool_recycle=1800)
    if engine.dialect.name == "mysql":
        sa.event.listen(engine, "connect", lambda driver, _: _bound_mysql(driver, seconds))
    sa.event.listen(engine, "checkout", lambda driver, _, __: _look(driver, engine.dialect, seconds))
    return Database(engine, place, seconds)


def _look(driver: Any, dialect: sa.Dialect, seconds: float) -> None:  # noqa: ANN401 a connection of the driver
    """See that a connection from the pool still has its server behind it."""
    try:
        with cut_off(driver, seconds):
            well = dialect.do_ping(driver)
    except dialect.loaded_dbapi.Error as error:
        raise sa.exc.DisconnectionError from error
    if not well:
        raise sa.exc.DisconnectionError


def _bound_mysql(driver: Any, seconds: float) -> None:  # noqa: ANN401 a connection of the driver
    maria = "mariadb" in str(driver.get_server_info()).lower()
    setting = f"max_statement_time={seconds:g}" if maria else f"max_execution_time={int(seconds * 1000)}"
    with driver.cursor() as cursor:
        cursor.execute(f"SET SESSION {setting}, innodb_lock_wait_timeout={max(int(seconds), 1)}")
