"""Slack's documented payloads become messages, or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.mrkdwn import Known, Person
from bot.adapters.slack.reading import Me, read_message, wanted
from bot.dialogue import ChannelKind, Message

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "slack"
ME = Me("U0BOT", "B0BOT", "T0001", "frontdesk")
KNOWN = Known(
    {"U0ANN": Person("Ann", "Europe/Berlin", "en-GB"), "U0BEA": Person("Bea"), "U0BOT": Person("frontdesk")},
    {"C0GENERAL": "general"},
)


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))["event"]
    return event


def read(name: str) -> Message:
    message = read_message(recorded(name), "T0001", ME, KNOWN)
    assert message is not None
    return message


def test_a_mention_and_its_twin_are_the_same_message() -> None:
    assert read("app-mention") == read("message-channels")


def test_a_mention_in_a_channel_begins_a_thread_of_its_own() -> None:
    message = read("message-channels")
    assert message.text == "when do we ship?"
    assert (message.mentions_bot, message.mentions_others) == (True, False)
    assert message.channel.root == message.id == "1763913600.000100"
    assert (message.channel.kind, message.channel.name) == (ChannelKind.OPEN, "general")
    assert message.key == "slack:T0001:C0GENERAL:1763913600.000100"
    assert message.sent_at == datetime(2025, 11, 23, 16, 0, 0, 100, UTC)
    author = message.author
    assert (author.id, author.name, author.time_zone, author.locale) == (
        "U0ANN",
        "Ann",
        "Europe/Berlin",
        "en-GB",
    )


def test_a_reply_in_a_thread_stands_in_it() -> None:
    message = read("thread-reply")
    assert (message.channel.root, message.channel.kind) == ("1763913600.000100", ChannelKind.THREAD)
    assert message.text == "and @Bea, what about #general?"
    assert (message.mentions_bot, message.mentions_others) == (False, True)


def test_a_direct_message_has_no_root_but_in_a_thread() -> None:
    assert (read("message-im").channel.root, read("message-im").channel.kind) == ("", ChannelKind.DIRECT)
    assert read("message-im").text == "hello **you** & me"
    assert read("message-im-thread").channel.root == "1763913601.000100"
    assert read("message-im-thread").channel.kind is ChannelKind.DIRECT


def test_a_group_message_is_an_open_place() -> None:
    assert read("message-mpim").channel.kind is ChannelKind.OPEN


def test_files_are_named_also_without_text() -> None:
    heard = read("file-share")
    assert ([file.name for file in heard.files], heard.text) == (["plan.pdf"], "")


def test_a_reply_that_is_shown_to_the_channel_stays_in_its_thread() -> None:
    assert read("thread-broadcast").channel.root == "1763913600.000100"


def test_an_edit_is_the_same_message_with_a_time() -> None:
    edit = read("message-changed")
    assert edit.key == read("message-channels").key
    assert edit.text == "when do we ship v2?"
    assert edit.edited_at == datetime(2025, 11, 23, 16, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "own-message",
        "app-message",
        "bot-message",
        "channel-join",
        "message-deleted",
        "message-unfurled",
        "message-unfurled-after-edit",
    ],
)
def test_what_no_person_wrote_is_no_message(name: str) -> None:
    assert read_message(recorded(name), "T0001", ME, KNOWN) is None


def test_an_edit_of_our_own_is_no_message() -> None:
    own = {
        "type": "message",
        "user": "U0BOT",
        "text": "b",
        "ts": "1.0",
        "edited": {"user": "U0BOT", "ts": "2.0"},
    }
    event = {**recorded("message-changed"), "message": own}
    assert read_message(event, "T0001", ME, KNOWN) is None


@pytest.mark.parametrize("text", ["<@U0BOT>", "", ":tada:", "🎉🎉", "שלום עולם", "\x00", "x" * 40_000])
def test_odd_texts_are_messages(text: str) -> None:
    message = read_message({**recorded("message-im"), "text": text}, "T0001", ME, KNOWN)
    assert message is not None
    assert message.text == ("" if text in ("<@U0BOT>", "\x00") else text)


def test_the_bots_name_stands_where_it_is_mentioned_later() -> None:
    message = read_message({**recorded("message-im"), "text": "ask <@U0BOT>"}, "T0001", ME, KNOWN)
    assert message is not None
    assert (message.text, message.mentions_bot) == ("ask @frontdesk", True)


def test_the_names_of_author_people_and_places_are_wanted() -> None:
    needed = wanted(recorded("thread-reply"))
    assert (needed.people, needed.places) == (("U0ANN", "U0BEA"), ("C0GENERAL",))
    assert wanted(recorded("message-im")).places == wanted(recorded("message-mpim")).places == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "channel",
    "channel_type",
    "user",
    "text",
    "ts",
    "thread_ts",
    "edited",
    "files",
    "message",
    "bot_id",
]


@given(st.fixed_dictionaries({}, optional={name: JSON for name in FIELDS}), st.sampled_from(FIELDS))
def test_no_event_breaks_the_reading(parts: dict[str, Any], broken: str) -> None:
    whole = {**recorded("message-changed"), **recorded("thread-reply")}
    for event in (parts, {**whole, broken: parts.get(broken)}, {**recorded("message-changed"), **parts}):
        wanted(event)
        try:
            message = read_message(event, "T0001", ME, KNOWN)
        except ValueError:
            continue
        assert message is None or message.id
