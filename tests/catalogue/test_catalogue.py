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
from bot.catalogue import Catalogue
from bot.errors import BackendError
from bot.ports import Words

SOURCES = sorted(item.name for item in files("bot.catalogue").iterdir() if item.name.endswith(".po"))


def read(name: str) -> Catalog:
    with files("bot.catalogue").joinpath(name).open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(name: str) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in read(name) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_english_and_chinese_are_there() -> None:
    assert SOURCES == ["en.po", "zh_CN.po"]
    assert Catalogue().languages == {"en", "zh-cn"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_language_has_the_same_keys_and_placeholders(name: str) -> None:
    english, other = texts("en.po"), texts(name)
    assert other.keys() == english.keys()
    # {language} is always at hand, so a language may leave it out or add it.
    for key, text in other.items():
        assert placeholders(text) - {"language"} == placeholders(english[key]) - {"language"}, key


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
@pytest.mark.parametrize("key", sorted(texts("en.po")))
def test_every_text_can_be_said(name: str, key: str) -> None:
    wanted = placeholders(texts(name)[key]) - {"language"}
    said = Catalogue().say(key, name.removesuffix(".po"), **dict.fromkeys(wanted, "VALUE"))
    assert said
    assert said != key
    assert "{" not in said


def reasons() -> set[str]:
    found, waiting = set(), [BackendError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.reason)
        waiting += kind.__subclasses__()
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_of_a_backend_has_words(language: str) -> None:
    words: Words = Catalogue()
    assert all(words.say(reason, language) for reason in reasons())


def test_keys_named_in_the_code_exist() -> None:
    root = Path(bot.__file__).parent
    said = set()
    for module in root.rglob("*.py"):
        said |= set(re.findall(r"""\.say\(\s*["']([\w-]+)["']""", module.read_text("utf-8")))
    assert said <= texts("en.po").keys()


@pytest.mark.parametrize("tag", ["zh", "zh-CN", "zh_CN", "ZH-cn", "zh-TW", "zh-Hant-HK"])
def test_every_chinese_gets_the_chinese_there_is(tag: str) -> None:
    assert Catalogue().say("thinking", tag) == texts("zh_CN.po")["thinking"]


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
    ("tag", "name"), [("zh-CN", "中文"), ("ja", "Japanese"), ("ar", "Arabic"), ("xx", "xx")]
)
def test_the_language_that_cannot_be_written_is_named(tag: str, name: str) -> None:
    assert name in Catalogue().say("cannot-write", tag)


def test_a_word_missing_in_one_language_is_said_in_english(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "en.po").write_text(head + 'msgid "greeting"\nmsgstr "Hello"\n', "utf-8")
    (tmp_path / "de.po").write_text(head + 'msgid "greeting"\nmsgstr ""\n', "utf-8")
    assert Catalogue(tmp_path).say("greeting", "de") == "Hello"
