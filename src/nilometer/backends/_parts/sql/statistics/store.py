"""A store of statistics in a database.

Rules:

* Whatever is written is committed, all of it or nothing, when the call returns.
* Tables are made at the first use, by whoever comes first, and brought up to date there. Several processes may share a store.
* Whoever writes the inbox, or makes tables, holds a lock until the commit. Statistics advance side by side: the row of each is
  locked by the statement that moves its offset, and that statement comes first.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql.statistics import changes, coverage, inbox, rows, upgrade
from nilometer.backends._parts.sql.statistics.counts import Counts, Held
from nilometer.backends._parts.sql.statistics.tables import INBOX, MEMBERS, ROWS, STATISTICS
from nilometer.core.errors import InputError, NilometerError
from nilometer.core.statistics import Found, Kind, Progress, State
from nilometer.core.statistics.change import storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nilometer.backends._parts.sql.database import Database
    from nilometer.core.record import Event
    from nilometer.core.statistics import Covered, Inbox, Message, RowQuery, Tally

C = STATISTICS.c
LONGEST_ERROR = 2000
"""Characters that are kept of what a plugin raised."""


class SqlStatistics:
    """Statistics in a database. All methods may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._preparing = threading.Lock()
        self._ready: object = None
        """The identity of the database that is known to have tables of today."""
        self._counts = Counts()

    # -- the inbox -----------------------------------------------------------------------------------------------------

    def take_in(
        self, events: Sequence[Event], *, arrived: float, source: str, archived: bool = False, covered: Sequence[Covered] = ()
    ) -> list[Event]:
        """Put messages into the inbox but those whose ids it knows, note what is covered, return those that were new."""
        with self._connected(write=True) as connection:
            upgrade.lock(connection)
            new = inbox.add(connection, events, arrived=arrived, archived=archived)
            if covered:
                coverage.add(connection, source, covered)
            return new

    def read_inbox(self, after: int, most: int) -> list[Message]:
        """Return up to `most` messages with a number above `after`, in order of their numbers."""
        with self._connected() as connection:
            return inbox.read(connection, after, most)

    def inbox(self) -> Inbox:
        """Return what the inbox holds."""
        with self._connected() as connection:
            return inbox.summary(connection)

    def expire_inbox(self, before: float, upto: int) -> int:
        """Delete a part of what arrived before a time, with numbers up to `upto`. Return how many; 0: none left."""
        with self._connected(write=True) as connection:
            return inbox.expire(connection, before, upto)

    def covered(self, source: str) -> list[Covered]:
        """Return what is covered of a source, in order, without overlaps."""
        with self._connected() as connection:
            return coverage.read(connection, source)

    def sources(self) -> list[str]:
        """Return the sources of which anything is covered, in order."""
        with self._connected() as connection:
            return coverage.sources(connection)

    def cover(self, source: str, covered: Sequence[Covered]) -> None:
        """Note that a source covers this, too."""
        with self._connected(write=True) as connection:
            upgrade.lock(connection)
            coverage.add(connection, source, covered)

    # -- the statistics ------------------------------------------------------------------------------------------------

    def register(self, ident: str, kind: Kind, version: int, *, offset: int = 0) -> Progress:
        """Return how far a statistic is; a new one begins behind `offset`. One of another version or kind begins anew."""
        with self._connected(write=True) as connection:
            upgrade.lock(connection)
            held = connection.execute(sa.select(STATISTICS).where(C.ident == ident)).one_or_none()
            if held is None:
                new = _values(Progress(ident, version, offset)) | {"kind": kind.value}
                connection.execute(sa.insert(STATISTICS).values(**new))
                return Progress(ident, version, offset)
            if (held.version, held.kind) == (version, kind.value):
                return _progress(held)
            _delete_rows(connection, held.id)
            anew = Progress(ident, version, self._begin(connection), revision=held.revision + 1)
            connection.execute(sa.update(STATISTICS).where(C.id == held.id).values(**_values(anew), kind=kind.value))
            return anew

    @staticmethod
    def _begin(connection: sa.Connection) -> int:
        """Return the offset before the first message of the inbox."""
        first = connection.scalar(sa.select(sa.func.min(INBOX.c.number)))
        return max((first or 1) - 1, 0)

    def progress(self) -> list[Progress]:
        """Return how far each statistic is that was ever registered, in order of idents."""
        with self._connected() as connection:
            return [_progress(row) for row in connection.execute(sa.select(STATISTICS).order_by(C.ident))]

    def apply(self, tallies: Mapping[str, Tally], after: int, upto: int) -> bool:
        """Make the changes of each statistic, and move its offset from `after` to `upto`: all in one transaction.

        Return False, and do nothing, when one of them is not at `after`, or is stopped: somebody else was there.
        """
        with self._connected(write=True) as connection:
            changed = {ident for ident, tally in tallies.items() if tally}
            known = self._move(connection, tallies, after, upto, changed)
            if len(known) != len(tallies):
                connection.rollback()
                return False
            for ident, held in sorted(known.items(), key=lambda each: each[1]):
                changes.make(connection, held.number, tallies[ident])
        for ident in changed:
            self._counts.changed(known[ident], tallies[ident])
        return True

    @staticmethod
    def _move(
        connection: sa.Connection, tallies: Mapping[str, Tally], after: int, upto: int, changed: set[str]
    ) -> dict[str, Held]:
        """Move offsets, and return the statistics whose offsets were where they had to be."""
        known: dict[str, Held] = {}
        for idents, grown in ((sorted(changed), 1), (sorted(tallies.keys() - changed), 0)):
            for part in inbox.parts(idents):
                where = (C.ident.in_(part), C.position == after, C.state == State.RUNNING.value)
                moved = sa.update(STATISTICS).where(*where).values(position=upto, revision=C.revision + grown)
                found = connection.execute(moved.returning(C.ident, C.id, C.revision))
                known |= {row.ident: Held(row.id, row.revision) for row in found}
        return known

    def stop(self, ident: str, error: str, culprit: Message, since: float) -> None:
        """Note that a statistic raised at a message; it stays before it."""
        about = {"error": storable(error[:LONGEST_ERROR]), "culprit": culprit.id, "at": culprit.number, "since": since}
        self._set(ident, state=State.STOPPED.value, **about)

    def resume(self, ident: str) -> None:
        """Let a stopped statistic run again."""
        self._set(ident, state=State.RUNNING.value, error="", culprit="", at=0, since=0.0)

    def _set(self, ident: str, **values: Any) -> None:  # noqa: ANN401 of several types
        with self._connected(write=True) as connection:
            connection.execute(sa.update(STATISTICS).where(C.ident == ident).values(**values))

    def forget(self, ident: str) -> None:
        """Delete a statistic, with its rows."""
        with self._connected(write=True) as connection:
            held = _held(connection, ident)
            if held is not None:
                _delete_rows(connection, held.number)
                connection.execute(sa.delete(STATISTICS).where(C.id == held.number))

    # -- their rows ----------------------------------------------------------------------------------------------------

    def find_rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> Found:
        """Return up to `limit` rows, behind a cursor or an `offset`. Raise `InputError` for a cursor that is none."""
        with self._connected() as connection:
            held = _held(connection, ident)
            if held is None:
                return Found([], "")
            query, offset = self._counts.skipped(connection, held, query, offset)
            return rows.find(connection, held.number, query, limit, cursor=cursor, offset=offset)

    def count_rows(self, ident: str, query: RowQuery) -> int:
        """Return how many rows there are."""
        with self._connected() as connection:
            held = _held(connection, ident)
            return 0 if held is None else self._counts.count(connection, held, query)

    def drop_rows(self, ident: str, before: float) -> int:
        """Delete a part of the rows whose time is before. Return how many; 0: none left."""
        return self._change(ident, lambda connection, found: rows.drop(connection, found.id, before))

    def roll_up(self, ident: str, before: float, slot: Callable[[int], int]) -> int:
        """Merge a part of the rows before a time into those that `slot` says. Return how many rows went; 0: none left."""
        return self._change(ident, lambda connection, found: rows.roll_up(connection, found.id, Kind(found.kind), before, slot))

    def _change(self, ident: str, work: Callable[[sa.Connection, sa.Row[Any]], int]) -> int:
        """Change the rows of a statistic while nobody else does; return how many changed."""
        with self._connected(write=True) as connection:
            found = connection.execute(sa.select(STATISTICS).where(C.ident == ident).with_for_update()).one_or_none()
            done = 0 if found is None else work(connection, found)
            if found is not None and done:
                connection.execute(sa.update(STATISTICS).where(C.id == found.id).values(revision=C.revision + 1))
            return done

    # -- the database --------------------------------------------------------------------------------------------------

    def check(self) -> str:
        """Connect and say what there is. Raise `Unavailable`, `StoreError`."""
        held, known = self.inbox(), len(self.progress())
        return f"{self._database.place}: {known} statistics, {held.count} messages in the inbox"

    def close(self) -> None:
        """Close the connections; what was written is stored."""
        self._database.close()

    @contextmanager
    def _connected(self, *, write: bool = False) -> Iterator[sa.Connection]:
        """Give a connection to a database that has its tables, in a transaction that is committed at the end."""
        self._prepare()
        try:
            with self._database.connected(write=write) as connection:
                yield connection
        except InputError:
            raise
        except NilometerError:
            self._ready = None
            raise

    def _prepare(self) -> None:
        with self._preparing:
            if self._ready is None or self._ready != self._database.identity:
                with self._database.connected(write=True) as connection:
                    upgrade.prepare(connection, self._database.place)
                self._counts.clear()
                self._ready = self._database.identity


def _held(connection: sa.Connection, ident: str) -> Held | None:
    found = connection.execute(sa.select(C.id, C.revision).where(C.ident == ident)).one_or_none()
    return None if found is None else Held(found.id, found.revision)


def _delete_rows(connection: sa.Connection, number: int) -> None:
    for table in (ROWS, MEMBERS):
        connection.execute(sa.delete(table).where(table.c.statistic == number))


def _values(progress: Progress) -> dict[str, Any]:
    names = ("ident", "version", "error", "culprit", "at", "since", "revision")
    return {name: getattr(progress, name) for name in names} | {"position": progress.offset, "state": progress.state.value}


def _progress(row: sa.Row[Any]) -> Progress:
    names = ("ident", "version", "error", "culprit", "at", "since", "revision")
    return Progress(**{name: getattr(row, name) for name in names}, offset=row.position, state=State(row.state))
