"""The tables of statistics, as they are now; `migrations` brings older ones up to date.

Rules:

* `nilometer_statistics_inbox` has a row for each message. Numbers are given in order of commits and never again: whoever writes
  holds a lock until the commit.
* `nilometer_statistics_rows` has a row for each slot and key of a statistic. A slot is the label of a window, the end of it in
  seconds since the epoch, and 0 where there are no windows. A key is a list of words as JSON.
* `nilometer_statistics_members` holds who was counted, for statistics that count distinct ones.
* Each index is one that a question needs: rows are read by statistic, slot and key, the inbox by number and id.
"""

from __future__ import annotations

import sqlalchemy as sa

from nilometer.backends._parts.sql.types import Document, Word

METADATA = sa.MetaData()
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""What SQLite counts up by itself must be an INTEGER there."""

STATISTICS = sa.Table(
    "nilometer_statistics",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("ident", Word, nullable=False, unique=True),
    sa.Column("kind", Word, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("state", Word, nullable=False),
    sa.Column("error", Document, nullable=False),
    sa.Column("culprit", Word, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
ROWS = sa.Table(
    "nilometer_statistics_rows",
    METADATA,
    sa.Column("statistic", sa.BigInteger, primary_key=True),
    sa.Column("slot", sa.BigInteger, primary_key=True),
    sa.Column("key", Word, primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("newest", sa.Double, nullable=False),
    sa.Column("text", Document),
    sa.Column("source", Word),
    sa.Column("sketch", sa.LargeBinary),
    sqlite_with_rowid=False,
)
MEMBERS = sa.Table(
    "nilometer_statistics_members",
    METADATA,
    sa.Column("statistic", sa.BigInteger, primary_key=True),
    sa.Column("slot", sa.BigInteger, primary_key=True),
    sa.Column("key", Word, primary_key=True),
    sa.Column("member", Word, primary_key=True),
    sqlite_with_rowid=False,
)
INBOX = sa.Table(
    "nilometer_statistics_inbox",
    METADATA,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("id", Word, nullable=False, unique=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("arrived", sa.Double, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("type", Word, nullable=False),
    sa.Column("publisher", Word, nullable=False),
    sa.Column("priority", Word, nullable=False),
    sa.Column("tenant", Word, nullable=False),
    sa.Column("payload", Document, nullable=False),
    sa.Column("context", Document, nullable=False),
    sqlite_autoincrement=True,
)
COVERED = sa.Table(
    "nilometer_statistics_covered",
    METADATA,
    sa.Column("source", Word, primary_key=True),
    sa.Column("begin", sa.Double, primary_key=True),
    sa.Column("end", sa.Double, nullable=False),
    sa.Column("noted", sa.Double, nullable=False),
)
