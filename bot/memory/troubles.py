"""What keeps answers from being posted, place by place, until a post there succeeds."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from bot.dialogue import Channel, Platform, Trouble
from bot.memory.database import Database
from bot.memory.models import troubles
from bot.memory.rows import storable

_MOST = 50


class Troubles:
    """
    The places where posts are refused.

    Which those are is known by heart, so that a post that succeeds elsewhere costs no look at the record;
    what other processes note is learnt by `refresh`.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is known before the first `refresh`."""
        self._database = database
        self._places: set[tuple[str, str, str]] = set()

    async def note(self, channel: Channel, kind: str, reason: str) -> None:
        """Note that a post was refused in a place, and why."""
        values = {"platform": channel.platform, "workspace": channel.workspace, "place": channel.id}
        told = {"kind": kind, "reason": storable(reason)}
        statement = insert(troubles).values(**values, **told)
        again = {**told, "times": troubles.c.times + 1, "last_at": sa.func.now()}
        async with self._database.transaction() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=list(values), set_=again))
        self._places.add(_place(channel))

    async def well(self, channel: Channel) -> None:
        """Note that an answer stands in a place; costs nothing where there was no trouble."""
        place = _place(channel)
        if place not in self._places:
            return
        here = sa.tuple_(troubles.c.platform, troubles.c.workspace, troubles.c.place) == place
        async with self._database.transaction() as connection:
            await connection.execute(troubles.delete().where(here))
        self._places.discard(place)

    async def refresh(self) -> None:
        """Learn of what other processes noted."""
        found = sa.select(troubles.c.platform, troubles.c.workspace, troubles.c.place)
        async with self._database.transaction() as connection:
            self._places = {(row[0], row[1], row[2]) for row in await connection.execute(found)}

    async def all(self) -> Sequence[Trouble]:
        """List them, the newest first."""
        found = sa.select(troubles).order_by(troubles.c.last_at.desc()).limit(_MOST)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(found)).all()
        return [
            Trouble(
                Platform(row.platform), row.workspace, row.place, row.kind, row.reason, row.times, row.last_at
            )
            for row in rows
        ]


def _place(channel: Channel) -> tuple[str, str, str]:
    return (str(channel.platform), channel.workspace, channel.id)
