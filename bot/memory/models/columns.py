"""What the tables are made of: the names of constraints, and the columns that many have."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def number_of_its_own() -> sa.Column[int]:
    """Number the rows of a table."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def moment(name: str, *, now: bool = False) -> sa.Column[object]:
    """A moment; with `now` the one of the insert."""
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=default)


def text(name: str, default: str | None = None) -> sa.Column[str]:
    """A text that is never null."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def number(name: str, default: int | None = None) -> sa.Column[int]:
    """A whole number that is never null."""
    shown = None if default is None else str(default)
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=shown)


def flag(name: str) -> sa.Column[bool]:
    """A flag that is down unless it is set."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def key(*names: str) -> list[sa.Column[str]]:
    """Texts that together name a row."""
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def of(table: str, *, null: bool = False, key: bool = False) -> sa.Column[int]:
    """The row of another table that this one belongs to, and goes with; `key` makes it part of the name."""
    name, parent = f"{table[:-1]}_id", sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.BigInteger, parent, nullable=null, primary_key=key, autoincrement=False)
