"""Reads the scene in a thread, right before a message comes, for whoever decides whom it is for."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Scene, Spoken
from bot.memory.models import messages, turns

_LINES = 8
_COMPANY_LINES = 100
_LINE_CHARACTERS = 500


async def read_scene(connection: AsyncConnection, conversation_id: int, *, quiet: bool) -> Scene:
    """
    Read a thread's newest lines, and count the people of its newest hundred.

    Both by the index on positions, so that the cost is the same in a thread of any length.
    """
    here = (messages.c.conversation_id == conversation_id) & messages.c.withdrawn_at.is_(None)
    newest = messages.c.position.desc()
    lately = (
        sa.select(
            messages.c.author_id,
            messages.c.author_name,
            sa.func.left(messages.c.text, _LINE_CHARACTERS).label("text"),
            messages.c.sent_at,
            messages.c.said,
            messages.c.mentions_others,
            messages.c.turn_id,
            messages.c.position,
        )
        .where(here)
        .order_by(newest)
        .limit(_LINES)
        .subquery()
    )
    heard = sa.select(messages.c.author_id).where(here, sa.not_(messages.c.said))
    company = heard.order_by(newest).limit(_COMPANY_LINES).subquery()
    people = sa.select(sa.func.count(company.c.author_id.distinct())).scalar_subquery()
    answered = sa.select(turns.c.asker_id).where(turns.c.id == lately.c.turn_id).scalar_subquery()
    found = sa.select(lately, answered.label("answers"), people.label("people"))
    rows = (await connection.execute(found.order_by(lately.c.position))).all()
    return Scene(tuple(_spoken(row) for row in rows), rows[0].people if rows else 0, quiet)


def _spoken(row: sa.Row[tuple[object, ...]]) -> Spoken:
    kept = row._mapping
    return Spoken(
        kept["author_id"],
        kept["author_name"],
        kept["text"],
        kept["sent_at"],
        kept["said"],
        (kept["answers"] or "") if kept["said"] else "",
        kept["mentions_others"],
        asked=kept["turn_id"] is not None and not kept["said"],
    )
