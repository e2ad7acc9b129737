"""Types of columns that are alike in every database: texts that compare byte by byte, as Python compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from nilometer.core.wire.event import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable

UTF8 = 4
"""Bytes of a character, at most."""


class Word(sa.types.TypeDecorator[str]):
    """A short text that is compared byte by byte."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the type of a database."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.VARBINARY(LONGEST * UTF8))
        return dialect.type_descriptor(sa.Text(collation="C" if dialect.name == "postgresql" else None))

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401 as SQLAlchemy has it
        """Return what the driver is given."""
        return value.encode() if dialect.name == "mysql" and value is not None else value

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], str | None] | None:
        """Return what makes a text of what the driver gives, None where it gives texts."""
        del coltype
        return _text if dialect.name == "mysql" else None


def _text(value: Any) -> str | None:  # noqa: ANN401 as SQLAlchemy has it
    return value.decode() if isinstance(value, bytes) else value


class Document(Word):
    """JSON, as text of any length."""

    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the type of a database."""
        return dialect.type_descriptor(mysql.LONGBLOB() if dialect.name == "mysql" else sa.Text())
