"""Whom a text calls by name."""

from __future__ import annotations

import pytest

from bot.attention.calling import BOT, SOMEBODY, aliases, called

PEOPLE = {"U1": "Ben", "U2": "老马", "U3": "Priya Nair", "U4": "Will", "U5": "dave_k", "U6": "陈思雨"}


@pytest.mark.parametrize(
    "text",
    [
        "Frontdesk, what runs there?",
        "frontdesk what runs there",
        "hey bot, hello",
        "hey frontdesk",
        "ok bot, add it",
        "@frontdesk who?",
        "who runs this, bot?",
        "机器人，这个怎么弄",
        "機器人 這個怎麼弄",
        "助手，加上",
        "bot，新接口支持吗",
    ],
)
def test_the_bot_is_called(text: str) -> None:
    assert called(text, ["Frontdesk"], PEOPLE) == BOT


@pytest.mark.parametrize(
    "text",
    [
        "the bot is right",
        "bot is down again",
        "ask the bot",
        "机器人说得对",
        "I like robots",
        "is the robot ok",
        "frontdesk is slow today",
        "our frontdesk opens at nine",
    ],
)
def test_who_talks_of_the_bot_does_not_call_it(text: str) -> None:
    assert called(text, ["Frontdesk"], PEOPLE) == ""


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ben, see above", "U1"),
        ("ben can you look", "U1"),
        ("BEN: ping", "U1"),
        ("what about you, Ben?", "U1"),
        ("thanks Ben", "U1"),
        ("hey ben, lunch?", "U1"),
        ("well @ben knows", "U1"),
        ("Ben你看", "U1"),
        ("Ben?", "U1"),
        ("老马，那只是测试", "U2"),
        ("老马你更新一下", "U2"),
        ("谢谢老马", "U2"),
        ("priya, ready?", "U3"),
        ("Nair: hi", "U3"),
        ("Will, can you check", "U4"),
        ("dave_k: which?", "U5"),
        ("dave can you", "U5"),
        ("思雨，帮我看看", "U6"),
        ("陈思雨 你看看", "U6"),
    ],
)
def test_people_of_the_thread_are_called(text: str, person: str) -> None:
    assert called(text, ["Frontdesk"], PEOPLE) == person


@pytest.mark.parametrize(
    "text",
    [
        "Ben said it is 3000, is that right?",
        "assign it to Ben",
        "will that work?",
        "Will you say it again in French?",
        "老马说现在是三万，是吗",
        "写给老马负责",
        "Actually, can you explain?",
        "Unfortunately, you lost me",
        "so can you show it",
        "白屏了，你看看",
        "小问题，你说说",
        "谢谢，你再查一下",
        "请问 你会中文吗",
        "what does `@ben` do",
        "how do I use @dataclass here",
        "Excellent, could you add a line",
        "Error: you must log in",
    ],
)
def test_a_name_or_a_comma_alone_calls_nobody(text: str) -> None:
    assert called(text, ["Frontdesk"], PEOPLE) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Paul, can you check please?",
        "can you check please, Paul?",
        "Sara or Tim, can one of you do it?",
        "@legal please",
        "hey Pete, your page is wrong",
        "Lisa what do you think",
        "王姐，帮我看一下",
        "张工能查吗",
        "小李，你在吗",
        "@法务 麻烦看下",
        "莎拉或提姆，誰能處理一下？",
        "王磊，你看过吗",
    ],
)
def test_people_whom_the_thread_does_not_know_are_called(text: str) -> None:
    assert called(text, ["Frontdesk"], PEOPLE) == SOMEBODY


def test_people_are_called_by_any_part_of_their_name() -> None:
    assert aliases("Priya Nair") == ("priya nair", "priya", "nair")
    assert aliases("客服小金") == ("客服小金", "小金")
    assert aliases("@Jo") == ("jo",)
    assert aliases(" ") == ()
