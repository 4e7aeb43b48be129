"""Words of command: a message to the bot that is nothing but "stop", "why" or the like; pure."""

from __future__ import annotations

import re

from bot.dialogue import Wish, tag_named

LONGEST = 40  # characters; no wish is longer

_WORDS = """
stop: stop | stop it | stop that | abort | 停 | 停下 | 停下来 | 停下來 | 停止 | 停一下 | 别说了 | 別說了
again: again | try again | retry | regenerate | once more | 重来 | 重來 | 再来一次 | 再來一次
again: 再试一次 | 再試一次 | 重试 | 重試 | 重新回答 | 重新生成 | 再答一次
why: why | why this answer | 为什么 | 為什麼 | 为何 | 為何 | 为啥 | 為啥
new: new | new conversation | new chat | start over | 新对话 | 新對話 | 新的对话 | 新的對話 | 新会话 | 新會話
new: 重新开始 | 重新開始 | 新话题 | 新話題
quiet: quiet | be quiet | silence | hush | shut up | mute | 安静 | 安靜 | 安静点 | 安靜點
quiet: 保持安静 | 保持安靜 | 闭嘴 | 閉嘴 | 静音 | 靜音 | 别插话 | 別插話
join: join | join in | unmute | come back | 加入 | 回来 | 回來 | 一起聊 | 取消静音 | 取消靜音
help: help | help me | commands | what can you do | 帮助 | 幫助 | 说明 | 說明 | 命令 | 指令
help: 你会什么 | 你會什麼 | 你能做什么 | 你能做什麼
"""
_WISHES = {
    word.strip(): Wish(name)
    for name, _, words in (line.partition(":") for line in _WORDS.strip().splitlines())
    for word in words.split("|")
}

_LANGUAGE = re.compile(r"(?:language|lang|语言|語言)\s*[:：=]?\s*(\S.*)")
_SPEAK = re.compile(r"(?:speak|answer in|说|說|用)\s*(\S.*)")
_LANGUAGE_ALONE = frozenset({"language", "lang", "语言", "語言"})
_TAG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}", re.IGNORECASE)
# "Language is hard" must not be taken for Icelandic.
_PRIMARY_TAGS = """
ar bg bn cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl no pl pt ro ru sk sl sr sv ta
th tl tr uk ur vi zh
"""
_PRIMARY = frozenset(_PRIMARY_TAGS.split())
_POLITE = re.compile(r"^(?:please|pls|/|!|请|請)\s*|\s*(?:please|pls)$", re.IGNORECASE)
_AROUND = " \t\r\n.,;:!?…~*_`\"'()[]。，、；：！？～「」『』（）"


def read_wish(text: str, named: bool = True) -> tuple[Wish, str] | None:
    """
    Read the wish that a message to the bot is, with its value; None where it is a question.

    Only the whole text counts, punctuation and a "please" aside: "stop!" is a wish, "stop the printer" is
    not. The mention of the bot is left out before; `named` says that there was one. Without it "why?" is the
    next question of a talk. The value is a language as a BCP 47 tag, "" for whatever the person writes in.
    """
    said = " ".join(text.strip(_AROUND).split())
    bare = _POLITE.sub("", said).strip(_AROUND).casefold()
    if not bare or len(bare) > LONGEST:
        return None
    wish = _WISHES.get(bare)
    if wish is Wish.WHY and not named:
        return None
    return (wish, "") if wish is not None else _language(bare)


def _language(bare: str) -> tuple[Wish, str] | None:
    if bare in _LANGUAGE_ALONE:
        return Wish.HELP, ""  # which one is not said: the help tells how to choose
    spoken, chosen = _SPEAK.fullmatch(bare), _LANGUAGE.fullmatch(bare)
    tag: str | None = None
    if chosen:
        tag = _tag(chosen[1].strip(_AROUND))
    elif spoken:
        tag = tag_named(spoken[1])
    return None if tag is None else (Wish.LANGUAGE, tag)


def _tag(named: str) -> str | None:
    """Read a language's name or tag; None for any other word."""
    if (tag := tag_named(named)) is not None:
        return tag
    if not _TAG.fullmatch(named):
        return None
    parts = named.replace("_", "-").split("-")
    if parts[0] not in _PRIMARY:
        return None
    return "-".join([parts[0], *(_subtag(part) for part in parts[1:])])


def _subtag(part: str) -> str:
    """Write a subtag as it is written by convention (RFC 5646, 2.1.1): Hant, TW."""
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part
