"""Make the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nilometer.backends._parts.sql.types import Document, Word

revision = "0001"
down_revision = None
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "nilometer_statistics",
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
    op.create_table(
        "nilometer_statistics_rows",
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
    op.create_table(
        "nilometer_statistics_members",
        sa.Column("statistic", sa.BigInteger, primary_key=True),
        sa.Column("slot", sa.BigInteger, primary_key=True),
        sa.Column("key", Word, primary_key=True),
        sa.Column("member", Word, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nilometer_statistics_inbox",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", Word, nullable=False, unique=True),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("arrived", sa.Double, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        *(sa.Column(name, Word, nullable=False) for name in ("type", "publisher", "priority", "tenant")),
        *(sa.Column(name, Document, nullable=False) for name in ("payload", "context")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "nilometer_statistics_covered",
        sa.Column("source", Word, primary_key=True),
        sa.Column("begin", sa.Double, primary_key=True),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("noted", sa.Double, nullable=False),
    )
