"""Changes what a kept message weighs: the counts behind it move, and summaries that cover it are outdated."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Platform
from bot.memory.models import conversations, messages, summary_blocks
from bot.memory.news import wake


async def reweigh(
    connection: AsyncConnection, message_id: int, tokens: int, *, told_anew: bool = True
) -> None:
    """
    Let a message weigh `tokens`, and move the cumulative counts behind it and its conversation's total.

    The conversation's row has to be locked. The cost is linear in the messages behind it. Where its text
    changed (`told_anew`), the summaries that cover it are told anew in the background, and not read before.
    """
    row = (
        await connection.execute(
            sa.select(messages.c.conversation_id, messages.c.position, messages.c.tokens).where(
                messages.c.id == message_id
            )
        )
    ).one()
    more = tokens - row.tokens
    if more:
        await connection.execute(messages.update().where(messages.c.id == message_id).values(tokens=tokens))
        behind = (messages.c.conversation_id == row.conversation_id) & (messages.c.position >= row.position)
        await connection.execute(
            messages.update().where(behind).values(cumulative_tokens=messages.c.cumulative_tokens + more)
        )
        await connection.execute(
            conversations.update()
            .where(conversations.c.id == row.conversation_id)
            .values(total_tokens=conversations.c.total_tokens + more)
        )
    if told_anew:
        await outdate(connection, row.conversation_id, row.position)


async def outdate(connection: AsyncConnection, conversation_id: int, position: int) -> None:
    """Have the summaries that cover a position told anew."""
    covering = summary_blocks.update().where(
        summary_blocks.c.conversation_id == conversation_id,
        summary_blocks.c.first_position <= position,
        summary_blocks.c.last_position >= position,
    )
    more = covering.values(revisions=summary_blocks.c.revisions + 1)
    if (await connection.execute(more.returning(summary_blocks.c.id))).all():
        found = sa.select(conversations.c.platform).where(conversations.c.id == conversation_id)
        platform = Platform((await connection.execute(found)).scalar_one())
        await wake(connection, "fold", conversation_id, platform)
