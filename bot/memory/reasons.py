"""Tells why an answer is what it is, from its manifest and the messages that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Manifest, Reading, Reason, Span, SummarySpan, Why
from bot.memory.models import messages, summary_blocks, turns

_MOST_REASONS = 50
_PREVIEW_CHARACTERS = 120


async def explain(connection: AsyncConnection, turn: int) -> Why | None:
    """Read the record of one answer; None where there is no such turn."""
    row = (await connection.execute(sa.select(turns).where(turns.c.id == turn))).first()
    if row is None:
        return None
    manifest = _manifest(row.manifest or {})
    return Why(
        row.id,
        row.state,
        row.model,
        manifest,
        tuple(await _reasons(connection, row, manifest)),
        row.prompt_tokens or 0,
        row.completion_tokens or 0,
        row.attempts,
        row.seconds or 0.0,
        row.first_text_seconds,
        row.reasoning_tokens or 0,
        row.cost,
        row.manifest is None and row.finished_at is not None,
    )


def _manifest(kept: Mapping[str, Any]) -> Manifest:
    """Read a manifest as JSON keeps it; what an older program did not write has its default."""
    simple = {
        name: kept[name] for name in ("budget", "tokens", "factor", "shortened", "model") if name in kept
    }
    return Manifest(
        whole=tuple(Span(**span) for span in kept.get("whole", ())),
        summarised=tuple(SummarySpan(**span) for span in kept.get("summarised", ())),
        left_out=tuple(Span(**span) for span in kept.get("left_out", ())),
        notes=tuple(kept.get("notes", ())),
        files=tuple(kept.get("files", ())),
        **simple,
    )


async def _reasons(
    connection: AsyncConnection, row: sa.Row[tuple[object, ...]], manifest: Manifest
) -> Sequence[Reason]:
    left_out = [
        Reason(Reading.LEFT_OUT, "", f"{span.first} – {span.last}", span.tokens) for span in manifest.left_out
    ]
    blocks = await _blocks(connection, manifest)
    whole = await _whole(connection, row, manifest)
    return [*left_out, *blocks, *whole][-_MOST_REASONS:]


async def _blocks(connection: AsyncConnection, manifest: Manifest) -> Sequence[Reason]:
    numbers = [span.block for span in manifest.summarised]
    told = summary_blocks.c.revisions_told >= summary_blocks.c.revisions
    found = sa.select(summary_blocks).where(summary_blocks.c.id.in_(numbers), told)
    rows = await connection.execute(found.order_by(summary_blocks.c.first_position))
    return [Reason(Reading.SUMMARY, "", _preview(row.text), row.tokens) for row in rows]


async def _whole(
    connection: AsyncConnection, row: sa.Row[tuple[object, ...]], manifest: Manifest
) -> Sequence[Reason]:
    """Read the newest of the messages that went in whole, and after them the question."""
    ranges = [messages.c.position.between(span.first, span.last) for span in manifest.whole]
    asked = sa.func.coalesce(messages.c.turn_id == row.id, sa.false()) & sa.not_(messages.c.said)
    found = (
        sa.select(messages, asked.label("asked"))
        .where(
            messages.c.conversation_id == row.conversation_id,
            messages.c.withdrawn_at.is_(None),
            sa.or_(asked, *ranges),
        )
        .order_by(sa.desc("asked"), messages.c.position.desc())
        .limit(_MOST_REASONS)
    )
    rows = reversed((await connection.execute(found)).all())
    return [Reason(Reading.WHOLE, kept.author_name, _preview(kept.text), kept.tokens) for kept in rows]


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW_CHARACTERS else line[: _PREVIEW_CHARACTERS - 1].rstrip() + "…"
