"""How long it takes to recall and to trim what a model reads, by how much is stored."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks.clock import percentile
from bot.app.ground import opened
from bot.config import read_settings
from bot.dialogue import Author, Channel, ChannelKind, Conversation, Message, Platform, Turn
from bot.memory.recall import Memory

SIZES = (10, 1_000, 100_000)
_BUDGET = 11_000
_TIMES = 60

# A talk between a person and the bot, one turn for each two messages.
_FILL = """
WITH held AS (
    INSERT INTO conversations (key, platform, workspace, place, kind, last_position, total_tokens)
    VALUES ('bench:' || :size, 'slack', 'T1', 'C' || :size, 'direct', :size + 1, 30 * (:size + 1))
    RETURNING id
), asked AS (
    INSERT INTO turns (conversation_id, asker_id, state)
    SELECT id, 'U1', CASE WHEN n = :size / 2 + 1 THEN 'answering' ELSE 'done' END
    FROM held, generate_series(1, :size / 2 + 1) AS n RETURNING id, conversation_id
), numbered AS (
    SELECT id, conversation_id, row_number() OVER (ORDER BY id) AS place FROM asked
)
INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id, author_name,
                      said, text, tokens, encoding, turn_id, sent_at)
SELECT t.conversation_id, 'bench:' || :size || ':' || n, n, 30 * n, n::text, 'U1', 'Ann', n % 2 = 0,
       'A line of talk of about thirty tokens, such as people write to a colleague: ' || n,
       30, 'o200k_base', t.id, now()
FROM generate_series(1, :size + 1) AS n JOIN numbered AS t ON t.place = (n + 1) / 2
"""


async def recalled(data: Path) -> dict[int, tuple[float, float]]:
    """Give the milliseconds of one recall, trimming included, by the number of stored messages."""
    settings = read_settings().model_copy(update={"data_dir": data})
    async with opened(settings) as ground:
        memory = Memory(ground.database, ground.counter)
        for size in SIZES:
            async with ground.database.transaction() as connection:
                await connection.execute(sa.text(_FILL), {"size": size})
        async with ground.database.transaction() as connection:
            await connection.execute(sa.text("ANALYZE messages"))
        return {size: await _timed(ground.database, memory, size) for size in SIZES}


async def _timed(database: object, memory: Memory, size: int) -> tuple[float, float]:
    turn = await _turn(database, size)
    taken = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        found = await memory.recall(turn, _BUDGET)
        taken.append(1000 * (time.monotonic() - begun))
        await asyncio.sleep(0)
    if len(found.lines) < min(size, _BUDGET // 40):
        raise AssertionError(f"only {len(found.lines)} lines of {size} were recalled")
    return percentile(taken, 0.5), percentile(taken, 0.95)


async def _turn(database: object, size: int) -> Turn:
    asked = sa.text("SELECT t.id, t.conversation_id FROM turns t JOIN conversations c ON c.id = "
                    "t.conversation_id WHERE c.key = :key AND t.state = 'answering'")  # fmt: skip
    async with database.transaction() as connection:  # type: ignore[attr-defined]
        row = (await connection.execute(asked, {"key": f"bench:{size}"})).one()
    place = Channel(Platform.SLACK, "T1", f"C{size}", kind=ChannelKind.DIRECT)
    question = Message(str(size + 1), place, Author("U1", "Ann"), "And what was that?", datetime.now(UTC))
    return Turn(row.id, Conversation(row.conversation_id, place), (question,), 1, 0, 1)
