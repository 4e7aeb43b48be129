"""Summary blocks: what is folded when, once, and never what is still asked."""

from __future__ import annotations

import asyncio

from bot.dialogue import Platform, Role, Stretch
from tests.memory.conftest import BEN, OPEN, THREAD, Record, edited, message

BUDGET = 120
LIVE = """
    SELECT * FROM summary_blocks WHERE conversation_id = :id AND folded_into IS NULL ORDER BY first_position
"""


COPIES = """
    WITH held AS (
        UPDATE conversations
        SET last_position = last_position + 2 * :more, total_tokens = total_tokens + 12 * :more
        WHERE id = :id
        RETURNING id, last_position - 2 * :more AS position, total_tokens - 12 * :more AS tokens
    )
    INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
                          author_name, said, text, tokens, encoding, sent_at)
    SELECT held.id, 'talk:' || held.position + n, held.position + n, held.tokens + 6 * n, 'talk' || n,
           one.author_id, one.author_name, one.said, left(one.text, 1) || (n + 1) / 2, 6, one.encoding, now()
    FROM held, generate_series(1, 2 * :more) AS n
    JOIN messages AS one ON one.position = 2 - n % 2 AND one.conversation_id = :id
    ORDER BY n
"""


async def talk(record: Record, exchanges: int, conversation: int = 0) -> int:
    """Hold so many exchanges of twelve tokens each: the first as ever, the others by copying its rows."""
    if not conversation:
        conversation = (await record.exchange(message("q0", THREAD), "a0", THREAD)).conversation.id
        exchanges -= 1
    await record.rows(COPIES, id=conversation, more=exchanges)
    return conversation


async def fold(record: Record, conversation: int, budget: int = BUDGET) -> int:
    """Fold all that is to be folded, as a worker does; count the blocks made."""
    made = 0
    while (stretch := await record.summaries.next_stretch(conversation, budget)) is not None:
        await record.summaries.add(stretch, f"told {stretch.first} to {stretch.last}")
        made += 1
    return made


async def test_a_short_conversation_is_not_folded(record: Record) -> None:
    conversation = await talk(record, 7)
    assert not await record.summaries.is_due(conversation, BUDGET)
    assert await record.summaries.next_stretch(conversation, BUDGET) is None
    assert not await record.summaries.is_due(10**9, BUDGET)


async def test_folding_begins_before_anything_falls_out_and_takes_the_oldest(record: Record) -> None:
    conversation = await talk(record, 8)
    assert await record.summaries.is_due(conversation, BUDGET)
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    assert (stretch.level, stretch.first, stretch.last, stretch.covered_tokens) == (0, 1, 5, 30)
    assert [(line.role, line.text) for line in stretch.lines[:2]] == [
        (Role.PERSON, "Ada: q0"),
        (Role.BOT, "a0"),
    ]
    last = await record.value("SELECT id FROM messages WHERE position = 5")
    assert stretch.last_message_id == last
    await record.summaries.add(stretch, "told shortly indeed")
    assert not await record.summaries.is_due(conversation, BUDGET)
    (block,) = await record.rows(LIVE, id=conversation)
    assert (block["text"], block["tokens"], block["version"]) == ("told shortly indeed", 3, 1)


async def test_what_is_still_asked_is_never_folded(record: Record) -> None:
    turn = await record.claimed(message("word " * 200, THREAD), channel=THREAD)
    conversation = turn.conversation.id
    for _ in range(3):
        await record.inbox.accept(message("more " * 50, THREAD, BEN))
    assert await record.summaries.is_due(conversation, BUDGET)
    assert await record.summaries.next_stretch(conversation, BUDGET) is None
    await record.shelf.keep(turn.conversation, [message("before", THREAD, BEN)])
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    assert (stretch.first, stretch.last) == (0, 0)


async def test_a_message_over_the_share_is_a_stretch_of_its_own(record: Record) -> None:
    await record.exchange(message("word " * 300, THREAD), "a", THREAD)
    conversation = await talk(record, 1)
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    assert (stretch.first, stretch.last, stretch.covered_tokens) == (1, 1, 305)


