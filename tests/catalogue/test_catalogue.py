"""The bot's own words: the same in every language, and never missing."""

from __future__ import annotations

import re
import string
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import bot
from bot.catalogue import Catalogue, chinese
from bot.errors import BackendError
from bot.ports import Words

WORDS = Catalogue()
SOURCES = sorted(item.name for item in files("bot.catalogue").iterdir() if item.name.endswith(".po"))


def read(name: str) -> Catalog:
    with files("bot.catalogue").joinpath(name).open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(name: str) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in read(name) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_english_and_chinese_are_there() -> None:
    assert SOURCES == ["en.po", "zh_CN.po", "zh_TW.po"]
    assert Catalogue().languages == {"en", "zh-cn", "zh-tw"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_language_has_the_same_keys_and_placeholders(name: str) -> None:
    english, other = texts("en.po"), texts(name)
    assert other.keys() == english.keys()
    # {language} is always at hand, so a language may leave it out or add it.
    for key, text in other.items():
        assert placeholders(text) - {"language"} == placeholders(english[key]) - {"language"}, key


@pytest.mark.parametrize("name", ["zh_CN.po", "zh_TW.po"])
def test_it_speaks_as_a_teammate_does(name: str) -> None:
    readme = (Path(bot.__file__).parent.parent / "README.zh-CN.md").read_text("utf-8")
    # One word for "you", not two.
    assert not [text for text in (*texts(name).values(), readme) if {"您", "妳"} & set(text)]


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_is_empty_doubtful_or_out_of_order(name: str) -> None:
    messages = [message for message in read(name) if message.id]
    assert all(str(message.string).strip() and not message.fuzzy for message in messages)
    keys = [str(message.id) for message in messages]
    assert keys == sorted(keys)
    source = files("bot.catalogue").joinpath(name).read_text("utf-8")
    written = re.findall(r'^msgid "(.+)"$', source, re.MULTILINE)
    assert written == keys  # a key written twice would be lost silently


@pytest.mark.parametrize("name", SOURCES)
def test_marks_of_emphasis_and_code_come_in_pairs(name: str) -> None:
    for key, text in texts(name).items():
        assert text.count("`") % 2 == 0, key
        assert text.startswith("_") == text.endswith("_"), key


@pytest.mark.parametrize("name", SOURCES)
def test_every_text_can_be_said(name: str) -> None:
    for key, text in texts(name).items():
        wanted = placeholders(text) - {"language"}
        said = WORDS.say(key, name.removesuffix(".po"), **dict.fromkeys(wanted, "VALUE"))
        assert said, key
        assert said != key
        assert "{" not in said, key


def reasons() -> set[str]:
    found, waiting = set(), [BackendError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.reason)
        waiting += kind.__subclasses__()
    return found


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_every_reason_of_a_backend_has_words(language: str) -> None:
    words: Words = Catalogue()
    assert all(words.say(reason, language) for reason in reasons())


def test_keys_named_in_the_code_exist() -> None:
    root = Path(bot.__file__).parent
    said = set()
    for module in root.rglob("*.py"):
        said |= set(re.findall(r"""\.say\(\s*["']([\w-]+)["']""", module.read_text("utf-8")))
    assert said <= texts("en.po").keys()


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("zh", "zh_CN.po"), ("zh-CN", "zh_CN.po"), ("zh_CN", "zh_CN.po"), ("ZH-cn", "zh_CN.po"),
        ("zh-Hans", "zh_CN.po"), ("zh-SG", "zh_CN.po"), ("zh-Hans-HK", "zh_CN.po"),
        ("zh-TW", "zh_TW.po"), ("zh_tw", "zh_TW.po"), ("zh-HK", "zh_TW.po"), ("zh-MO", "zh_TW.po"),
        ("zh-Hant", "zh_TW.po"), ("zh-Hant-HK", "zh_TW.po"), ("zh-Hant-CN", "zh_TW.po"),
    ],
)  # fmt: skip
def test_every_chinese_gets_its_own_or_the_nearest(tag: str, name: str) -> None:
    assert texts("zh_CN.po")["web-skip"] != texts("zh_TW.po")["web-skip"]
    assert Catalogue().say("web-skip", tag) == texts(name)["web-skip"]


@pytest.mark.parametrize(("name", "foreign"), [("zh_CN.po", 1), ("zh_TW.po", -1)])
def test_each_chinese_is_written_in_its_own_characters(name: str, foreign: int) -> None:
    wrong = {
        key: letters
        for key, text in texts(name).items()
        if (letters := [letter for letter in text if chinese.script(letter) == foreign])
    }
    assert not wrong


# What people of the mainland and of Taiwan call differently; the characters alone would not tell.
_MAINLAND_WORDS = (
    "軟件", "硬件", "服務器", "文件夾", "網絡", "數據", "信息", "消息", "默認", "程序", "用戶", "菜單",
    "登錄", "鏈接", "質量", "反饋", "激活", "打印", "屏幕", "鼠標", "回車", "私信", "令牌", "密鑰",
    "終端裡", "粘貼", "加載", "日誌", "進程", "界面", "內置", "支持", "聯繫", "賬", "重啟", "設置", "儲存庫",
)  # fmt: skip
_TAIWAN_WORDS = (
    "软体", "伺服器", "网路", "资料库", "讯息", "预设", "程式", "使用者", "选单", "登入", "连结", "影片",
    "萤幕", "滑鼠", "私讯", "权杖", "金钥", "执行绪", "介面", "内建", "支援", "联络", "帐户",
)  # fmt: skip


@pytest.mark.parametrize(("name", "words"), [("zh_TW.po", _MAINLAND_WORDS), ("zh_CN.po", _TAIWAN_WORDS)])
def test_each_chinese_uses_its_own_words(name: str, words: tuple[str, ...]) -> None:
    wrong = {key: word for key, text in texts(name).items() for word in words if word in text}
    assert not wrong


@pytest.mark.parametrize("tag", ["en", "en-GB", "de", "", "xx-yy", "not a tag"])
def test_every_other_language_gets_english(tag: str) -> None:
    assert Catalogue().say("thinking", tag) == "is thinking…"


def test_an_unknown_key_raises() -> None:
    with pytest.raises(KeyError, match="no-such-key"):
        Catalogue().say("no-such-key", "zh")


def test_a_missing_value_raises() -> None:
    with pytest.raises(KeyError, match="reason"):
        Catalogue().say("unfinished", "en")


def test_braces_in_a_value_are_left_alone() -> None:
    assert "{0} {x}" in Catalogue().say("unfinished", "zh", reason="{0} {x}")


@pytest.mark.parametrize(
    ("tag", "name"),
    [("zh-CN", "中文"), ("zh-TW", "中文"), ("ja", "Japanese"), ("ar", "Arabic"), ("xx", "xx")],
)
def test_the_language_that_cannot_be_written_is_named(tag: str, name: str) -> None:
    assert name in Catalogue().say("cannot-write", tag)


def test_a_word_missing_in_one_language_is_said_in_english(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "en.po").write_text(head + 'msgid "greeting"\nmsgstr "Hello"\n', "utf-8")
    (tmp_path / "de.po").write_text(head + 'msgid "greeting"\nmsgstr ""\n', "utf-8")
    assert Catalogue(tmp_path).say("greeting", "de") == "Hello"
