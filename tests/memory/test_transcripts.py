"""The record as pages and terminals read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

from bot.dialogue import Answer, Channel, EntryState, Outcome, Piece, Platform, Turn
from bot.memory.transcripts import Transcripts
from tests.memory.conftest import BEN, PAGE, THREAD, Open, Record, done, message, running, until


async def post(record: Record, turn: Turn, *texts: str) -> None:
    receipts = record.outbox.receipts(turn, Open())
    for ordinal, text in enumerate(texts):
        await receipts.sending(Piece(ordinal, text))
        await receipts.sent(Piece(ordinal, text), f"p{turn.id}-{ordinal}")


async def states(record: Record, channel: Channel = PAGE) -> list[tuple[str, str]]:
    return [(str(entry.state), entry.text) for entry in await record.transcripts.read(channel)]


async def test_an_answer_is_seen_growing(record: Record) -> None:
    assert await states(record) == []
    turn = await record.claimed(message("hello", PAGE), channel=PAGE)
    assert await states(record) == [("heard", "hello"), ("waiting", "")]
    await post(record, turn, "Well")
    assert await states(record) == [("heard", "hello"), ("writing", "Well")]
    await post(record, turn, "Well,", "then")
    await record.turns.finish(turn, done("Well,\n\nthen"))
    assert await states(record) == [("heard", "hello"), ("done", "Well,\n\nthen")]
    heard, answer = await record.transcripts.read(PAGE)
    assert (heard.author, heard.turn, answer.turn, answer.id) == (
        "Ada",
        turn.id,
        turn.id,
        f"answer-{turn.id}",
    )


async def test_an_answer_that_failed_shows_what_was_posted(record: Record) -> None:
    turn = await record.claimed(message("hello", PAGE), channel=PAGE)
    await post(record, turn, "sorry", "surplus")
    await record.outbox.receipts(turn, Open()).removed(1)
    await record.turns.finish(turn, Answer(Outcome.FAILED, "", error="model-down"))
    assert await states(record) == [("heard", "hello"), ("failed", "sorry")]


async def test_each_answer_stands_after_its_question(record: Record) -> None:
    turn = await record.claimed(message("q1", THREAD), channel=THREAD)
    await record.inbox.accept(message("q2", THREAD, BEN))
    await record.inbox.accept(message("q1 again", THREAD))
    turn = await record.turns.reload(turn)
    await post(record, turn, "a1")
    await record.turns.finish(turn, done("a1"))
    assert await states(record, THREAD) == [
        ("heard", "q1"),
        ("heard", "q2"),
        ("waiting", ""),
        ("heard", "q1 again"),
        ("done", "a1"),
    ]


async def test_only_the_newest_are_read_where_there_are_many(record: Record) -> None:
    for number in range(4):
        turn = await record.claimed(message(f"q{number}", PAGE), channel=PAGE)
        await post(record, turn, f"a{number}")
        await record.turns.finish(turn, done(f"a{number}"))
    entries = await record.transcripts.read(PAGE, limit=2)
    assert [entry.text for entry in entries] == ["q2", "a2", "q3", "a3"]


async def test_new_begins_with_an_empty_page_and_keeps_the_old_thread(record: Record) -> None:
    await record.exchange(message("hello", PAGE), "yes", PAGE)
    await record.begun_anew(PAGE)
    assert await states(record) == []
    await record.claimed(message("anew", PAGE), channel=PAGE)
    assert [text for _, text in await states(record)] == ["anew", ""]
    assert len(await record.transcripts.threads(Platform.WEB)) == 2


async def test_threads_are_listed_newest_first_by_their_first_words(record: Record) -> None:
    channels = [replace(PAGE, root=f"r{number}") for number in range(3)]
    for channel in channels:
        await record.exchange(
            message(f"  first\nwords of {channel.root} " + "x" * 80, channel), "yes", channel
        )
    await record.inbox.accept(message("again", channels[0]))
    await record.asked("elsewhere")
    threads = await record.transcripts.threads(Platform.WEB)
    assert [thread.channel.root for thread in threads] == ["r0", "r2", "r1"]
    assert threads[0].channel == channels[0]
    assert threads[0].title.startswith("first words of r0 xxx")
    assert len(threads[0].title) == 60
    assert threads[0].title.endswith("…")
    assert len(await record.transcripts.threads(Platform.WEB, limit=2)) == 2


async def test_the_turn_of_a_post_is_found(record: Record) -> None:
    assert await record.transcripts.turn_of(PAGE) == 0
    first = await record.claimed(message("q1", PAGE), channel=PAGE)
    await post(record, first, "a1")
    await record.turns.finish(first, done("a1"))
    second = await record.claimed(message("q2", PAGE), channel=PAGE)
    assert await record.transcripts.turn_of(PAGE) == second.id
    assert await record.transcripts.turn_of(PAGE, f"p{first.id}-0") == first.id
    assert await record.transcripts.turn_of(PAGE, "nothing") == 0
    assert await record.transcripts.turn_of(THREAD, f"p{first.id}-0") == 0


@asynccontextmanager
async def following(transcripts: Transcripts) -> AsyncIterator[AsyncIterator[None]]:
    """Follow the page's changes, and leave them well."""
    changes = cast(AsyncGenerator[None, None], transcripts.changes(PAGE))
    yield changes
    await changes.aclose()


