"""Recalls what a model reads for one answer, and says why it is just that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Line, Manifest, Message, Role, Span, Turn
from bot.memory.context import Block, Weighed, fit, spans, summary_spans, uncovered
from bot.memory.database import Database
from bot.memory.models import calibrations, conversations, messages, spending, summary_blocks
from bot.memory.paths import Path, chain_before, newest_before
from bot.memory.places import branches
from bot.memory.rows import OVERHEAD
from bot.ports import TokenCounter


@dataclass(frozen=True, slots=True)
class Recalled:
    """
    What a model may read of a conversation: a summary of what is older, and the lines, question last.

    `people` are the names of those who speak in the lines, in order of appearance.
    """

    summary: str
    lines: tuple[Line, ...]
    people: tuple[str, ...]
    manifest: Manifest


class Memory:
    """What the engine asks the record."""

    def __init__(self, database: Database, counter: TokenCounter) -> None:
        """`counter` must count as the inbox counts."""
        self._database = database
        self._counter = counter

    async def recall(self, turn: Turn, budget: int) -> Recalled:
        """Recall the question and as much before it as fits `budget` counted tokens; the question always."""
        question, asked, shortened = self._question(turn, budget)
        async with self._database.transaction() as connection:
            path, blocks = await _path(connection, turn, max(budget - asked, 0))
            by_position = {row["position"]: row for row in path.earlier}
            weighed = [Weighed(row["position"], row["tokens"]) for row in path.earlier]
            live = {row["id"]: row for row in blocks}
            fitted = fit(weighed, [_block(row) for row in blocks], path.older, max(budget - asked, 0))
            start = fitted.whole[0].position if fitted.whole else _end(path)
            gaps = uncovered(path.first, start, fitted.blocks) if path.first < start else ()
            left_out = await _weigh_gaps(connection, turn, gaps, path)
        rows = [by_position[message.position] for message in fitted.whole]
        manifest = Manifest(
            whole=spans(fitted.whole),
            summarised=summary_spans(fitted.blocks),
            left_out=left_out,
            budget=budget,
            tokens=fitted.tokens + asked,
            shortened=shortened,
        )
        summary = "\n".join(live[block.id]["text"] for block in fitted.blocks)
        lines, people = _lines(rows, question)
        return Recalled(summary, lines, people, manifest)

    async def factor(self, model: str, unknown: float) -> float:
        """Say how many of the model's tokens one of ours costs; `unknown` where nothing was measured."""
        async with self._database.transaction() as connection:
            found = sa.select(calibrations.c.factor).where(calibrations.c.model == model)
            return (await connection.scalar(found)) or unknown

    async def calibrate(self, model: str, measured: float) -> None:
        """Note what one of our tokens cost the model: the factor rises at once and falls slowly."""
        statement = insert(calibrations).values(model=model, factor=measured)
        slowly = calibrations.c.factor * 0.9 + statement.excluded.factor * 0.1
        changed = {
            "factor": sa.func.greatest(statement.excluded.factor, slowly),
            "samples": calibrations.c.samples + 1,
            "updated_at": sa.func.now(),
        }
        async with self._database.transaction() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["model"], set_=changed))

    async def spent_today(self, turn: Turn) -> int:
        """Say how many tokens the workspace has used since midnight UTC."""
        channel = turn.conversation.channel
        today = sa.func.date(sa.func.timezone("UTC", sa.func.now()))
        found = sa.select(spending.c.tokens).where(
            spending.c.platform == channel.platform,
            spending.c.workspace == channel.workspace,
            spending.c.day == today,
        )
        async with self._database.transaction() as connection:
            return (await connection.scalar(found)) or 0

    def _question(self, turn: Turn, budget: int) -> tuple[tuple[Message, ...], int, bool]:
        """Keep the question, cut in its middle where it alone is over the budget; say what it weighs."""
        weights = [self._counter.count(f"{m.author.name}: {m.text}") + OVERHEAD for m in turn.question]
        if sum(weights) <= budget:
            return turn.question, sum(weights), False
        kept: list[Message] = []
        for message, weight in zip(turn.question, weights, strict=True):
            share = max(budget * weight // sum(weights) - OVERHEAD, 16)
            kept.append(_shortened(message, share / max(weight, 1)))
        return tuple(kept), budget, True


async def _path(connection: AsyncConnection, turn: Turn, room: int) -> tuple[Path, Sequence[sa.RowMapping]]:
    live = (
        sa.select(summary_blocks)
        .where(
            summary_blocks.c.conversation_id == turn.conversation.id,
            summary_blocks.c.folded_into.is_(None),
        )
        .order_by(summary_blocks.c.first_position)
    )
    blocks = [row._mapping for row in await connection.execute(live)]
    if branches(turn.conversation.channel):
        path = await chain_before(connection, turn)
        on_path = {row["id"] for row in path.earlier}
        return path, [block for block in blocks if block["last_message_id"] in on_path]
    found = sa.select(conversations.c.total_tokens).where(conversations.c.id == turn.conversation.id)
    total = (await connection.execute(found)).scalar_one()
    return await newest_before(connection, turn, total, room), blocks


def _block(row: sa.RowMapping) -> Block:
    return Block(row["id"], row["version"], row["first_position"], row["last_position"], row["tokens"])


def _end(path: Path) -> int:
    return path.earlier[-1]["position"] + 1 if path.earlier else path.first


async def _weigh_gaps(
    connection: AsyncConnection, turn: Turn, gaps: Sequence[tuple[int, int]], path: Path
) -> tuple[Span, ...]:
    """Tell what was left out, in spans with their tokens; on a path only what is on it."""
    if branches(turn.conversation.channel):
        rows = [row for row in path.earlier if any(a <= row["position"] <= b for a, b in gaps)]
        return spans([Weighed(row["position"], row["tokens"]) for row in rows])
    ends = sorted({end for gap in gaps for end in gap})
    found = sa.select(messages.c.position, messages.c.cumulative_tokens, messages.c.tokens).where(
        messages.c.conversation_id == turn.conversation.id, messages.c.position.in_(ends)
    )
    known = {row.position: row for row in await connection.execute(found)}
    return tuple(
        Span(a, b, known[b].cumulative_tokens - known[a].cumulative_tokens + known[a].tokens)
        for a, b in gaps
        if a in known and b in known
    )


def _lines(
    rows: Sequence[sa.RowMapping], question: Sequence[Message]
) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Make lines; where several people speak, each line begins with its speaker's name."""
    spoken = [(row["said"], row["author_id"], row["author_name"], row["text"], row["files"]) for row in rows]
    spoken += [(False, m.author.id, m.author.name, m.text, m.files) for m in question]
    names = {person: name for said, person, name, _, _ in spoken if not said}
    several = len(names) > 1
    lines = []
    for said, _, name, text, files in spoken:
        shown = text + "".join(f"\n[file: {file}]" for file in files)
        if said:
            lines.append(Line(Role.BOT, shown))
        else:
            lines.append(Line(Role.PERSON, f"{name}: {shown}" if several else shown, name))
    return tuple(lines), tuple(dict.fromkeys(names.values()))


def _shortened(message: Message, share: float) -> Message:
    """Keep the beginning and the end of a message, since a question stands in either."""
    length = max(int(len(message.text) * share * 0.9), 40)
    head = message.text[: length * 2 // 3]
    tail = message.text[-(length // 3) :]
    return Message(
        message.id,
        message.channel,
        message.author,
        f"{head}\n[…]\n{tail}",
        message.sent_at,
        files=message.files,
    )
