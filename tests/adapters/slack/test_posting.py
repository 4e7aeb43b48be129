"""Answers stand whole in the thread, whatever becomes of streams, edits and posts."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.budgets import Budgets
from bot.dialogue import Message, Piece, Slot
from bot.errors import LeaseLost, PlatformDown, PostRefused, StreamCut, Superseded, TokenRefused
from tests.adapters.slack.talk import DIRECT, GENERAL, Talk, asked, sending
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_state import BOT_ID, BOT_USER, Post
from tests.fakes import FakeReceipts, pieces_of


def texts(slack: SlackDouble, root: str = "", channel: str = GENERAL) -> list[str]:
    return [post.text for post in slack.answers(channel, root)]


def shows(slack: SlackDouble, question: Message, text: str) -> bool:
    return text in texts(slack, question.channel.root, question.channel.id)


async def grow(slack: SlackDouble, adapter: SlackAdapter, *steps: str, channel: str = GENERAL) -> str:
    """Send an answer that grows by these steps, each seen before the next; returns the thread's root."""
    question, talk, receipts = await asked(slack, channel), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts) as task:
        for step in steps[:-1]:
            talk.say(step)
            shown = functools.partial(shows, slack, question, step)
            await slack.until(lambda shown=shown: shown() or task.done())  # type: ignore[misc]
        talk.say(steps[-1], done=True)
        talk.end()
    assert receipts.texts == {0: steps[-1]}
    return question.channel.root


@asynccontextmanager
async def growing(
    slack: SlackDouble,
    adapter: SlackAdapter,
    text: str = "one",
    *,
    seen: str = "",
    receipts: FakeReceipts | None = None,
) -> AsyncIterator[tuple[Message, Talk]]:
    """Send an answer whose first text, of which only `seen` may show yet, stands; it ends with the block."""
    question, talk = await asked(slack), Talk()
    async with sending(adapter, question, talk, receipts or FakeReceipts()):
        talk.say(text)
        await slack.until(lambda: texts(slack, question.id) == [seen or text])
        yield question, talk
        talk.end()


async def test_a_growing_answer_is_streamed_to_whom_asked(slack: SlackDouble, adapter: SlackAdapter) -> None:
    root = await grow(slack, adapter, "Hello", "Hello there", "Hello there, Ann.")
    (post,) = slack.answers(GENERAL, root)
    assert (post.text, post.was_streamed, post.streaming) == ("Hello there, Ann.", True, False)
    (start,) = slack.called("chat.startStream")
    assert (start["recipient_user_id"], start["recipient_team_id"]) == ("U0ANN", "T0001")
    assert [call["markdown_text"] for call in slack.called("chat.appendStream")] == [" there"]
    assert slack.called("chat.update") == []


async def test_an_answer_whole_at_once_costs_one_post(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, receipts = await asked(slack), FakeReceipts()
    await adapter.send(question, pieces_of(Piece(0, "**Hello**", done=True)), receipts)
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, post.thread, post.was_streamed) == ("**Hello**", question.id, False)
    assert receipts.slots[0].message_id == post.ts
    assert post.metadata is not None
    (call,) = slack.called("chat.postMessage")
    assert (call["unfurl_links"], call["unfurl_media"]) == (False, False)


