"""Why an answer is what it is."""

from __future__ import annotations

from bot.dialogue import Answer, Manifest, Outcome, Reading, Span, SummarySpan, Usage
from tests.memory.conftest import THREAD, Record, done, message


async def test_an_answer_s_reasons_are_told_in_order(record: Record) -> None:
    for number in range(3):
        await record.exchange(message(f"q{number}", THREAD), f"a{number}", THREAD)
    turn = await record.claimed(message("and   now?\n" + "x" * 200, THREAD), channel=THREAD)
    recalled = await record.memory.recall(turn, 40)
    usage = Usage(70, 9)
    await record.turns.finish(
        turn, done("yes", model="m", usage=usage, manifest=recalled.manifest, seconds=2.5)
    )
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert (why.turn, why.outcome, why.model, why.attempts, why.seconds) == (turn.id, "done", "m", 1, 2.5)
    assert (why.prompt_tokens, why.completion_tokens) == (70, 9)
    assert why.manifest == recalled.manifest
    left_out = [reason for reason in why.reasons if reason.reading is Reading.LEFT_OUT]
    whole = [reason for reason in why.reasons if reason.reading is Reading.WHOLE]
    assert list(why.reasons) == [*left_out, *whole]
    assert [reason.tokens for reason in left_out] == [6]
    assert [reason.text for reason in whole[:-1]] == ["a0", "q1", "a1", "q2", "a2"]
    assert (whole[-1].author, whole[-1].text[:10], len(whole[-1].text)) == ("Ada", "and now? x", 120)


async def test_a_summary_that_was_read_is_among_the_reasons(record: Record) -> None:
    turn = await record.claimed(message("hello", THREAD), channel=THREAD)
    block = """
        INSERT INTO summary_blocks (conversation_id, first_position, last_position, last_message_id,
                                    covered_tokens, text, tokens)
        VALUES (:id, -9, 0, 0, 50, 'they greeted each other', 4) RETURNING id
    """
    number = await record.value(block, id=turn.conversation.id)
    manifest = Manifest(summarised=(SummarySpan(number, 1, -9, 0, 4),), notes=("a note",))
    await record.turns.finish(turn, done(manifest=manifest))
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert why.manifest == manifest
    told, asked = why.reasons
    assert (told.reading, told.text, told.tokens) == (Reading.SUMMARY, "they greeted each other", 4)
    assert (asked.reading, asked.text) == (Reading.WHOLE, "hello")


async def test_of_many_reasons_the_newest_are_told(record: Record) -> None:
    turn = await record.claimed(message("hello", THREAD), channel=THREAD)
    early = [message(f"h{number}", THREAD) for number in range(80)]
    await record.shelf.keep(turn.conversation, early)
    await record.turns.finish(turn, done(manifest=Manifest(whole=(Span(-79, 0, 480),))))
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert len(why.reasons) == 50
    assert [why.reasons[0].text, why.reasons[-2].text, why.reasons[-1].text] == ["h31", "h79", "hello"]


async def test_an_answer_in_work_and_one_that_failed_have_reasons_too(record: Record) -> None:
    turn = await record.claimed("hello")
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert (why.outcome, why.manifest) == ("answering", Manifest())
    await record.turns.finish(turn, Answer(Outcome.FAILED, "", error="model-down"))
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert why.outcome == "failed"
    assert await record.transcripts.why(10**9) is None


async def test_an_older_manifest_is_read_with_what_it_has(record: Record) -> None:
    turn = await record.exchange("hello", "yes")
    older = '{"whole": [{"first": 1, "last": 1, "tokens": 6}], "budget": 9, "unheard_of": 1}'
    await record.rows("UPDATE turns SET manifest = CAST(:kept AS jsonb)", kept=older)
    why = await record.transcripts.why(turn.id)
    assert why is not None
    assert why.manifest == Manifest(whole=(Span(1, 1, 6),), budget=9)
