"""Answers over the wire: replies, edits, nonces, rate limits, refusals; and never a ping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.discord import DiscordAdapter
from bot.dialogue import Author, Channel, ChannelKind, Message, Piece, Platform, Slot
from bot.errors import LeaseLost, PlatformDown, PostRefused, Superseded, TokenRefused
from tests.adapters.discord.conftest import FakeChoices, FakeMarks, World
from tests.doubles.discord import Person, Place
from tests.fakes import FakeReceipts, FakeWords, pieces_of

WHOLE = "The whole answer."


@pytest.fixture
async def question(world: World, anna: Person, place: Place) -> Message:
    return await ask(world, anna, place)


async def ask(world: World, anna: Person, place: Place, text: str = "why?") -> Message:
    asked = await world.discord.say(anna, place, text)
    kind = ChannelKind.OPEN if place.guild_id else ChannelKind.DIRECT
    channel = Channel(Platform.DISCORD, place.guild_id, place.id, kind=kind)
    return Message(asked, channel, Author(anna.id, anna.name), text, datetime.now(UTC))


async def test_a_whole_answer_is_one_reply_without_any_edit(
    world: World, question: Message, place: Place
) -> None:
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    [call] = world.discord.calls("POST", "/messages")
    assert world.discord.answers(place) == [WHOLE]
    assert call.body["message_reference"]["message_id"] == question.id
    assert call.body["message_reference"]["fail_if_not_exists"] is False
    assert call.body["enforce_nonce"] is True
    assert call.body["flags"] == 4
    assert world.discord.calls("PATCH") == []


async def test_growing_text_is_edited_into_its_post(world: World, question: Message, place: Place) -> None:
    pieces = pieces_of(Piece(0, "The"), Piece(0, "The whole"), Piece(0, WHOLE, done=True))
    await world.adapter.send(question, pieces, FakeReceipts())

    [post] = [post for post in world.discord.messages(place) if post.author.bot]
    assert post.content == WHOLE
    assert post.history[0] == "The"


async def test_later_pieces_are_plain_messages_in_the_same_place(
    world: World, question: Message, place: Place
) -> None:
    pieces = pieces_of(Piece(0, "One.", done=True), Piece(1, "Two.", done=True))
    await world.adapter.send(question, pieces, FakeReceipts())

    posts = [post for post in world.discord.messages(place) if post.author.bot]
    assert [post.content for post in posts] == ["One.", "Two."]
    assert [post.reply_to for post in posts] == [question.id, ""]


async def test_a_direct_message_is_answered_there(world: World, anna: Person) -> None:
    direct = world.discord.direct(anna)
    asked = await ask(world, anna, direct)
    await world.adapter.send(asked, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert world.discord.answers(direct) == [WHOLE]


async def test_a_long_answer_is_cut_into_posts_that_discord_takes(
    world: World, question: Message, place: Place
) -> None:
    markdown = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(20))
    cut = world.adapter.cutter()(markdown)
    pieces = pieces_of(*(Piece(index, text, done=True) for index, text in enumerate(cut)))
    await world.adapter.send(question, pieces, FakeReceipts())

    shown = world.discord.answers(place)
    assert len(shown) == len(cut) > 2
    assert " ".join(" ".join(shown).split()) == " ".join(markdown.split())


async def test_nothing_a_model_writes_rings_anybody(world: World, question: Message, anna: Person) -> None:
    evil = f"@everyone @here {anna.mention} {world.discord.state.bot_role.mention}"
    pieces = pieces_of(Piece(0, evil), Piece(0, evil + " again"), Piece(1, evil, done=True))
    await world.adapter.send(question, pieces, FakeReceipts())

    assert len(world.discord.calls("PATCH")) >= 1
    assert world.discord.rest.pings == []


async def test_the_double_knows_a_ping_when_it_sees_one(world: World, anna: Person, place: Place) -> None:
    rest = world.adapter._rest
    body = {"content": f"@everyone {anna.mention}"}
    await rest.call("POST", "/channels/{channel_id}/messages", payload=body, channel_id=place.id)

    assert world.discord.rest.pings == ["@everyone", anna.mention]


async def test_typing_is_shown_until_the_first_text_and_not_after(world: World, question: Message) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[Piece]:
        await go_on.wait()
        yield Piece(0, WHOLE, done=True)

    sending = asyncio.create_task(world.adapter.send(question, slow(), FakeReceipts()))
    await world.discord.until(lambda: len(world.discord.rest.typing) == 1)
    go_on.set()
    await sending

    posted = world.discord.calls("POST", "/messages")[0].at
    assert all(at <= posted for _, at in world.discord.rest.typing)


async def test_typing_that_is_not_allowed_does_not_stop_the_answer(
    world: World, question: Message, place: Place
) -> None:
    world.discord.refuse("POST", "/typing", 403, 50013)
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert world.discord.answers(place) == [WHOLE]


async def test_typing_stops_when_the_answer_is_given_up(world: World, question: Message) -> None:
    async def broken() -> AsyncIterator[Piece]:
        await world.discord.until(lambda: len(world.discord.rest.typing) == 1)
        if world.discord.rest.typing:
            raise Superseded("newer")
        yield Piece(0, "")

    with pytest.raises(Superseded):
        await world.adapter.send(question, broken(), FakeReceipts())
    assert [task for task in asyncio.all_tasks() if "_show" in repr(task)] == []


async def test_the_answer_to_a_lost_post_is_made_once(world: World, question: Message, place: Place) -> None:
    world.discord.lose_answer("POST", "/messages")
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert len(world.discord.calls("POST", "/messages")) == 2
    assert world.discord.answers(place) == [WHOLE]


async def test_a_rate_limit_is_waited_out(world: World, question: Message, place: Place) -> None:
    world.discord.limit_next("POST", "/messages", 0.3)
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert [call.status for call in world.discord.calls("POST", "/messages")] == [429, 200]
    assert world.discord.answers(place) == [WHOLE]


async def test_a_channels_limit_is_kept_without_being_refused(
    world: World, question: Message, place: Place
) -> None:
    world.discord.rest.limit("POST /channels/{channel_id}/messages", 2, 0.4)
    pieces = pieces_of(*(Piece(number, f"Part {number}.", done=True) for number in range(5)))
    await world.adapter.send(question, pieces, FakeReceipts())

    assert world.discord.answers(place) == [f"Part {number}." for number in range(5)]
    assert {call.status for call in world.discord.calls("POST", "/messages")} == {200}


async def test_a_lease_that_runs_out_during_a_rate_limit_posts_nothing(
    world: World, question: Message, place: Place
) -> None:
    world.discord.limit_next("POST", "/messages", 0.5)
    receipts = FakeReceipts()
    sending = asyncio.create_task(
        world.adapter.send(question, pieces_of(Piece(0, "too late", done=True)), receipts)
    )
    await world.discord.until(lambda: bool(world.discord.calls("POST", "/messages")))
    receipts.refuse = "check"

    with pytest.raises(LeaseLost):
        await sending
    assert world.discord.answers(place) == []
    assert len(world.discord.calls("POST", "/messages")) == 1


async def test_a_post_that_is_not_recorded_is_deleted(world: World, question: Message, place: Place) -> None:
    receipts = FakeReceipts()
    receipts.refuse = "sent"
    with pytest.raises(LeaseLost):
        await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), receipts)

    assert world.discord.answers(place) == []


async def test_a_post_left_by_a_dead_process_is_overwritten(
    world: World, question: Message, place: Place
) -> None:
    first = FakeReceipts()
    await world.adapter.send(question, pieces_of(Piece(0, "Half an ans", done=True)), first)
    unsure = Slot(0, first.slots[0].nonce, unsure=True, recorded_at=datetime.now(UTC))
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts([unsure]))

    assert world.discord.answers(place) == [WHOLE]


async def test_what_the_look_up_misses_the_nonce_finds(world: World, question: Message, place: Place) -> None:
    first = FakeReceipts()
    await world.adapter.send(question, pieces_of(Piece(0, "Half an ans", done=True)), first)
    unseen = Slot(0, first.slots[0].nonce, unsure=True)  # without a time there is no look-up
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts([unseen]))

    assert world.discord.answers(place) == [WHOLE]


async def test_after_the_nonce_is_forgotten_the_look_up_still_finds(
    world: World, question: Message, place: Place
) -> None:
    await world.adapter.send(question, pieces_of(Piece(0, "Half", done=True)), FakeReceipts())
    old = Slot(0, "another-nonce", unsure=True, recorded_at=datetime.now(UTC))
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts([old]))

    assert world.discord.answers(place) == [WHOLE]


async def test_the_look_up_takes_no_post_of_another_answer(world: World, anna: Person, place: Place) -> None:
    earlier, mine = await ask(world, anna, place), await ask(world, anna, place, "and why?")
    other = FakeReceipts()
    await world.adapter.send(earlier, pieces_of(Piece(0, "To the first.", done=True)), other)
    unsure = Slot(0, "mine", unsure=True, recorded_at=datetime.now(UTC))
    await world.adapter.send(mine, pieces_of(Piece(0, "To the second.", done=True)), FakeReceipts([unsure]))

    assert world.discord.answers(place) == ["To the first.", "To the second."]


async def test_the_look_up_takes_no_post_that_a_record_owns(
    world: World, question: Message, place: Place
) -> None:
    first = FakeReceipts()
    await world.adapter.send(question, pieces_of(Piece(0, "Owned.", done=True)), first)
    owned = first.slots[0].message_id
    unsure = Slot(0, "mine", unsure=True, recorded_at=datetime.now(UTC))
    receipts = FakeReceipts([unsure], owned=[owned])
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), receipts)

    assert world.discord.answers(place) == ["Owned.", WHOLE]


async def test_a_later_post_is_found_by_age_and_place(world: World, question: Message, place: Place) -> None:
    await world.discord.say(
        world.discord.bot, place, "Second half", at=datetime.now(UTC) - timedelta(seconds=20)
    )
    unsure = Slot(1, "n1", unsure=True, recorded_at=datetime.now(UTC) - timedelta(seconds=30))
    pieces = pieces_of(Piece(0, "First.", done=True), Piece(1, "Second.", done=True))
    await world.adapter.send(question, pieces, FakeReceipts([unsure]))

    assert sorted(world.discord.answers(place)) == ["First.", "Second."]


async def test_a_later_post_that_was_made_this_moment_is_found_by_its_text(
    world: World, question: Message, place: Place
) -> None:
    for text in ("Another answer's second half", "Second half", "Yet another's"):
        await world.discord.say(world.discord.bot, place, text)
    unsure = Slot(1, "n1", unsure=True, recorded_at=datetime.now(UTC), text="Second half")
    await world.adapter.send(question, pieces_of(Piece(0, "Short.", done=True)), FakeReceipts([unsure]))

    assert world.discord.answers(place) == ["Another answer's second half", "Yet another's", "Short."]


async def test_of_two_old_posts_the_one_with_the_text_is_taken(
    world: World, question: Message, place: Place
) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=20)
    for text in ("Another answer's", "Second half"):
        await world.discord.say(world.discord.bot, place, text, at=long_ago)
    recorded = datetime.now(UTC) - timedelta(seconds=30)
    unsure = Slot(1, "n1", unsure=True, recorded_at=recorded, text="Second half")
    pieces = pieces_of(Piece(0, "First.", done=True), Piece(1, "Second.", done=True))
    await world.adapter.send(question, pieces, FakeReceipts([unsure]))

    assert sorted(world.discord.answers(place)) == ["Another answer's", "First.", "Second."]


async def test_surplus_posts_of_a_try_are_deleted(world: World, question: Message, place: Place) -> None:
    receipts = FakeReceipts()
    pieces = pieces_of(Piece(0, "Long.", done=True), Piece(1, "Longer.", done=True))
    await world.adapter.send(question, pieces, receipts)
    await world.adapter.send(question, pieces_of(Piece(0, "Short.", done=True)), receipts)

    assert world.discord.answers(place) == ["Short."]


async def test_an_answer_that_a_person_deleted_is_posted_anew(
    world: World, question: Message, place: Place
) -> None:
    receipts = FakeReceipts()
    await world.adapter.send(question, pieces_of(Piece(0, "Half", done=True)), receipts)
    await world.discord.remove(receipts.slots[0].message_id)
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), receipts)

    [post] = [post for post in world.discord.messages(place) if post.author.bot]
    assert post.content == WHOLE
    assert post.reply_to == question.id


async def test_the_question_may_be_deleted_meanwhile(world: World, question: Message, place: Place) -> None:
    await world.discord.remove(question.id)
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert world.discord.answers(place) == [WHOLE]


async def test_where_replies_are_not_allowed_the_answer_is_a_plain_post(
    world: World, question: Message, place: Place
) -> None:
    world.discord.refuse("POST", "/messages", 403, 160002)
    await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())

    assert world.discord.answers(place) == [WHOLE]


@pytest.mark.parametrize(
    ("status", "code"), [(403, 50001), (403, 50013), (404, 10003), (400, 50083), (400, 160005)]
)
async def test_a_place_that_takes_no_posts_refuses(
    world: World, question: Message, status: int, code: int
) -> None:
    world.discord.refuse("POST", "/messages", status, code, count=2)
    with pytest.raises(PostRefused):
        await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())


async def test_a_locked_thread_refuses(world: World, anna: Person, place: Place) -> None:
    thread = await world.discord.thread(place, "closed")
    asked = await ask(world, anna, thread)
    thread.locked = True
    with pytest.raises(PostRefused):
        await world.adapter.send(asked, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())


async def test_a_wrong_token_is_told(world: World, question: Message) -> None:
    adapter = DiscordAdapter("wrong", world.discord.api_url, FakeMarks(), FakeWords(), FakeChoices())
    with pytest.raises(TokenRefused):
        await adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())
    await adapter.close()


async def test_no_answer_from_discord_is_told(world: World, question: Message) -> None:
    await world.adapter.send(question, pieces_of(Piece(0, "first", done=True)), FakeReceipts())
    world.discord.refuse("POST", "/messages", 503, count=9)
    with pytest.raises(PlatformDown):
        await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())


async def test_a_limit_by_a_proxy_in_between_is_told_as_down(world: World, question: Message) -> None:
    world.discord.refuse("POST", "/messages", 429)
    with pytest.raises(PlatformDown):
        await world.adapter.send(question, pieces_of(Piece(0, WHOLE, done=True)), FakeReceipts())
