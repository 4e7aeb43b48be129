"""What a model reads for one answer, and the account of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogue import Author, Channel, File, Manifest, Piece, Role, Span, SummarySpan, Turn
from bot.generation.tokens import TiktokenCounter
from bot.memory.recall import Memory
from tests.memory.conftest import ADA, BEN, OPEN, THREAD, Open, Record, done, edited, message

PLENTY = 10_000
ASIDE: dict[str, Any] = {"author": BEN, "mentions_bot": False, "mentions_others": True}


def positions(manifest: Manifest) -> list[int]:
    """List every position that a manifest tells of."""
    spans: list[Span | SummarySpan] = [*manifest.whole, *manifest.summarised, *manifest.left_out]
    return sorted(position for span in spans for position in range(span.first, span.last + 1))


async def test_a_question_alone_is_all_there_is(record: Record) -> None:
    turn = await record.claimed(message("hello there", THREAD, files=(File("a.txt"),)), channel=THREAD)
    recalled = await record.memory.recall(turn, PLENTY)
    (line,) = recalled.lines
    assert (line.role, line.text, line.author) == (Role.PERSON, "hello there\n[file: a.txt]", "Ada")
    assert recalled.people == ("Ada",)
    assert recalled.summary == ""
    assert recalled.manifest == Manifest(budget=PLENTY, tokens=5 + 4)


async def test_what_fits_is_read_in_order_with_the_question_last(record: Record) -> None:
    await record.exchange(message("q1", THREAD), "a1", THREAD)
    await record.exchange(message("q2", THREAD), "a2", THREAD)
    turn = await record.claimed(message("q3", THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, PLENTY)
    assert [line.text for line in recalled.lines] == ["q1", "a1", "q2", "a2", "q3"]
    assert [line.role for line in recalled.lines] == [Role.PERSON, Role.BOT] * 2 + [Role.PERSON]
    (whole,) = recalled.manifest.whole
    assert (whole.first, whole.last, whole.tokens) == (1, 4, 24)
    assert recalled.manifest.tokens == 30


async def test_people_of_the_same_name_are_told_apart_and_stay_who_they_are(record: Record) -> None:
    older, younger, third = (Author(f"U{number}", "Alex") for number in (3, 20, 100))
    await record.asked(message("I am first", THREAD, younger))
    await record.asked(message("I am second", THREAD, older))
    turn = await record.claimed(message("me too", THREAD, replace(third, name="Alex (2)")), channel=THREAD)
    for _ in range(2):
        following = await record.turns.finish(turn, done("hello"))
        assert following is not None
        turn = following
    recalled = await record.memory.recall(turn, PLENTY)
    spoken = [line.text for line in recalled.lines if line.role is Role.PERSON]
    assert spoken == ["Alex (2): I am first", "Alex: I am second", "Alex (2) (2): me too"]
    assert [line.author for line in recalled.lines if line.author] == list(recalled.people)


async def test_several_people_are_told_apart_by_name(record: Record) -> None:
    await record.exchange(message("q1", THREAD), "a1", THREAD)
    turn = await record.claimed(message("q2", THREAD, BEN), channel=THREAD)
    recalled = await record.memory.recall(turn, PLENTY)
    assert [line.text for line in recalled.lines] == ["Ada: q1", "a1", "Ben: q2"]
    assert recalled.people == ("Ada", "Ben")


async def test_what_came_later_is_not_read(record: Record) -> None:
    turn = await record.claimed(message("q1", THREAD), channel=THREAD)
    await record.inbox.accept(message("q2", THREAD, BEN))
    recalled = await record.memory.recall(turn, PLENTY)
    assert [line.text for line in recalled.lines] == ["q1"]
    following = await record.turns.finish(turn, done("a1"))
    assert following is not None
    recalled = await record.memory.recall(following, PLENTY)
    assert [line.text for line in recalled.lines] == ["Ada: q1", "a1", "Ben: q2"]
    assert positions(recalled.manifest) == [1, 3]


async def test_what_does_not_fit_is_told_of_as_left_out(record: Record) -> None:
    for number in range(5):
        await record.exchange(message(f"q{number}", THREAD), f"a{number}", THREAD)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, 6 + 20)
    assert [line.text for line in recalled.lines] == ["a3", "q4", "a4", "asked"]
    (left,) = recalled.manifest.left_out
    assert (left.first, left.last, left.tokens) == (1, 7, 42)
    assert recalled.manifest.tokens == 24 <= recalled.manifest.budget


async def test_a_question_that_fills_the_budget_leaves_all_else_out(record: Record) -> None:
    await record.exchange(message("q1", THREAD), "a1", THREAD)
    turn = await record.claimed(message("word " * 100, THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, 50)
    (line,) = recalled.lines
    assert line.text.startswith("word word")
    assert line.text.rstrip().endswith("word")
    assert "[…]" in line.text
    assert recalled.manifest.shortened
    assert recalled.manifest.tokens <= 50
    assert [(span.first, span.last) for span in recalled.manifest.left_out] == [(1, 2)]


@pytest.mark.parametrize(
    "text",
    ["x" * 40_000, "🎉" * 20_000 + " " * 20_000, "汉字" * 20_000, "a b " * 10_000, "1\n" * 20_000],
    ids=["one word", "dense first", "chinese", "words", "lines"],
)
async def test_a_long_question_is_shortened_by_real_tokens(
    record: Record, tokens: TiktokenCounter, text: str
) -> None:
    memory = Memory(record.database, tokens)
    turn = await record.claimed(message(text, THREAD), channel=THREAD)
    recalled = await memory.recall(turn, 500)
    assert recalled.manifest.shortened
    assert 100 < recalled.manifest.tokens <= 500
    assert tokens.count(recalled.lines[-1].text) <= 500


async def test_of_a_long_question_short_parts_are_not_doubled(record: Record) -> None:
    await record.inbox.accept(message("word " * 500, THREAD))
    turn = await record.claimed(message("please", THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, 100)
    assert recalled.lines[-1].text == "please"
    assert recalled.manifest.tokens <= 100


async def test_an_edited_message_is_read_and_weighed_as_it_is_now(record: Record) -> None:
    early = message("one", THREAD)
    await record.exchange(early, "two", THREAD)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    await record.inbox.accept(edited(early, "word " * 50))
    recalled = await record.memory.recall(turn, 30)
    assert [line.text for line in recalled.lines] == ["two", "asked"]
    (left,) = recalled.manifest.left_out
    assert (left.first, left.last, left.tokens) == (1, 1, 55)


async def test_in_a_reply_chain_what_is_left_out_is_on_the_path(record: Record) -> None:
    turn = await record.claimed(message("root", OPEN, id="11"), channel=OPEN)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "answer"))
    await receipts.sent(Piece(0, "answer"), "21")
    await record.turns.finish(turn, done("answer"))
    await record.exchange(message("beside", OPEN, id="12", reply_to="11"), "beside", OPEN)
    asked = await record.claimed(message("asked", OPEN, id="13", reply_to="21"), channel=OPEN)
    recalled = await record.memory.recall(asked, PLENTY)
    assert [line.text for line in recalled.lines] == ["root", "answer", "asked"]
    assert positions(recalled.manifest) == [1, 2]
    recalled = await record.memory.recall(asked, 12)
    assert [line.text for line in recalled.lines] == ["answer", "asked"]
    assert [(span.first, span.last) for span in recalled.manifest.left_out] == [(1, 1)]


async def test_summaries_stand_for_what_is_not_whole(record: Record) -> None:
    for number in range(6):
        await record.exchange(message(f"q{number}", THREAD), f"a{number}", THREAD)
    turn = await record.claimed(message("asked", THREAD), channel=THREAD)
    conversation = turn.conversation.id
    await _block(record, conversation, 1, 4, "early days")
    await _block(record, conversation, 5, 8, "later days")
    recalled = await record.memory.recall(turn, 6 + 40)
    assert recalled.summary == "early days\nlater days"
    assert positions(recalled.manifest) == list(range(1, 13))
    whole, second = recalled.manifest.whole[0].first, recalled.manifest.summarised[1]
    assert (whole, second.first, second.last) == (7, 5, 6)
    assert recalled.manifest.tokens <= 46


async def _block(record: Record, conversation: int, first: int, last: int, text: str) -> None:
    query = """
        INSERT INTO summary_blocks (conversation_id, first_position, last_position, last_message_id,
                                    covered_tokens, text, tokens)
        VALUES (:id, :first, :last, 0, 24, :text, :tokens)
    """
    tokens = len(text.split())
    await record.rows(query, id=conversation, first=first, last=last, text=text, tokens=tokens)


async def _walk(record: Record, channel: Channel, before: int, walk: Sequence[str]) -> Turn:
    """Let people and the bot talk, and take up a turn at the end."""
    open_turn: Turn | None = await record.claimed(message("begin", channel), channel=channel)
    assert open_turn is not None
    conversation = open_turn.conversation
    await record.shelf.keep(conversation, [message(f"h{number}", channel, BEN) for number in range(before)])
    spoken: dict[str, dict[str, Any]] = {"ada": {"author": ADA}, "ben": {"author": BEN}, "aside": ASIDE}
    for step in walk:
        if step in spoken:
            await record.inbox.accept(message(f"from {step}", channel, **spoken[step]))
        elif open_turn is not None:
            open_turn = await record.turns.finish(await record.turns.reload(open_turn), done("said"))
        else:
            open_turn = await record.turns.claim(conversation.id)
    open_turn = open_turn or await record.turns.claim(conversation.id)
    if open_turn is None:
        return await record.claimed(message("at last", channel), channel=channel)
    return await record.turns.reload(open_turn)


steps = st.lists(st.sampled_from(["ada", "ben", "aside", "answer", "claim"]), max_size=14)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.integers(0, 4),
    walk=steps,
    blocks=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=3),
    budgets=st.lists(st.integers(6, 90), min_size=3, max_size=3),
)
async def test_every_earlier_message_is_told_of_exactly_once(
    record: Record, before: int, walk: list[str], blocks: Sequence[tuple[int, int]], budgets: list[int]
) -> None:
    turn = await _walk(record, replace(THREAD, root=message().id), before, walk)
    conversation = turn.conversation
    at = 1 - before
    lowest = int(await record.value("SELECT min(position) FROM messages WHERE turn_id = :id", id=turn.id))
    for gap, length in blocks:
        if at + gap + length < lowest:
            await _block(record, conversation.id, at + gap, at + gap + length, "told shortly")
            at += gap + length + 1
    earlier = """
        SELECT position FROM messages WHERE conversation_id = :id AND (turn_id < :turn OR (turn_id IS NULL
        AND position < (SELECT max(position) FROM messages WHERE turn_id = :turn))) ORDER BY position
    """
    before_it = [row["position"] for row in await record.rows(earlier, id=conversation.id, turn=turn.id)]
    every = await record.rows("SELECT * FROM messages WHERE conversation_id = :id", id=conversation.id)
    weights = {row["position"]: row["tokens"] for row in every}
    for budget in budgets:
        recalled = await record.memory.recall(turn, budget)
        assert positions(recalled.manifest) == before_it
        assert recalled.lines[-1].text.endswith(turn.asked.text)
        spoken = sum(span.last - span.first + 1 for span in recalled.manifest.whole)
        assert len(recalled.lines) == spoken + len(turn.question)
        assert recalled.manifest.shortened or recalled.manifest.tokens <= budget
        for span in [*recalled.manifest.whole, *recalled.manifest.left_out]:
            assert span.tokens == sum(weights[position] for position in range(span.first, span.last + 1))


async def test_a_model_s_factor_rises_at_once_and_falls_slowly(record: Record) -> None:
    memory = Memory(record.database, record.counter, calm=0)
    assert await memory.factor("m", 1.3) == 1.3
    await memory.calibrate("m", 1.1)
    assert await memory.factor("m", 1.3) == pytest.approx(1.1)
    await memory.calibrate("m", 2.0)
    assert await memory.factor("m", 1.3) == pytest.approx(2.0)
    await memory.calibrate("m", 1.0)
    assert await memory.factor("m", 1.3) == pytest.approx(1.9)
    for _ in range(80):
        await memory.calibrate("m", 1.0)
    assert await memory.factor("m", 1.3) == pytest.approx(1.0, abs=0.01)
    assert await memory.factor("other", 1.3) == 1.3


async def test_many_answers_of_a_model_at_once_write_its_factor_once(record: Record) -> None:
    await record.memory.calibrate("m", 1.1)
    for measured in (1.0, 1.05, 1.1):
        await record.memory.calibrate("m", measured)
    assert await record.value("SELECT samples FROM calibrations") == 1
    await record.memory.calibrate("m", 1.2)
    await record.memory.calibrate("m", 1.201)
    assert await record.rows("SELECT factor, samples FROM calibrations") == [{"factor": 1.2, "samples": 2}]
