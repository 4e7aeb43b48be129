"""How far a workspace was heard, and where in it something may have been missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from bot.dialogue import ChannelKind, Platform
from bot.memory.database import Database

STALE = timedelta(minutes=1)  # for so long platforms deliver again by themselves what was not acknowledged
_MOST = 500
_TURNS = 10


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Until when a workspace was heard, and `now`, both on the database's clock; None where it never was.

    `places` are those of a gap that were fetched already, each until when.
    """

    now: datetime
    seen_until: datetime | None
    places: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Recent:
    """A conversation of late; `asked` are the ids of its questions that are owed, or were just answered."""

    place: str
    root: str
    kind: ChannelKind
    asked: tuple[str, ...] = ()


class Marks:
    """The marks of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, platform: Platform, workspace: str) -> Mark:
        """Tell how far the workspace was heard; raises `StoreDown`, as all here."""
        rows = await self._database.run(_READ, platform=platform, workspace=workspace)
        seen = {row["place"]: row["seen_until"] for row in rows if row["place"] is not None}
        return Mark(rows[0]["now"], seen.pop("", None), seen)

    async def listen(self, platform: Platform, workspace: str) -> bool:
        """
        Move the mark to this moment, for who heard all of late.

        False where it is stale: nobody said so for a while, and what was written since has to be fetched.
        """
        given = {"platform": platform, "workspace": workspace}
        return bool(await self._database.run(_LISTEN, **given, stale=STALE))

    async def reached(self, platform: Platform, workspace: str, place: str, until: datetime) -> None:
        """Keep that a place of a gap was fetched, so that a next try need not do it again."""
        given = {"platform": platform, "workspace": workspace, "place": place, "until": until}
        await self._database.run(_REACHED, **given)

    async def close(self, platform: Platform, workspace: str) -> None:
        """Keep that nothing is missing up to this moment."""
        await self._database.run(_CLOSE, platform=platform, workspace=workspace)

    async def recent(
        self, platform: Platform, workspace: str, since: datetime, ended: datetime
    ) -> Sequence[Recent]:
        """
        List the conversations in which something was said since then, the newest first and bounded.

        Questions that were answered after `ended` are told as the owed ones are.
        """
        given = {"platform": platform, "workspace": workspace, "since": since, "ended": ended}
        rows = await self._database.run(_RECENT, **given, most=_MOST, turns=_TURNS)
        return [
            Recent(row["place"], row["root"], ChannelKind(row["kind"]), tuple(row["asked"] or ()))
            for row in rows
        ]


_READ: LiteralString = """
SELECT now() AS now, place, seen_until
FROM (SELECT) AS always LEFT JOIN marks ON platform = %(platform)s AND workspace = %(workspace)s
"""

_LISTEN: LiteralString = """
UPDATE marks SET seen_until = now()
WHERE platform = %(platform)s AND workspace = %(workspace)s AND place = '' AND seen_until > now() - %(stale)s
RETURNING true AS fresh
"""

_REACHED: LiteralString = """
INSERT INTO marks (platform, workspace, place, seen_until)
VALUES (%(platform)s, %(workspace)s, %(place)s, %(until)s)
ON CONFLICT (platform, workspace, place) DO UPDATE SET seen_until = excluded.seen_until
"""

_CLOSE: LiteralString = """
WITH places AS (
    DELETE FROM marks WHERE platform = %(platform)s AND workspace = %(workspace)s AND place <> ''
)
INSERT INTO marks (platform, workspace, place, seen_until)
VALUES (%(platform)s, %(workspace)s, '', now())
ON CONFLICT (platform, workspace, place) DO UPDATE SET seen_until = excluded.seen_until
"""

_RECENT: LiteralString = """
SELECT lately.place, lately.root, lately.kind, asked.asked
FROM (
    SELECT id, place, root, kind, last_at FROM conversations
    WHERE platform = %(platform)s AND workspace = %(workspace)s AND last_at > %(since)s
    ORDER BY last_at DESC LIMIT %(most)s
) AS lately LEFT JOIN LATERAL (
    SELECT array_agg(messages.platform_id) AS asked
    FROM (
        SELECT id, state, finished_at FROM turns
        WHERE conversation_id = lately.id ORDER BY id DESC LIMIT %(turns)s
    ) AS turns JOIN messages ON messages.turn_id = turns.id
    WHERE (turns.state IN ('waiting', 'answering') OR turns.finished_at > %(ended)s)
        AND NOT messages.said AND messages.withdrawn_at IS NULL
) AS asked ON true
ORDER BY lately.last_at DESC
"""