async def test_two_folds_at_once_make_one_block(record: Record, another: Record) -> None:
    conversation = await talk(record, 8)
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    shorter = await another.summaries.next_stretch(conversation, BUDGET - 24)
    assert stretch is not None
    assert shorter is not None
    assert shorter.last < stretch.last
    doors = [(record, stretch), (another, shorter)] * 5
    numbers = await asyncio.gather(*(door.summaries.add(one, "told") for door, one in doors))
    assert len(set(numbers)) == 1
    assert await record.value("SELECT count(*) FROM summary_blocks") == 1


async def test_a_fold_that_comes_late_adds_nothing_to_what_was_merged(record: Record) -> None:
    conversation = await talk(record, 8)
    late = await record.summaries.next_stretch(conversation, BUDGET)
    assert late is not None
    stale: list[Stretch] = []
    for _ in range(40):
        await talk(record, 1, conversation)
        while (stretch := await record.summaries.next_stretch(conversation, BUDGET)) is not None:
            stale.append(stretch)
            await record.summaries.add(stretch, "told")
    assert any(stretch.merges for stretch in stale)
    before = await record.rows("SELECT * FROM summary_blocks ORDER BY id")
    for stretch in [late, *stale]:
        assert await record.summaries.add(stretch, "told late")
    assert await record.rows("SELECT * FROM summary_blocks ORDER BY id") == before


async def test_blocks_stay_few_and_cover_without_gaps(record: Record) -> None:
    conversation, most, ends = 0, 0, 0
    for _ in range(45):
        conversation = await talk(record, 1, conversation)
        await fold(record, conversation, 24)
        live = await record.rows(LIVE, id=conversation)
        most = max(most, len(live))
        at = 1
        for block in live:
            assert block["first_position"] == at
            at = block["last_position"] + 1
        assert at >= ends
        ends = at
    assert ends > 75
    assert most <= 3 * 8
    covered = sum(block["covered_tokens"] for block in await record.rows(LIVE, id=conversation))
    weighed = "SELECT sum(tokens) FROM messages WHERE position < :end"
    assert covered == await record.value(weighed, end=ends)


async def test_a_fold_that_was_cut_short_goes_on(record: Record, another: Record) -> None:
    conversation = await talk(record, 16)
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    await record.summaries.add(stretch, "told")
    abandoned = await record.summaries.next_stretch(conversation, BUDGET)
    assert abandoned is not None
    assert abandoned.first == stretch.last + 1
    assert await another.summaries.next_stretch(conversation, BUDGET) == abandoned
    assert await fold(another, conversation) >= 1
    assert not await another.summaries.is_due(conversation, BUDGET)


async def test_folding_is_ordered_once(record: Record) -> None:
    conversation = await talk(record, 8)
    for _ in range(2):
        await record.summaries.order(conversation, Platform.SLACK)
    jobs = await record.rows("SELECT * FROM procrastinate_jobs WHERE task_name = 'fold'")
    assert [(job["lock"], job["queue_name"]) for job in jobs] == [(f"fold:{conversation}", "slack")]


async def branch(record: Record, parent: str, names: str) -> int:
    """Let messages follow each other by reply, each of five words; give their conversation."""
    conversation = 0
    for name in names:
        asked = message(f"{name} {name} {name} {name} {name}", OPEN, id=str(ord(name)), reply_to=parent)
        conversation = (await record.exchange(asked, f"answer to {name}", OPEN)).conversation.id
        parent = asked.id
    return conversation


async def told_texts(record: Record) -> str:
    """What has been told so far, by the positions that each block names."""
    return " ".join(str(row["text"]) for row in await record.rows("SELECT text FROM summary_blocks"))


async def test_a_reply_chain_is_folded_along_its_path(record: Record) -> None:
    conversation = await branch(record, "", "abcdefghijkl")
    assert await record.summaries.is_due(conversation, BUDGET)
    assert await fold(record, conversation)
    assert not await record.summaries.is_due(conversation, BUDGET)
    turn = await record.claimed(message("asked", OPEN, id="900", reply_to=str(ord("l"))), channel=OPEN)
    recalled = await record.memory.recall(turn, BUDGET)
    assert "told 1 to" in recalled.summary
    assert recalled.manifest.left_out == ()
    assert recalled.manifest.tokens <= BUDGET


