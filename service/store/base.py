"""Declarative base and the column types that serve both engines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, MetaData, func
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator, UserDefinedType


class Base(DeclarativeBase):
    """Base of every table; constraint names follow one convention so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class PostgisGeometry(UserDefinedType[bytes]):
    """A PostGIS column in EPSG:4326 that reads and writes WKB."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the DDL of the type."""
        return "geometry(Geometry,4326)"

    def bind_expression(self, bindvalue: Any) -> ColumnElement[Any]:
        """Read WKB on the way in."""
        return func.ST_GeomFromWKB(bindvalue, 4326, type_=self)

    def column_expression(self, colexpr: Any) -> ColumnElement[Any]:
        """Give WKB on the way out."""
        return func.ST_AsBinary(colexpr, type_=LargeBinary())


class AwareDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "A time without a zone was given to the store; wanted an aware one in UTC."
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the time back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Wkb = LargeBinary().with_variant(PostgisGeometry(), "postgresql")
"""Geometry in EPSG:4326 as WKB: a BLOB on SQLite, a PostGIS column on PostgreSQL."""

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""Sequence key: SQLite only numbers INTEGER PRIMARY KEY columns by itself."""

Seq = Annotated[int, mapped_column(BigKey, primary_key=True, autoincrement=True)]
"""Primary key given by the database, in order of arrival."""


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)
