"""What Alembic starts with: it works in the connection and the transaction of whoever asks."""

from __future__ import annotations

from alembic import context

from nilometer.backends._parts.sql.statistics.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
