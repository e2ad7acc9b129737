"""Tables made, or brought up to date, by Alembic.

Rules:

* One process at a time does so, in one transaction; one that finds tables of a newer version stops.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from nilometer.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSIONS = "nilometer_statistics_version"
"""The table that holds the version."""
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x4E_49_4C_53
"""The number by which PostgreSQL's processes agree who writes the inbox, or makes tables."""


def prepare(connection: sa.Connection, place: str) -> None:
    """Make the tables where there are none, bring older ones up to date. Raise `StoreError` for those of a newer version."""
    lock(connection)
    found, known = version(connection), revisions()
    if found is not None and found not in known:
        message = f"{place}: its tables of statistics have version {found[:40]}, this program knows {known[0]} and older; "
        raise StoreError(message + "update nilometer, or name another database")
    if found == known[0]:
        return
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes |= {"connection": connection, "version_table": VERSIONS}
    command.upgrade(config, "head")


def version(connection: sa.Connection) -> str | None:
    """Return the version of the tables, None where there are none."""
    if not sa.inspect(connection).has_table(VERSIONS):
        return None
    found: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSIONS}")).scalar()  # noqa: S608 our own name
    return found


def revisions() -> Sequence[str]:
    """Return the versions that are known here, newest first."""
    return [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]


def lock(connection: sa.Connection) -> None:
    """Wait until nobody else writes, and hold that until the commit; SQLite's transaction sees to it by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
