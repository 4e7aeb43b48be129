"""Reading Discord's messages: whom they are for, and names instead of ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.discord.reading import read_earlier, read_message
from bot.dialogue import ChannelKind, Message, Platform
from tests.adapters.discord.offline import Offline
from tests.doubles.discord_state import Person

WORLD = Offline()
BOT = WORLD.state.bot
ROLE = WORLD.state.bot_role
STAFF = WORLD.staff


def read(content: str, **more: Any) -> Message:
    place = WORLD.place(more.get("place"))
    message = read_message(WORLD.message(content, **more), place)
    assert message is not None
    return message


def test_a_message_in_a_channel_is_told_with_author_place_and_time() -> None:
    before = datetime.now(UTC)
    message = read(f"{BOT.mention} hello")

    assert message.text == "hello"
    assert message.channel.platform is Platform.DISCORD
    assert message.channel.workspace == WORLD.state.guild_id
    assert (message.channel.id, message.channel.name) == (WORLD.general.id, "general")
    assert message.channel.kind is ChannelKind.OPEN
    assert message.channel.root == ""
    assert message.author.id == WORLD.anna.id
    assert message.author.name == "Anna Lee"
    assert abs((message.sent_at - before).total_seconds()) < 5
    assert not message.said
    assert message.edited_at is None


def test_roles_come_with_their_ids_and_names_but_not_everyone() -> None:
    assert read("hi").author.roles == (STAFF.id, "Staff")


def test_a_thread_is_a_place_of_its_own() -> None:
    message = read("and then?", place=WORLD.thread)

    assert message.channel.kind is ChannelKind.THREAD
    assert message.channel.id == WORLD.thread.id


def test_a_thread_tells_its_channel_and_that_channel_its_category() -> None:
    assert read("hi").channel.parents == (WORLD.category.id, "Help")
    parents = read("and then?", place=WORLD.thread).channel.parents
    assert parents == (WORLD.general.id, "general", WORLD.category.id, "Help")
    assert read("hi", place=WORLD.direct).channel.parents == ()


def test_a_direct_message_has_no_workspace() -> None:
    message = read("hi", place=WORLD.direct)

    assert message.channel.kind is ChannelKind.DIRECT
    assert message.channel.workspace == ""
    assert not message.mentions_bot


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{bot} what now?", "what now?"),
        ("  {bot}: what now?", "what now?"),
        ("<@!{bot_id}>, what now?", "what now?"),
        ("{role} what now?", "what now?"),
        ("{bot} {bot}\nwhat now?", "what now?"),
        ("what now, {bot}?", "what now, @Frontdesk?"),
        ("{bot}", ""),
    ],
)
def test_naming_the_bot_or_its_role_is_a_mention_and_a_leading_one_is_no_text(
    content: str, text: str
) -> None:
    message = read(content.format(bot=BOT.mention, bot_id=BOT.id, role=ROLE.mention))

    assert message.mentions_bot
    assert not message.mentions_others
    assert message.text == text


def test_naming_nobody_addresses_nobody() -> None:
    message = read("just thinking aloud")

    assert not message.mentions_bot
    assert not message.mentions_others


def test_naming_somebody_else_addresses_them() -> None:
    message = read(f"{WORLD.ben.mention} what do you think?")

    assert message.mentions_others
    assert not message.mentions_bot
    assert message.text == "@Ben what do you think?"


def test_naming_oneself_or_the_own_role_addresses_nobody_else() -> None:
    assert not read(f"I am {WORLD.anna.mention}").mentions_others


def test_naming_a_role_addresses_others() -> None:
    message = read(f"{STAFF.mention} please look")

    assert message.mentions_others
    assert message.text == "@Staff please look"


def test_everyone_is_no_mention_of_the_bot() -> None:
    message = read("@everyone lunch", changes={"mention_everyone": True})

    assert not message.mentions_bot


def test_a_reply_to_the_bot_is_meant_for_it() -> None:
    answer = WORLD.message("It is noon.", BOT)
    message = read("really?", reply_to=str(answer.id))

    assert message.mentions_bot
    assert not message.mentions_others
    assert message.reply_to == str(answer.id)


def test_a_reply_to_another_person_is_meant_for_them() -> None:
    other = WORLD.message("Lunch?", WORLD.ben)
    message = read("sure", reply_to=str(other.id), pings_reply=True)

    assert message.mentions_others
    assert not message.mentions_bot
    assert message.reply_to == str(other.id)


def test_a_reply_to_oneself_addresses_nobody() -> None:
    own = WORLD.message("first")
    assert not read("second", reply_to=str(own.id)).mentions_others


def test_a_reply_to_a_deleted_message_keeps_its_id() -> None:
    gone = str(WORLD.message("soon gone", WORLD.ben).id)
    del WORLD.state.posts[gone]
    message = read("what did it say?", reply_to=gone)

    assert message.reply_to == gone
    assert not message.mentions_others


def test_replying_to_the_bot_about_somebody_names_both() -> None:
    answer = WORLD.message("Done.", BOT)
    message = read(f"tell {WORLD.ben.mention}", reply_to=str(answer.id))

    assert message.mentions_bot
    assert message.mentions_others


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("ask <@123456789012345678>", "ask @unknown-user"),
        ("ask <@&123456789012345678>", "ask @unknown-role"),
        ("in <#123456789012345678>", "in #unknown-channel"),
        ("in <#GENERAL>", "in #general"),
        ("in <#THREAD>", "in #a thread"),
        ("<:wave:123456789012345678> hi", ":wave: hi"),
        ("<a:party:123456789012345678>", ":party:"),
        ("at <t:1700000000:R>", "at 2023-11-14 22:13 UTC"),
        ("at <t:1700000000>", "at 2023-11-14 22:13 UTC"),
        ("at <t:9999999999999>", "at 9999999999999"),
        ("try </remind me:123456789012345678>", "try /remind me"),
        ("a < b > c <@x> <#>", "a < b > c <@x> <#>"),
    ],
)
def test_ids_become_names(content: str, text: str) -> None:
    content = content.replace("GENERAL", WORLD.general.id).replace("THREAD", WORLD.thread.id)
    assert read(content).text == text


def test_null_bytes_and_broken_letters_are_left_out() -> None:
    assert read("a\x00b \ud800").text == "ab ?"


@pytest.mark.parametrize("content", ["🎉🎉", "مرحبا كيف حالك؟", "你好，请问", "x" * 40_000])
def test_any_text_is_kept_as_it_is(content: str) -> None:
    assert read(content).text == content


def test_files_are_named_and_enough_for_a_message() -> None:
    message = read("", files=("plan.pdf", "a b.png"))

    assert [file.name for file in message.files] == ["plan.pdf", "a b.png"]
    assert message.text == ""


def test_a_sticker_is_told_in_words() -> None:
    assert read("", stickers=("Wave",)).text == "[sticker: Wave]"


def test_a_forwarded_message_is_quoted() -> None:
    inner = {
        "type": 0,
        "content": "the news\nof today",
        "embeds": [],
        "attachments": [],
        "timestamp": "2026-11-01T00:00:00+00:00",
        "edited_timestamp": None,
        "flags": 0,
        "mentions": [],
        "mention_roles": [],
        "components": [],
    }
    message = read("look", changes={"message_snapshots": [{"message": inner}]})

    assert message.text == "look\n> the news\n> of today"


def test_a_poll_is_told_in_words() -> None:
    poll = {
        "question": {"text": "Lunch?"},
        "answers": [
            {"answer_id": 1, "poll_media": {"text": "Yes"}},
            {"answer_id": 2, "poll_media": {"text": "No"}},
        ],
        "expiry": "2026-12-01T00:00:00+00:00",
        "allow_multiselect": False,
        "layout_type": 1,
    }
    assert read("", changes={"poll": poll}).text == "[poll: Lunch?: Yes / No]"


def test_nothing_at_all_is_no_message() -> None:
    assert read_message(WORLD.message(""), WORLD.place()) is None
    assert read_message(WORLD.message("\x00"), WORLD.place()) is None


def test_an_empty_direct_message_is_still_one() -> None:
    assert read("", place=WORLD.direct).text == ""


def test_an_edit_carries_its_time() -> None:
    message = read("better", edited_at=datetime(2026, 11, 23, 12, tzinfo=UTC))

    assert message.edited_at == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_bots_webhooks_and_the_bot_itself_are_ignored() -> None:
    for message in (
        WORLD.message(f"{BOT.mention} hi", Person("Other", bot=True)),
        WORLD.message("I said so", BOT),
        WORLD.message(f"{BOT.mention} hi", Person("Hook"), webhook_id="123"),
    ):
        assert read_message(message, WORLD.place()) is None


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 12, 18, 21, 24, 46, 99])
def test_system_messages_and_unknown_kinds_are_ignored(kind: int) -> None:
    assert read_message(WORLD.message("joined", kind=kind), WORLD.place()) is None


def test_the_past_holds_our_own_posts_as_said_and_other_bots_too() -> None:
    own = read_earlier(WORLD.message("I said so", BOT), WORLD.place())
    other = read_earlier(WORLD.message("Build failed", Person("CI", bot=True)), WORLD.place())
    joined = read_earlier(WORLD.message("", kind=7), WORLD.place())

    assert own is not None
    assert own.said
    assert other is not None
    assert not other.said
    assert joined is None


_PARTS = st.sampled_from(
    [
        BOT.mention,
        WORLD.ben.mention,
        "<@&1>",
        "<#2>",
        "<:a:3>",
        "<t:4:R>",
        "<@",
        ">",
        "@everyone",
        "\x00",
        "\ud83d",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=20), _PARTS), max_size=8).map("".join))
def test_any_content_is_read_without_ids_and_can_be_stored(content: str) -> None:
    message = read_message(WORLD.message(content), WORLD.place())
    if message is None:
        return
    message.text.encode()
    assert "\x00" not in message.text
    assert BOT.mention not in message.text
    assert message.mentions_bot == (BOT.mention in content.replace("\x00", ""))
