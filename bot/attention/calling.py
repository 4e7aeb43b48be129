"""Whom a message calls by name: the bot, somebody of the thread, or somebody else; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

BOT = "\0bot"
SOMEBODY = "\0somebody"  # a person whom the thread does not know

_GENERIC = ("bot", "assistant", "机器人", "機器人", "小助手", "助手", "助理")
_GREETING = r"(?:hey|hi|hello|yo|ok|okay|so|and|dear|嗨|那|请问|請問)"
_THANKS = r"(?:thanks|thank you|thx|ty|cheers|sorry|hey|hi|hello|bye|谢谢|謝謝|感谢|感謝|多谢|辛苦了?)"
_TO = r"(?:can|could|will|would|did|do|are|have|were|please|pls|what|any|your|you|u)\b"
_TO_ZH = r"[你妳您能可帮幫请請麻看来來辛谢謝快有在明]"
_LAST = r"[\s?？!！.。~～]*$"

# Words that stand before a comma or "you" as a name may.
_NO_NAMES = frozenset(
    """
    actually again all also and any anyway are awesome because both btw but can correct could damn did do does
    each either everybody everyone exactly fine first folks fyi good got great guys have hello hey hi hm hmm how
    however if indeed is it just last lastly later like look man maybe mine morning never next nice no nope not
    now oh ok okay one or otherwise people perfect perhaps please pls plus quick right same second see should
    since so some sometimes somehow sorry still sure team thanks that the then there therefore these they this
    those though thx today tomorrow too true two unfortunately wait was we well were what when where which while
    who why will with wow wrong yeah yep yes yesterday yet you error warning note traceback
    """.split()
)
_SURNAMES = (
    "李王张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董"
    "袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范石廖贾賈夏韦方白邹鄒孟熊秦邱江尹薛段雷侯龙龍史陶黎贺賀"
    "顾顧毛郝龚邵万萬钱錢严嚴武戴莫孔向汤湯皮"
)
_TITLES = r"(?:哥|姐|工|总|總|老师|老師|经理|經理|主管|同学|同學|博士|律师|律師|医生|叔|姨|主任)"
_STRANGER = (
    re.compile(rf"^(?:{_GREETING}\s+|{_THANKS}\s+)?(?P<a>[A-Z][\w'-]+)(?: (?:or|and) [A-Z][\w'-]+)?\s*[,:]\s.*\b(?:you|your|u|please|pls)\b", re.S),
    re.compile(rf"^(?:{_GREETING},?\s+)?(?P<a>[A-Z][a-z]+),? (?:(?:what|how|when|where) )?(?:can|could|would|will|do|did|are|were|have) (?:you|u)\b"),
    re.compile(r"^(?:[Hh]ey|[Hh]i|[Hh]ello|[Tt]hanks|[Tt]hank you|[Tt]hx) (?P<a>[A-Z][a-z]+)\b"),
    re.compile(rf"\b(?:you|please|your)\b.*,\s*(?P<a>[A-Z][a-z]+){_LAST}", re.S),
)
_STRANGER_ZH = re.compile(
    rf"^(?:[{_SURNAMES}]{_TITLES}(?=[，,：:\s]|{_TO_ZH})"
    rf"|[老小阿][{_SURNAMES}](?=[，,：:]|{_TO_ZH})"
    rf"|[{_SURNAMES}][一-鿿]{{1,2}}[，,]\s*{_TO_ZH}"
    r"|[一-鿿]{2,3}(?:或|和|跟|、)[一-鿿]{2,3}[，,]\s*(?:[谁誰]|[你妳][们們]))"
)
_AT = re.compile(r"(?<![\w.])@(\w[\w.-]*)")


def called(text: str, own: Iterable[str], people: Mapping[str, str]) -> str:
    """
    Say whom a text calls: `BOT`, a person's id, `SOMEBODY`, or "" where it calls nobody.

    `own` are the bot's names; `people` are the names of the thread's people, by id.
    """
    said = text[:500].strip()
    names = tuple(name.casefold() for name in (*own, *_GENERIC))
    if any(_calls(said, name) or f"@{name}" in said.casefold() for name in names):
        return BOT
    for person, name in people.items():
        if any(_calls(said, alias) for alias in aliases(name)):
            return person
    if _AT.search(said) or _STRANGER_ZH.search(said):
        return SOMEBODY
    found = (pattern.search(said) for pattern in _STRANGER)
    strange = any(match and match["a"].lower() not in _NO_NAMES and not match["a"].endswith("ly") for match in found)
    return SOMEBODY if strange else ""


@lru_cache(maxsize=4096)
def aliases(name: str) -> tuple[str, ...]:
    """Say what people may call somebody: the whole name, its words, and the end of a Chinese one."""
    whole = name.strip().lstrip("@").casefold()
    words = [word for word in re.split(r"[\s._()（）-]+", whole) if len(word) > 1]
    end = [whole[-2:]] if re.fullmatch(r"[一-鿿]{3,5}", whole) else []
    return tuple(alias for alias in dict.fromkeys([whole, *words, *end]) if alias)


def _calls(said: str, name: str) -> bool:
    return name in said.casefold() and bool(_calling(name).search(said))


@lru_cache(maxsize=4096)
def _calling(name: str) -> re.Pattern[str]:
    """
    Write down how a name is called rather than told of.

    At the beginning before a comma, a question or "you"; at the end behind a comma or thanks; or with "@".
    """
    told = re.escape(name)
    if re.search(r"[一-鿿]", name):
        start = rf"^(?:{_GREETING}[，,\s]*|{_THANKS})?{told}(?:[，,：:、\s?？!！~]|$|{_TO_ZH})"
        return re.compile(rf"{start}|[，,\s谢謝]{told}{_LAST}|@{told}|[和或跟]{told}[，,]", re.IGNORECASE)
    start = rf"^(?:{_GREETING},?\s+|{_THANKS}\s+)?{told}(?:\s*[,:!?，：—-]+(?:\s|$)|\s*$|\s+{_TO}|\s*[一-鿿])"
    return re.compile(rf"{start}|(?:[,，]\s*|\b{_THANKS}\s+){told}{_LAST}|@{told}\b|\b(?:or|and) {told},", re.IGNORECASE)