async def changed(changes: AsyncIterator[None]) -> None:
    async with asyncio.timeout(5):
        await anext(changes)


async def quiet(changes: AsyncIterator[None]) -> asyncio.Task[None]:
    """Wait for the next change in the background, and see that it has not come yet."""
    waiting = asyncio.ensure_future(anext(changes))
    done_now, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done_now
    return waiting


async def test_each_commit_is_a_change_and_others_are_not(record: Record, another: Record) -> None:
    async with running(record.bell.run()):
        await record.bell.listening.wait()
        async with following(record.transcripts) as changes:
            await changed(changes)
            waiting = await quiet(changes)
            turn = await another.claimed(message("hello", PAGE), channel=PAGE)
            await asyncio.wait_for(waiting, 5)
            waiting = await quiet(changes)
            await another.claimed(message("hello", THREAD), channel=THREAD)
            assert not waiting.done()
            await post(another, turn, "Well")
            await asyncio.wait_for(waiting, 5)
            assert ("writing", "Well") in await states(record)
            await another.turns.finish(turn, done("Well"))
            await changed(changes)
            await another.begun_anew(PAGE)
            await changed(changes)
            await until_seen(record, changes, "anew", another)


async def until_seen(record: Record, changes: AsyncIterator[None], text: str, another: Record) -> None:
    """Have something said, and follow the changes until it is read."""
    await another.inbox.accept(message(text, PAGE))
    async with asyncio.timeout(5):
        while ("heard", text) not in await states(record):
            await anext(changes)


async def test_a_change_between_reading_and_waiting_is_not_lost(record: Record, another: Record) -> None:
    turn = await record.claimed(message("hello", PAGE), channel=PAGE)
    heard: list[str] = []
    async with running(record.bell.run()):
        await record.bell.listening.wait()
        async with following(record.transcripts) as changes:
            await changed(changes)
            with record.bell.subscribe("conversation:", heard.append):
                for number in range(5):
                    await states(record)
                    heard.clear()
                    await post(another, turn, f"text {number}")
                    await until(lambda: bool(heard))
                    await changed(changes)


async def test_a_bell_that_was_deaf_tells_that_something_may_have_changed(record: Record) -> None:
    async with following(record.transcripts) as changes:
        await changed(changes)
        waiting = await quiet(changes)
        async with running(record.bell.run()):
            await asyncio.wait_for(waiting, 5)


async def test_waiting_is_a_state_of_its_own(record: Record) -> None:
    await record.asked(message("hello", PAGE))
    assert (await record.transcripts.read(PAGE))[1].state is EntryState.WAITING
