"""Which of Postgres' errors mean that it cannot serve anybody now, and how they are told."""

from __future__ import annotations

import psycopg

# By SQLSTATE (PostgreSQL, appendix A). Each passes by itself or by somebody's hand at the server: what was
# asked for is asked for again later.
_TOLD = {
    "25P03": "it ended a transaction that had fallen silent, as that of a frozen process",
    "25006": "it is read-only, as a standby is or a primary after a failover",
    "53000": "it is short of resources",
    "53100": "its disk is full: make room where Postgres keeps its data",
    "53200": "it is out of memory",
    "53300": "it has no connection left: raise its max_connections, or run fewer processes",
    "57P01": "it is shutting down",
    "57P02": "it crashed and is recovering",
    "57P03": "it is starting up or shutting down",
    "58030": "its disk cannot be read or written",
}


def is_outage(error: BaseException | None) -> bool:
    """Say whether the connection or the whole server fails, and not this one statement."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return isinstance(error, psycopg.Error) and error.sqlstate in _TOLD


def reason(error: BaseException) -> str:
    """Name the failure in a line, which holds no parameters and so no text of a message."""
    cause = getattr(error, "orig", None) or error
    line = str(cause).strip().split("\n", 1)[0]
    told = _TOLD.get(getattr(cause, "sqlstate", None) or "")
    return f"{told} ({line})" if told else line
