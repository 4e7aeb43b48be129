"""Words of command are only what the whole message is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.wishes import read_wish
from bot.dialogue import Wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("stop", Wish.STOP),
        ("Stop!", Wish.STOP),
        ("please stop.", Wish.STOP),
        ("/stop", Wish.STOP),
        ("停止", Wish.STOP),
        ("停！", Wish.STOP),
        ("again", Wish.AGAIN),
        ("Try again, please", Wish.AGAIN),
        ("重来", Wish.AGAIN),
        ("再试一次。", Wish.AGAIN),
        ("再試一次", Wish.AGAIN),
        ("why?", Wish.WHY),
        ("**why**", Wish.WHY),
        ("为什么？", Wish.WHY),
        ("為什麼", Wish.WHY),
        ("new", Wish.NEW),
        ("新对话", Wish.NEW),
        ("新對話", Wish.NEW),
        ("quiet", Wish.QUIET),
        ("be  quiet", Wish.QUIET),
        ("安静", Wish.QUIET),
        ("请安静", Wish.QUIET),
        ("安靜！", Wish.QUIET),
        ("join", Wish.JOIN),
        ("加入", Wish.JOIN),
        ("HELP", Wish.HELP),
        ("帮助", Wish.HELP),
        ("幫助", Wish.HELP),
        ("language", Wish.HELP),
    ],
)
def test_a_word_alone_is_a_wish(text: str, wish: Wish) -> None:
    assert read_wish(text) == (wish, "")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("language zh-TW", "zh-TW"),
        ("Language: zh_tw", "zh-TW"),
        ("language zh-hant-tw", "zh-Hant-TW"),
        ("lang de", "de"),
        ("speak English", "en"),
        ("answer in Chinese", "zh-CN"),
        ("语言 zh-CN", "zh-CN"),
        ("语言：繁体中文", "zh-TW"),
        ("語言 繁體中文", "zh-TW"),
        ("说中文", "zh-CN"),
        ("speak français", "fr"),
        ("language Deutsch", "de"),
        ("请用英文", "en"),
        ("language auto", ""),
        ("语言 自动", ""),
    ],
)
def test_a_language_is_named_by_tag_or_name(text: str, tag: str) -> None:
    assert read_wish(text) == (Wish.LANGUAGE, tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "why is the sky blue",
        "why not",
        "stop the printer",
        "how do I stop a container?",
        "new ideas for lunch",
        "为什么天是蓝的",
        "停止服务怎么做",
        "help me write a letter",
        "language is hard",
        "speak up",
        "speak it",
        "cancel",
        "say hello",
        "用中文怎么写",
        "说明一下这个函数",
        "do it again and again",
        "quiet places near here",
    ],
)
def test_a_question_is_no_wish(text: str) -> None:
    assert read_wish(text) is None


def test_why_without_a_mention_is_the_next_question() -> None:
    assert read_wish("why?", named=False) is None
    assert read_wish("为什么", named=False) is None
    assert read_wish("stop", named=False) == (Wish.STOP, "")


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    found = read_wish(text)
    assert found is None or isinstance(found[0], Wish)


@given(
    st.sampled_from(["stop", "why", "为什么", "again"]), st.sampled_from(["is", "the box", "天是蓝的", "2"])
)
def test_a_word_with_more_words_is_no_wish(word: str, more: str) -> None:
    assert read_wish(f"{word} {more} now") is None