async def test_a_branch_never_reads_what_was_told_of_another(record: Record) -> None:
    conversation = await branch(record, "", "abcdefghijkl")
    await fold(record, conversation)
    left = await told_texts(record)
    assert await branch(record, str(ord("b")), "mnopqrstuvwx") == conversation
    while (stretch := await record.summaries.next_stretch(conversation, BUDGET)) is not None:
        lines = " ".join(line.text for line in stretch.lines)
        assert not any(f"{name} {name} {name}" in lines for name in "cdefghijkl")
        await record.summaries.add(stretch, "told of the right")
    assert (await told_texts(record)).startswith(left)
    turn = await record.claimed(message("asked", OPEN, id="900", reply_to=str(ord("x"))), channel=OPEN)
    recalled = await record.memory.recall(turn, BUDGET)
    assert set(recalled.summary.splitlines()) == {"told of the right"}
    assert recalled.manifest.left_out == ()
    assert "x x x" in recalled.lines[-2].text


async def test_an_edit_in_a_chain_is_told_anew_from_its_own_path(record: Record) -> None:
    conversation = await branch(record, "", "abcdefghijkl")
    await fold(record, conversation)
    await branch(record, str(ord("a")), "mno")
    first = message("b b b b b", OPEN, id=str(ord("b")), reply_to=str(ord("a")))
    await record.inbox.accept(edited(first, "other words"))
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    assert stretch.rebuilds
    told = " ".join(line.text for line in stretch.lines)
    assert "other words" in told
    assert "m m m" not in told


async def test_what_was_folded_is_recalled_as_a_summary(record: Record) -> None:
    conversation = await talk(record, 12)
    assert await fold(record, conversation)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, BUDGET)
    assert recalled.summary.startswith("told 1 to")
    assert recalled.manifest.left_out == ()
    assert recalled.manifest.tokens <= BUDGET
    assert recalled.manifest.summarised[0].first == 1


async def test_an_edit_has_every_block_that_covers_it_told_anew(record: Record) -> None:
    first = message("secret", THREAD)
    conversation = (await record.exchange(first, "a", THREAD)).conversation.id
    while not await record.rows("SELECT 1 FROM summary_blocks WHERE level > 0"):
        await talk(record, 1, conversation)
        await fold(record, conversation, 24)
    blocks = await record.rows("SELECT * FROM summary_blocks WHERE first_position = 1 ORDER BY level")
    assert [block["level"] for block in blocks] == [0, 1]
    await record.rows("DELETE FROM procrastinate_jobs")
    await record.inbox.accept(edited(first, "harmless"))
    jobs = await record.rows("SELECT lock FROM procrastinate_jobs")
    assert [job["lock"] for job in jobs] == [f"fold:{conversation}"]
    stretch = await record.summaries.next_stretch(conversation, 24)
    assert stretch is not None
    assert stretch.rebuilds == blocks[0]["id"]
    assert stretch.lines[0].text == "Ada: harmless"
    await record.summaries.add(stretch, "anew below")
    above = await record.summaries.next_stretch(conversation, 24)
    assert above is not None
    assert (above.rebuilds, above.lines[0].text) == (blocks[1]["id"], "anew below")
    await record.summaries.add(above, "anew above")
    assert await record.summaries.next_stretch(conversation, 24) is None
    told = await record.rows("SELECT * FROM summary_blocks WHERE first_position = 1 ORDER BY level")
    assert [(block["id"], block["version"]) for block in told] == [(block["id"], 2) for block in blocks]
    assert [block["text"] for block in told] == ["anew below", "anew above"]
    assert told[0]["folded_into"] == told[1]["id"]


async def test_an_edit_while_a_block_is_told_has_it_told_again(record: Record) -> None:
    first = message("frist", THREAD)
    conversation = (await record.exchange(first, "a", THREAD)).conversation.id
    await talk(record, 8, conversation)
    stretch = await record.summaries.next_stretch(conversation, BUDGET)
    assert stretch is not None
    await record.inbox.accept(edited(first, "first"))
    await record.summaries.add(stretch, "with the old text")
    again = await record.summaries.next_stretch(conversation, BUDGET)
    assert again is not None
    assert again.lines[0].text == "Ada: first"
    await record.inbox.accept(edited(first, "first of all", seconds=90))
    await record.summaries.add(again, "with the second text")
    last = await record.summaries.next_stretch(conversation, BUDGET)
    assert last is not None
    assert last.lines[0].text == "Ada: first of all"
    await record.summaries.add(last, "with the last text")
    assert await record.summaries.next_stretch(conversation, BUDGET) is None
    assert await record.value("SELECT version FROM summary_blocks") == 3
