"""Which written form of Chinese a person reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import Catalogue, chinese
from bot.dialogue import Author, Channel, Message, Platform
from tests.fakes import a_message

SIMPLIFIED = "请问怎么重置密码？"
TRADITIONAL = "請問怎麼重設密碼？"


def asked(text: str, *, chosen: str = "", locale: str = "", place: str = "") -> Message:
    channel = Channel(Platform.DISCORD, "G1", "C1", language=place)
    return a_message(text, channel=channel, author=Author("U1", "小李", locale=locale), language=chosen)


@pytest.mark.parametrize(
    "text",
    [
        SIMPLIFIED, "帮我看看这个 error message", "服务起不来了", "谢谢", "没关系", "这个怎么弄", "机器人",
        "部署失败，日志里报错", "@陳小姐 这个订单怎么查", "`設定檔` 里的参数没生效", "囧，又挂了，怎么办",
    ],
)  # fmt: skip
def test_simplified_writing_is_answered_for_the_mainland(text: str) -> None:
    assert Catalogue().language_for(asked(text)) == "zh-CN"
    assert Catalogue().language_for(asked(text, locale="zh-TW", place="zh-HK")) == "zh-CN"


@pytest.mark.parametrize(
    "text",
    [
        TRADITIONAL, "幫我看看這個 error message", "伺服器起不來了", "謝謝", "沒關係", "這個怎麼弄", "機器人",
        "佈署失敗，記錄檔裡有錯誤", "@陈小姐 這張訂單怎麼查", "`设置` 裡的參數沒生效", "嗎", "妳好",
        "點解登入唔到？", "啲嘢喺邊度", "我嘅密碼冇咗",
    ],
)  # fmt: skip
def test_traditional_writing_is_answered_for_taiwan(text: str) -> None:
    assert Catalogue().language_for(asked(text)) == "zh-TW"
    assert Catalogue().language_for(asked(text, locale="zh-CN", place="zh-CN")) == "zh-TW"


def test_hong_kong_keeps_its_own_form_of_traditional_writing() -> None:
    assert Catalogue().language_for(asked(TRADITIONAL, locale="zh-HK")) == "zh-HK"
    assert Catalogue().language_for(asked(TRADITIONAL, place="zh-Hant-HK")) == "zh-Hant-HK"
    assert Catalogue().language_for(asked(SIMPLIFIED, locale="zh-HK")) == "zh-CN"


@pytest.mark.parametrize(
    ("locale", "place", "language"),
    [
        ("zh-TW", "zh-CN", "zh-TW"), ("zh-HK", "", "zh-HK"), ("", "zh-TW", "zh-TW"),
        ("en-US", "zh-TW", "zh-TW"), ("zh", "zh-TW", "zh-TW"), ("zh-CN", "zh-TW", "zh-CN"),
        ("zh-SG", "", "zh-SG"),
        ("", "", "zh-CN"), ("en-US", "de", "zh-CN"), ("zh", "", "zh-CN"),
    ],
)  # fmt: skip
def test_writing_that_fits_both_goes_by_the_person_and_then_the_place(
    locale: str, place: str, language: str
) -> None:
    assert Catalogue().language_for(asked("你好，可以退回去", locale=locale, place=place)) == language


def test_what_a_person_chose_comes_before_the_script() -> None:
    assert Catalogue().language_for(asked(SIMPLIFIED, chosen="zh-TW", locale="zh-CN")) == "zh-TW"
    assert Catalogue().language_for(asked("How do I reset it?", chosen="zh-CN")) == "zh-CN"


@pytest.mark.parametrize(
    ("text", "locale", "place", "language"),
    [
        ("How do I reset my password?", "zh-TW", "zh-TW", "en"),
        ("How do I reset my password?", "en-GB", "", "en-GB"),
        ("How do I reset my password?", "de", "en-IE", "en-IE"),
        ("Wie setze ich mein Passwort zurück?", "en-US", "de-AT", "de-AT"),
        ("비밀번호를 어떻게 바꾸나요?", "zh-TW", "", "ko"),
        ("👍", "zh-TW", "en-US", "zh-TW"),
        ("https://example.com/a", "", "zh-TW", "zh-TW"),
        ("42", "", "", "en"),
    ],
)
def test_the_script_comes_before_the_locale_and_that_before_the_place(
    text: str, locale: str, place: str, language: str
) -> None:
    assert Catalogue().language_for(asked(text, locale=locale, place=place)) == language


@pytest.mark.parametrize("tag", ["zh-TW", "zh_TW", "zh-hant", "ZH-HANT-CN", "zh-HK", "zh-MO"])
def test_tags_of_traditional_chinese(tag: str) -> None:
    assert chinese.traditional(tag) is True


@pytest.mark.parametrize("tag", ["zh-CN", "zh_cn", "zh-Hans", "zh-Hans-TW", "zh-SG"])
def test_tags_of_simplified_chinese(tag: str) -> None:
    assert chinese.traditional(tag) is False


@pytest.mark.parametrize("tag", ["zh", "", "en-TW", "ja", "zhx-TW"])
def test_tags_that_tell_no_form(tag: str) -> None:
    assert chinese.traditional(tag) is None


@given(st.text(max_size=100), st.lists(st.text(max_size=12), max_size=2))
def test_any_text_gets_a_form_of_chinese(text: str, tags: list[str]) -> None:
    told = chinese.variant(text, tags)
    assert told in {"zh-CN", "zh-TW"} or chinese.traditional(told) is not None
