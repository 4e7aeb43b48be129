"""What a message weighs, and what moves with it."""

from __future__ import annotations

import pytest

from bot.memory.weights import reweigh
from tests.memory.conftest import THREAD, Record, message

WEIGHTS = "SELECT tokens, cumulative_tokens AS counted FROM messages ORDER BY position"


@pytest.mark.parametrize("tokens", [0, 6, 60])
async def test_the_counts_behind_a_message_move_with_its_weight(record: Record, tokens: int) -> None:
    for number in range(3):
        await record.exchange(message(f"word {number}", THREAD), "yes", THREAD)
    before = [row["counted"] for row in await record.rows(WEIGHTS)]
    (second, weight) = (await record.rows("SELECT id, tokens FROM messages WHERE text = 'word 1'"))[
        0
    ].values()
    async with record.database.transaction() as connection:
        await reweigh(connection, second, tokens)
    more = tokens - weight
    after = [row["counted"] for row in await record.rows(WEIGHTS)]
    assert after == [*before[:2], *(count + more for count in before[2:])]
    await record.adds_up()


@pytest.mark.parametrize(("told_anew", "outdated"), [(True, 1), (False, 0)])
async def test_summaries_are_told_anew_where_the_text_changed(
    record: Record, told_anew: bool, outdated: int
) -> None:
    for number in range(8):
        await record.exchange(message(f"word {number}", THREAD), "yes", THREAD)
    conversation = int(await record.value("SELECT id FROM conversations"))
    stretch = await record.summaries.next_stretch(conversation, 40)
    assert stretch is not None
    await record.summaries.add(stretch, "told")
    first = await record.value("SELECT id FROM messages WHERE text = 'word 0'")
    async with record.database.transaction() as connection:
        await reweigh(connection, first, 9, told_anew=told_anew)
    found = "SELECT count(*) FROM summary_blocks WHERE revisions_told < revisions"
    assert await record.value(found) == outdated
    folds = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'fold'"
    assert await record.value(folds) == outdated
