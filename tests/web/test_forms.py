"""What a browser sends."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.dialogue import ChannelKind, Platform, Wish
from bot.web.forms import Post, Wished, clean

SENT = {
    "id": str(uuid4()),
    "text": "Hello",
    "person": str(uuid4()),
    "name": "Mira",
    "time_zone": "Asia/Shanghai",
    "locale": "zh-CN",
}


def test_a_message_carries_who_where_and_when() -> None:
    thread = uuid4()
    message = Post.model_validate(SENT).message(thread, "Guest")
    assert (message.id, message.text) == (SENT["id"], "Hello")
    assert message.channel.platform is Platform.WEB
    assert message.channel.kind is ChannelKind.DIRECT
    assert (message.channel.workspace, message.channel.id) == ("local", str(thread))
    assert (message.author.name, message.author.time_zone, message.author.locale) == (
        "Mira",
        "Asia/Shanghai",
        "zh-CN",
    )
    assert message.sent_at.tzinfo is not None


def test_who_gives_no_name_is_a_guest() -> None:
    assert Post.model_validate({**SENT, "name": " \n "}).message(uuid4(), "访客").author.name == "访客"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "", "asia/shanghai\x00"]
)
def test_an_unknown_time_zone_is_none(zone: str) -> None:
    assert Post.model_validate({**SENT, "time_zone": zone}).time_zone == ""


@pytest.mark.parametrize(
    ("locale", "kept"), [("en", "en"), ("zh-Hans-CN", "zh-Hans-CN"), ("x;y", ""), ("", ""), ("C", "")]
)
def test_a_locale_is_kept_only_if_it_is_one(locale: str, kept: str) -> None:
    assert Post.model_validate({**SENT, "locale": locale}).locale == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "1"},
        {"id": ""},
        {"person": "me"},
        {"text": 7},
        {"text": None},
        {"name": "x" * 500},
        {"time_zone": 1},
    ],
)
def test_what_is_malformed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Post.model_validate({**SENT, **wrong})


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b", "ab"),
        ("  \n\t ", ""),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred", "[31mred"),
        ("\ud83d", "�"),
        ("\ud83d\ude00", "😀"),
        ("مرحبا \u202e x", "مرحبا \u202e x"),
        ("😀🎉", "😀🎉"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_text_is_cleaned_of_what_a_database_or_a_terminal_cannot_take(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_stored_after_cleaning(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert clean(cleaned) == cleaned


def test_the_title_is_one_short_line_of_the_first_message() -> None:
    channel = Post.model_validate({**SENT, "text": "first\nsecond " * 40}).message(uuid4(), "Guest").channel
    assert "\n" not in channel.name
    assert len(channel.name) == 80


def test_a_wish_is_about_one_answer_of_its_thread() -> None:
    thread, person = uuid4(), uuid4()
    sent = {
        "wish": "vote",
        "person": str(person),
        "value": "down",
        "reason": " too long\x00 ",
        "locale": "zh-TW",
    }
    request = Wished.model_validate(sent).request(thread, 7)
    assert (request.wish, request.turn, request.value, request.reason) == (Wish.VOTE, 7, "down", "too long")
    assert (request.person.id, request.person.locale) == (str(person), "zh-TW")
    assert request.channel.id == str(thread)


@pytest.mark.parametrize(
    "wrong", [{"wish": "erase"}, {"wish": "vote", "value": "sideways"}, {"wish": "stop", "person": "me"}]
)
def test_a_wish_nobody_offered_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Wished.model_validate({"person": str(uuid4()), **wrong})
