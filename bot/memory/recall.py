"""Recalls what a model reads for one answer, and says why it is just that."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.dialogue import Line, Manifest, Role, Span, Turn
from bot.memory.context import Block, Weighed, fit, spans, summary_spans, uncovered, without
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.paths import Path, chain_before, newest_before
from bot.memory.places import branches
from bot.memory.question import fitted
from bot.memory.rows import Row
from bot.memory.spending import Spending
from bot.memory.views import Spoken, Views
from bot.ports import TokenCounter

_FACTOR_SECONDS = 10.0  # others measure too
_CALM_SECONDS = 1.0
_SAME = 0.005  # of a factor: so much more or less changes nothing


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


@dataclass(frozen=True, slots=True)
class _Factor:
    """A model's factor, None where nothing was measured; when it was read and noted, in monotonic seconds."""

    factor: float | None
    read_at: float
    noted_at: float


class Memory:
    """What the engine asks the record."""

    def __init__(self, database: Database, counter: TokenCounter, calm: float = _CALM_SECONDS) -> None:
        """`counter` must count as the inbox counts; `calm` is how many seconds a factor stands at least."""
        self._database = database
        self._counter = counter
        self._calm = calm
        self._factors: dict[str, _Factor] = {}
        self._spending = Spending(database)

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Recalled:
        """
        Recall the question and as much before it as fits `budget` counted tokens; the question always.

        With `sees` False pictures are named without their data, and cost nothing.
        """
        async with self._database.snapshot() as run:
            views = Views(run, budget // 2 if sees else 0)
            asked_with = await views.of_question(turn)
            room = budget - views.tokens
            question = fitted(turn.question, asked_with, room, self._counter)
            room = max(room - question.tokens, 0)
            path, blocks = await _path(run, turn, room)
            await views.of_earlier(path.earlier)
            room = max(min(room, budget - views.tokens - question.tokens), 0)
            by_position = {row["position"]: row for row in path.earlier}
            weighed = [Weighed(row["position"], row["tokens"]) for row in path.earlier]
            live = {row["id"]: row for row in blocks}
            chosen = fit(weighed, [_block(row) for row in blocks], path.older, room)
            start = chosen.whole[0].position if chosen.whole else path.end
            gaps = without(uncovered(path.first, start, chosen.blocks), path.skipped)
            left_out = await _weigh_gaps(run, turn, gaps, path)
            rows = [by_position[message.position] for message in chosen.whole]
            spoken = [*map(views.line_of, rows), *views.asked(question)]
        manifest = Manifest(
            whole=spans(chosen.whole),
            summarised=summary_spans(chosen.blocks, start),
            left_out=left_out,
            budget=budget,
            tokens=chosen.tokens + question.tokens + views.tokens,
            shortened=question.shortened,
            files=tuple(name for one in spoken for name in one.files),
        )
        summary = "\n".join(text for block in chosen.blocks if (text := live[block.id]["text"]))
        lines, people = _lines(spoken)
        return Recalled(summary, lines, people, manifest)

    async def factor(self, model: str, unknown: float) -> float:
        """Say how many of the model's tokens one of ours costs; `unknown` where nothing was measured."""
        known = self._factors.get(model)
        if known is None or known.read_at + _FACTOR_SECONDS < time.monotonic():
            rows = await self._database.run(
                "SELECT factor FROM calibrations WHERE model = %(model)s", model=model
            )
            noted_at = known.noted_at if known else -math.inf
            known = _Factor(rows[0]["factor"] if rows else None, time.monotonic(), noted_at)
            self._factors[model] = known
        return known.factor or unknown

    async def calibrate(self, model: str, measured: float) -> None:
        """
        Note what one of our tokens cost the model: the factor rises at once and falls slowly.

        All answers of a model share the one row, so it falls by no more than a step a second.
        """
        known, now = self._factors.get(model), time.monotonic()
        if known is not None and math.isclose(measured, known.factor or 0.0, rel_tol=_SAME):
            return
        if known is None or measured > (known.factor or 0) or now - known.noted_at >= self._calm:
            rows = await self._database.run(_CALIBRATE, model=model, measured=measured)
            self._factors[model] = _Factor(rows[0]["factor"], now, now)

    async def spent_today(self, conversation_id: int) -> int:
        """Say how many tokens the conversation's workspace has used since midnight UTC."""
        return await self._spending.today(conversation_id)

    async def spend(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        """Count tokens, and dollars where known, to the day of its workspace; `settle` writes them down."""
        self._spending.add(conversation_id, tokens, cost)

    async def settle(self) -> None:
        """Write down what was spent since the last time."""
        await self._spending.settle()


_CALIBRATE = """
INSERT INTO calibrations AS known (model, factor) VALUES (%(model)s, %(measured)s)
ON CONFLICT (model) DO UPDATE
SET factor = greatest(excluded.factor, known.factor * 0.9 + excluded.factor * 0.1),
    samples = known.samples + 1, updated_at = now()
RETURNING factor
"""


async def _path(run: Run, turn: Turn, room: int) -> tuple[Path, Sequence[Row]]:
    blocks = await run(_BLOCKS, conversation=turn.conversation.id)
    if branches(turn.conversation.channel):
        path = await chain_before(run, turn)
        return path, [block for block in blocks if block["last_message_id"] in path.walked]
    return await newest_before(run, turn, room), blocks


def _block(row: Row) -> Block:
    return Block(row["id"], row["version"], row["first_position"], row["last_position"], row["tokens"])


async def _weigh_gaps(run: Run, turn: Turn, gaps: Sequence[tuple[int, int]], path: Path) -> tuple[Span, ...]:
    """Tell what was left out, in spans with their tokens; on a path only what is on it."""
    if branches(turn.conversation.channel):
        rows = [row for row in path.earlier if any(a <= row["position"] <= b for a, b in gaps)]
        return spans([Weighed(row["position"], row["tokens"]) for row in rows])
    if not gaps:
        return ()
    ends = sorted({end for gap in gaps for end in gap})
    found = await run(_WEIGHTS, conversation=turn.conversation.id, ends=ends)
    known = {row["position"]: row for row in found}
    return tuple(Span(a, b, known[b]["until"] - known[a]["before"]) for a, b in gaps)


# A block that waits to be told anew is not read.
_BLOCKS = """
SELECT * FROM summary_blocks
WHERE conversation_id = %(conversation)s AND folded_into IS NULL AND revisions_told >= revisions
ORDER BY first_position
"""

_WEIGHTS = """
SELECT position, cumulative_tokens AS until, cumulative_tokens - tokens AS before
FROM messages WHERE conversation_id = %(conversation)s AND position = ANY(%(ends)s)
"""


def _lines(spoken: Sequence[Spoken]) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Make lines; where several people speak, each line begins with its speaker's name."""
    names = _told_apart({one.author_id: one.author_name for one in spoken if not one.said})
    several = len(names) > 1
    lines = []
    for one in spoken:
        if one.said:
            lines.append(Line(Role.BOT, one.text))
        else:
            name = names[one.author_id]
            text = f"{name}: {one.text}" if several else one.text
            lines.append(Line(Role.PERSON, text, name, one.pictures))
    return tuple(lines), tuple(names.values())


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Number those who have the same name, by their ids, so that who is who does not change as they speak."""
    told: dict[str, str] = {}
    for person in sorted(names, key=lambda person: (len(person), person)):
        name, number = names[person], 2
        while name in told.values():
            name, number = f"{names[person]} ({number})", number + 1
        told[person] = name
    return {person: told[person] for person in names}
