"""What is known of single persons: the language they chose, and what they asked lately."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from bot.dialogue import Platform, Thread
from bot.memory.database import Database
from bot.memory.models import conversations, messages, people, turns, workspaces
from bot.memory.places import as_conversation
from bot.memory.transcripts import titled

_LATEST_TURNS = 200


class People:
    """Persons, by the platform's ids."""

    def __init__(self, database: Database) -> None:
        """The same database as the turns'."""
        self._database = database

    async def languages(self, platform: Platform, workspace: str, person_id: str) -> tuple[str, str]:
        """Tell the languages that the person chose and that the workspace is set to; "" for none."""
        own = sa.select(people.c.language).where(
            people.c.platform == platform, people.c.person_id == person_id
        )
        common = sa.select(workspaces.c.language).where(
            workspaces.c.platform == platform, workspaces.c.workspace == workspace
        )
        async with self._database.transaction() as connection:
            found = sa.select(own.scalar_subquery(), common.scalar_subquery())
            row = (await connection.execute(found)).one()
        return row[0] or "", row[1] or ""

    async def choose(self, platform: Platform, person_id: str, language: str) -> None:
        """Keep the language that a person chose, "" for whatever they write in."""
        statement = insert(people).values(platform=platform, person_id=person_id, language=language)
        names = ["platform", "person_id"]
        async with self._database.transaction() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=names, set_={"language": language})
            )

    async def recent(
        self, platform: Platform, workspace: str, person_id: str, limit: int = 10
    ) -> Sequence[Thread]:
        """
        List the newest conversations of a workspace that a person asked something in, newest first.

        Each is titled by the person's own first words there: others' may be none of their business now.
        """
        mine, opening = _latest(person_id), _opening(person_id)
        found = (
            sa.select(conversations, opening.label("opening"))
            .join(mine, mine.c.conversation_id == conversations.c.id)
            .where(conversations.c.platform == platform, conversations.c.workspace == workspace)
            .order_by(mine.c.newest.desc())
            .limit(limit)
        )
        async with self._database.transaction() as connection:
            rows = (await connection.execute(found)).all()
        kept = [row for row in rows if row.opening is not None]
        return [
            Thread(as_conversation(row._mapping).channel, titled(row.opening), row.last_at) for row in kept
        ]


def _latest(person_id: str) -> sa.Subquery:
    """Choose the conversations of a person's latest turns, each with its newest."""
    latest = (
        sa.select(turns.c.id, turns.c.conversation_id)
        .where(turns.c.asker_id == person_id)
        .order_by(turns.c.id.desc())
        .limit(_LATEST_TURNS)
        .subquery()
    )
    return (
        sa.select(latest.c.conversation_id, sa.func.max(latest.c.id).label("newest"))
        .group_by(latest.c.conversation_id)
        .subquery()
    )


def _opening(person_id: str) -> sa.ScalarSelect[str]:
    return (
        sa.select(messages.c.text)
        .where(
            messages.c.conversation_id == conversations.c.id,
            messages.c.author_id == person_id,
            messages.c.turn_id.is_not(None),
            sa.not_(messages.c.said),
            messages.c.withdrawn_at.is_(None),
        )
        .order_by(messages.c.position)
        .limit(1)
        .scalar_subquery()
    )