async def test_a_post_is_on_record_before_it_is_made_and_its_id_right_after(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        talk.say("Hello")
        await slack.until(lambda: receipts.slots and receipts.slots[0].message_id)
        assert receipts.log[:2] == [("sending", 0), ("sent", 0)]
        assert receipts.slots[0].message_id == slack.answers(GENERAL, question.id)[0].ts
        talk.say("Hello.", done=True)
        talk.end()


async def test_when_slack_closes_the_stream_the_same_message_goes_on(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    async with growing(slack, adapter) as (question, talk):
        slack.space.close_streams()
        talk.say("one two")
        await slack.until(lambda: texts(slack, question.id) == ["one two"])
        talk.say("one two three", done=True)
    assert texts(slack, question.id) == ["one two three"]


async def test_a_stream_that_closes_before_its_last_words_loses_none(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("chat.stopStream", error="message_not_in_streaming_state")
    root = await grow(slack, adapter, "one", "one two")
    assert texts(slack, root) == ["one two"]


@pytest.mark.parametrize(
    "error",
    ["missing_scope", "unknown_method", "channel_type_not_supported", "not_allowed_token", "internal_error"],
)
async def test_without_streams_one_message_is_edited(
    slack: SlackDouble, adapter: SlackAdapter, error: str
) -> None:
    slack.fail("chat.startStream", error=error)
    root = await grow(slack, adapter, "one", "one two", "one two three")
    assert texts(slack, root) == ["one two three"]
    assert len(slack.called("chat.postMessage")) == 1
    assert len(slack.called("chat.update")) == 2


async def test_when_the_rate_of_streams_is_spent_one_message_is_edited(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("chat.startStream", error="ratelimited", retry_after=30)
    for _ in range(2):  # the second answer does not even ask
        root = await grow(slack, adapter, "one", "one two")
        assert texts(slack, root) == ["one two"]
    assert len(slack.called("chat.startStream")) == 1


async def test_a_busy_workspace_spares_its_streams(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.space.add_place("C0BUSY", "busy")
    for number in range(17):
        channel = f"C0BUSY{number}"
        slack.space.add_place(channel, f"busy-{number}")
        root = await grow(slack, adapter, "one", "one two", channel=channel)
        assert texts(slack, root, channel) == ["one two"]
    assert len(slack.called("chat.startStream")) == 15


async def test_a_rate_limit_in_mid_stream_only_delays(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.appendStream", error="ratelimited", retry_after=1)
    async with growing(slack, adapter) as (question, talk):
        talk.say("one two")
        await slack.until(lambda: slack.called("chat.appendStream"))
        talk.say("one two three", done=True)
    assert texts(slack, question.id) == ["one two three"]
    assert not list(slack.space.streams())


async def test_text_passed_over_is_paid_at_the_end(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.appendStream", error="ratelimited", retry_after=1)
    async with growing(slack, adapter) as (question, talk):
        talk.say("one two")
        await slack.until(lambda: slack.called("chat.appendStream"))  # and nobody says that it is done
    assert texts(slack, question.id) == ["one two"]
    assert not list(slack.space.streams())


async def test_a_rate_limit_on_the_last_edit_is_waited_out(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.startStream", error="unknown_method")
    slack.fail("chat.update", error="ratelimited", retry_after=1)
    root = await grow(slack, adapter, "one", "one two")
    assert texts(slack, root) == ["one two"]


async def test_where_edits_are_refused_the_whole_answer_is_posted_at_the_end(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("chat.startStream", error="unknown_method")
    slack.space.edits_refused = True
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        for step in ("one", "one two", "one two three", "one two three four"):
            talk.say(step)
            await slack.until(lambda: receipts.slots and receipts.slots[0].message_id)
        talk.say("one two three four five", done=True)
        talk.end()
    (post,) = slack.answers(GENERAL, question.id)
    assert post.text == "one two three four five"
    assert receipts.slots[0].message_id == post.ts
    assert len(slack.called("chat.postMessage")) <= 3


async def test_a_post_that_somebody_deletes_is_made_anew(slack: SlackDouble, adapter: SlackAdapter) -> None:
    receipts = FakeReceipts()
    async with growing(slack, adapter, receipts=receipts) as (question, talk):
        del slack.space.place(GENERAL).posts[slack.answers(GENERAL, question.id)[0].ts]
        talk.say("one two", done=True)
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, receipts.slots[0].message_id) == ("one two", post.ts)


@pytest.mark.parametrize("fault", [{"lost": True}, {"dropped": True}, {"status": 503}])
async def test_a_post_without_an_answer_is_looked_for_and_stands_once(
    slack: SlackDouble, adapter: SlackAdapter, fault: dict[str, bool]
) -> None:
    question, receipts = await asked(slack), FakeReceipts()
    slack.fail("chat.postMessage", **fault)
    await adapter.send(question, pieces_of(Piece(0, "Hello", done=True)), receipts)
    (post,) = slack.answers(GENERAL, question.id)
    assert receipts.slots[0].message_id == post.ts


@pytest.mark.parametrize("fault", [{"lost": True}, {"dropped": True}])
async def test_a_stream_without_an_answer_leaves_one_message(
    slack: SlackDouble, adapter: SlackAdapter, fault: dict[str, bool]
) -> None:
    slack.fail("chat.startStream", **fault)
    root = await grow(slack, adapter, "one", "one two")
    assert texts(slack, root) == ["one two"]
    assert not list(slack.space.streams())


@pytest.mark.parametrize("fault", [{"lost": True}, {"dropped": True}])
async def test_an_append_without_an_answer_doubles_no_text(
    slack: SlackDouble, adapter: SlackAdapter, fault: dict[str, bool]
) -> None:
    slack.fail("chat.appendStream", **fault)
    root = await grow(slack, adapter, "one", "one two", "one two three")
    assert texts(slack, root) == ["one two three"]


async def test_another_try_overwrites_what_was_streamed(slack: SlackDouble, adapter: SlackAdapter) -> None:
    root = await grow(slack, adapter, "The first try was", "Something else", "Something else entirely")
    assert texts(slack, root) == ["Something else entirely"]


async def test_several_pieces_stand_in_order_and_none_looks_unfinished(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    whole = "\n\n".join(f"Paragraph {number}. " + "Words & <more> words. " * 30 for number in range(30))
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        for end in [*range(2_000, len(whole), 2_000), len(whole)]:
            parts = adapter.cutter()(whole[:end])
            for ordinal, part in enumerate(parts):
                talk.say(part, ordinal, done=ordinal < len(parts) - 1 or end == len(whole))
        talk.end()
    posts = slack.answers(GENERAL, question.id)
    assert [post.text for post in posts] == adapter.cutter()(whole)
    assert len(posts) > 4
    assert not list(slack.space.streams())
    assert [receipts.slots[number].message_id for number in range(len(posts))] == [post.ts for post in posts]


async def test_nothing_that_a_model_writes_calls_anybody(slack: SlackDouble, adapter: SlackAdapter) -> None:
    steps = [
        "hi <",
        "hi <!",
        "hi <!chan",
        "hi <!channel> `<!here>` <@U0BEA>",
        "hi <!channel> `<!here>` <@U0BEA> <#C1>",
    ]
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        for number, step in enumerate(steps):
            talk.say(step, done=number == len(steps) - 1)
            await slack.until(lambda: receipts.texts)
        talk.end()
    assert slack.space.pinged == []
    assert texts(slack, question.id)[0].replace("\u2060", "") == steps[-1]


async def test_what_an_earlier_try_left_is_stopped_and_overwritten_and_its_surplus_deleted(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    for text in ("half an ans", "and a second"):
        left = Post(slack.space.stamp(), BOT_USER, text, question.id, bot_id=BOT_ID)
        left.streaming = text == "half an ans"
        slack.space.put(GENERAL, left)
    standing = slack.answers(GENERAL, question.id)
    slots = [Slot(number, f"n{number}", post.ts) for number, post in enumerate(standing)]
    receipts = FakeReceipts(standing=slots)
    await adapter.send(question, pieces_of(Piece(0, "the whole answer", done=True)), receipts)
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.ts, post.text, post.streaming) == (standing[0].ts, "the whole answer", False)
    assert ("removed", 1) in receipts.log


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("channel", [GENERAL, DIRECT])
async def test_a_post_whose_id_was_not_recorded_is_found_and_overwritten(
    slack: SlackDouble, adapter: SlackAdapter, streamed: bool, channel: str
) -> None:
    question = await asked(slack, channel)
    recorded = datetime.now(UTC)
    metadata = {"event_type": "frontdesk_piece", "event_payload": {"nonce": "n0"}}
    others = {"event_type": "frontdesk_piece", "event_payload": {"nonce": "other"}}
    for known in (None, others):  # one that a record owns, one of another answer
        post = Post(slack.space.stamp(), BOT_USER, "another answer", question.channel.root, bot_id=BOT_ID)
        post.metadata = known
        slack.space.put(channel, post)
    owned = [post.ts for post in slack.answers(channel, question.channel.root) if post.metadata is None]
    left = Post(slack.space.stamp(), BOT_USER, "half", question.channel.root, bot_id=BOT_ID)
    left.streaming, left.metadata = streamed, None if streamed else metadata
    slack.space.put(channel, left)
    receipts = FakeReceipts([Slot(0, "n0", unsure=True, recorded_at=recorded)], owned)
    await adapter.send(question, pieces_of(Piece(0, "whole", done=True)), receipts)
    assert texts(slack, question.channel.root, channel) == ["another answer", "another answer", "whole"]
    assert receipts.slots[0].message_id == left.ts


@pytest.mark.parametrize("fault", [{"lost": True}, {"status": 500}])
async def test_a_stream_without_a_clear_answer_does_not_take_the_answer_before_it(
    slack: SlackDouble, adapter: SlackAdapter, fault: dict[str, Any]
) -> None:
    question = await asked(slack)
    slack.space.put(GENERAL, Post(slack.space.stamp(), BOT_USER, "before", question.id, bot_id=BOT_ID))
    owned = [post.ts for post in slack.answers(GENERAL, question.id)]
    slack.fail("chat.startStream", **fault)
    talk, receipts = Talk(), FakeReceipts(owned=owned)
    task = asyncio.create_task(adapter.send(question, talk.pieces(), receipts))
    talk.say("whole")
    await slack.until(lambda: texts(slack, question.id) == ["before", "whole"])
    talk.end()
    await task
    assert texts(slack, question.id) == ["before", "whole"]


async def test_a_post_that_was_never_made_is_made(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack)
    receipts = FakeReceipts([Slot(0, "n0", unsure=True, recorded_at=datetime.now(UTC))])
    await adapter.send(question, pieces_of(Piece(0, "whole", done=True)), receipts)
    assert texts(slack, question.id) == ["whole"]


async def test_whoever_lost_the_lease_takes_the_post_back(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    receipts.refuse = "sent"
    talk.say("Hello")
    talk.end()
    with pytest.raises(LeaseLost):
        await adapter.send(question, talk.pieces(), receipts)
    assert slack.answers(GENERAL, question.id) == []


@pytest.mark.parametrize("error", [StreamCut("cut"), Superseded("newer")])
async def test_no_stream_looks_alive_after_a_failure(
    slack: SlackDouble, adapter: SlackAdapter, error: Exception
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    task = asyncio.create_task(adapter.send(question, talk.pieces(), receipts))
    talk.say("Hello")
    await slack.until(lambda: texts(slack, question.id) == ["Hello"])
    talk.end(error)
    with pytest.raises(type(error)):
        await task
    assert not list(slack.space.streams())
    assert slack.space.statuses[GENERAL, question.id] == ""


async def test_in_a_direct_message_the_answer_stands_beside_the_question(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    await grow(slack, adapter, "one", "one two", channel=DIRECT)
    (post,) = slack.answers(DIRECT)
    assert (post.text, post.thread) == ("one two", "")


@pytest.mark.parametrize("error", ["is_archived", "not_in_channel", "restricted_action_thread_locked"])
async def test_a_place_without_posts_is_said(slack: SlackDouble, adapter: SlackAdapter, error: str) -> None:
    question = await asked(slack)
    slack.fail("chat.postMessage", error=error)
    with pytest.raises(PostRefused, match=error):
        await adapter.send(question, pieces_of(Piece(0, "Hello", done=True)), FakeReceipts())


async def test_a_revoked_token_is_said(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack)
    slack.fail("chat.postMessage", error="token_revoked")
    with pytest.raises(TokenRefused):
        await adapter.send(question, pieces_of(Piece(0, "Hello", done=True)), FakeReceipts())


async def test_a_rate_limit_that_is_too_long_is_left_to_a_later_try(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    slack.fail("chat.postMessage", error="ratelimited", retry_after=600)
    with pytest.raises(PlatformDown):
        await adapter.send(question, pieces_of(Piece(0, "Hello", done=True)), FakeReceipts())


async def test_where_markdown_is_not_taken_the_answer_is_said_in_mrkdwn(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    slack.fail("chat.postMessage", error="invalid_arguments")
    answer = Piece(0, "**Hello** <!channel>", done=True)
    await adapter.send(question, pieces_of(answer), FakeReceipts())
    (post,) = slack.answers(GENERAL, question.id)
    assert (post.text, post.form) == ("*Hello* &lt;!channel&gt;", "mrkdwn")
    assert slack.called("chat.postMessage")[-1]["parse"] == "none"


async def budgets_of(adapter: SlackAdapter) -> Budgets:
    return (await adapter.teams.of("T0001")).budgets


async def test_when_every_rate_is_spent_the_answer_is_posted_once_and_whole(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    budgets = await budgets_of(adapter)
    for budget in (budgets.starts, budgets.updates):
        while budget.left():
            assert budget.take()
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    async with sending(adapter, question, talk, receipts):
        for text in ("an", "an answer", "an answer that grows"):
            talk.say(text)
        talk.end()  # also where nobody says that it is done
    assert texts(slack, question.id) == ["an answer that grows"]
    assert len(slack.called("chat.postMessage")) == 1
    assert slack.called("chat.update") == []


async def test_many_answers_at_once_all_stand_whole(slack: SlackDouble, adapter: SlackAdapter) -> None:
    questions = []
    for number in range(30):
        slack.space.add_place(f"C0MANY{number}", f"many-{number}")
        questions.append(await asked(slack, f"C0MANY{number}"))
    talks = [Talk() for _ in questions]
    tasks = [
        asyncio.create_task(adapter.send(question, talk.pieces(), FakeReceipts()))
        for question, talk in zip(questions, talks, strict=True)
    ]
    for end in (3, 9, 18):
        for talk in talks:
            talk.say("an answer for each"[:end], done=end == 18)
    for talk in talks:
        talk.end()
    await asyncio.gather(*tasks)
    for question in questions:
        assert texts(slack, question.id, question.channel.id) == ["an answer for each"]
    assert not list(slack.space.streams())
    assert (await budgets_of(adapter)).pledged == 0


async def test_what_was_held_back_stands_in_the_end(slack: SlackDouble, adapter: SlackAdapter) -> None:
    async with growing(slack, adapter, "1 <", seen="1 ") as (question, talk):
        talk.say("1 <", done=True)  # the same text, so nothing seems to be left to do
    assert texts(slack, question.id) == ["1 <"]


async def test_edits_that_were_passed_over_are_paid_at_the_end(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.fail("chat.startStream", error="unknown_method")
    slack.fail("chat.update", error="ratelimited", retry_after=0)
    async with growing(slack, adapter) as (question, talk):
        talk.say("one two")
        await slack.until(lambda: slack.called("chat.update"))
    assert texts(slack, question.id) == ["one two"]


async def test_a_post_deleted_at_the_very_end_is_left_to_a_later_try(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question, talk, receipts = await asked(slack), Talk(), FakeReceipts()
    task = asyncio.create_task(adapter.send(question, talk.pieces(), receipts))
    talk.say("one")
    await slack.until(lambda: receipts.texts)
    slack.space.place(GENERAL).posts.pop(receipts.slots[0].message_id)
    talk.end()
    with pytest.raises(PlatformDown):
        await task
    again = FakeReceipts(receipts.slots.values())
    await adapter.send(question, pieces_of(Piece(0, "one two", done=True)), again)
    assert texts(slack, question.id) == ["one two"]


async def test_a_post_that_took_a_deleted_ones_place_is_not_made_twice(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    question = await asked(slack)
    for text in ("half", "whole"):  # the first try dies between the post and its record
        dead = FakeReceipts([Slot(0, "n0", "1763913600.000100")])
        await adapter.send(question, pieces_of(Piece(0, text, done=True)), dead)
    assert texts(slack, question.id) == ["whole"]


async def test_answers_that_begin_at_once_do_not_count_on_the_same_updates(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    team = await adapter.teams.of("T0001")
    left = team.budgets.updates.left()
    shown = []
    for _ in range(3 * left):
        poster = await adapter._poster(team, await asked(slack, DIRECT), FakeReceipts())
        pieces = poster.marked(pieces_of(Piece(0, "He"), Piece(0, "Hello", done=True)))
        shown.append((await anext(pieces)).text)
    assert 0 < shown.count("He") < left
    assert team.budgets.pledged == shown.count("He")
