"""Whom a message calls by name: the bot, somebody of the thread, or somebody else; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

BOT = "\0bot"
SOMEBODY = "\0somebody"  # a person whom the thread does not know

_GENERIC = ("bot", "assistant", "机器人", "機器人", "小助手", "助手", "助理")
_GREETING = r"(?:hey|hi|hello|yo|ok|okay|so|and|dear|嗨|那|请问|請問)"
_THANKS = r"(?:thanks|thank you|thx|ty|cheers|sorry|bye|谢谢|謝謝|感谢|感謝|多谢|多謝|辛苦了?)"
_TO_ZH = r"(?:[你妳您能可帮幫请請麻看来來辛谢謝快有在明]|要不)"

# What may stand around a name that is called: before it, behind it, and before it at the very end.
_LEADING = re.compile(
    rf"(?:(?:{_GREETING}|{_THANKS})[,，\s]*)?(?:\w+ (?:or|and) |[一-鿿]{{2,3}}[或和跟、])?", re.IGNORECASE
)
_BEHIND = re.compile(
    rf"\s*[,:!?—-]+(?:\s|$)|\s*[，：！？、]|\s*$|\s*{_TO_ZH}|\s(?:or|and) \w+,"
    r"|\s+(?:can|could|will|would|did|do|are|have|were|please|pls|any|your|you|u|what|how|why|when|where|"
    r"who|which|show|give|tell|explain|list|help)\b",
    re.IGNORECASE,
)
_BEHIND_ZH = re.compile(rf"[，,：:、\s?？!！~]|$|{_TO_ZH}|[或和跟][一-鿿]{{2,3}}[，,]")
# Where a clause begins, and what goes on to the bot there: "Frontdesk is that so?", "frontdesk可以说话了".
_CLAUSE = re.compile(r"[.!?;。！？，；\n]\s*$|[请請]$|麻[烦煩]$")
_TO_BOT = re.compile(
    r"\s*[,，:：]|\s+(?:you|can you|could you|please|pls|what|how|why|when|where|which)\b"
    r"|\s+(?:is|are|does|do|did|has|was|who)\b[^.!\n]*\?"
)
_TO_BOT_ZH = re.compile(rf"\s?{_TO_ZH}|\s[^。！!\n]*(?:[?？吗嗎呢哪几幾]|怎|什[么麼]|多少|[谁誰])")
_CLOSING = re.compile(rf"[,，]\s*$|\b{_THANKS}\s+$", re.IGNORECASE)
_CLOSING_ZH = re.compile(rf"[，,\s]$|{_THANKS}$")
_LAST = re.compile(r"[\s?？!！.。~～]*$")

# Words that stand before a comma or "you" as a name may.
_NOT_NAMES = """
actually again all alright also amazing and any anyway are awesome because both brilliant btw but can
cheers correct could damn did do does each either error everybody everyone exactly excellent fantastic
fine first folks fyi good goodbye got great guys have hello hey hi hm hmm how however if indeed
interesting is it just last lastly later like look lovely man maybe mine morning never next nice no nope
not note now oh ok okay one or otherwise people perfect perhaps please pls plus question quick right same
second see should since so some somehow sometimes sorry still super sure team thank thanks that the then
there therefore these they this those though thx today tomorrow too traceback true two understood
unfortunately wait warning was we welcome well were what when where which while who why will with
wonderful wow wrong yeah yep yes yesterday yet you
"""
_NO_NAMES = frozenset(_NOT_NAMES.split())
_SURNAMES = (
    "李王张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董"
    "袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范石廖贾賈夏韦方白邹鄒孟熊秦邱江尹薛段雷侯龙龍史陶黎贺賀"
    "顾顧毛郝龚邵万萬钱錢严嚴武戴莫孔向汤湯皮"
)
_TITLES = r"(?:哥|姐|工|总|總|老师|老師|经理|經理|主管|同学|同學|博士|律师|律師|医生|叔|姨|主任)"
_STRANGER = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"^(?:{_GREETING}\s+|{_THANKS}\s+)?(?P<name>[A-Z][\w'-]+)(?: (?:or|"
        rf"and) [A-Z][\w'-]+)?\s*[,:]\s.*\b(?:you|your|u)\b",
        r"^(?P<name>[A-Z][\w'-]+)\s*[,:]\s(?:please|pls|is|are|can|could|would|will|do|does|did|have|"
        r"has|should|what|how)\b",
        rf"^(?:{_GREETING},?\s+)?(?P<name>[A-Za-z]{{2,}}),? (?:can|could|would|will) (?:you|u)\b",
        r"^(?P<name>[A-Z][a-z]+),? (?:(?:what|how|when|where) )?(?:do|did|are|were|have) (?:you|u)\b",
        r"^(?:[Hh]ey|[Hh]i|[Hh]ello|[Tt]hanks|[Tt]hank you|[Tt]hx) (?P<name>[A-Z][a-z]+)\b",
        r"\b(?:you|please|your)\b.*,\s*(?P<name>[A-Z][a-z]+)[\s?!.]*$",
    )
)
# Words that begin with a surname's character.
_NO_NAMES_ZH = (
    "[谢謝]|方[法便案]|[马馬]上|金[额額]|白|[万萬]一|[顾顧]客|[余餘]|程[序式]|任|周[末一二三四五六日]|[许許]多|何|于是|高[级級]|"
    "毛病|范[围圍]"
)
_NO_CALLS_ZH = "[请請你您妳那好对對不但可如怎什现現另还還所而嗯哦啊是我他它这這]"
_STRANGER_ZH = re.compile(
    rf"^(?:[{_SURNAMES}]{_TITLES}(?=[，,：:\s]|{_TO_ZH})"
    rf"|[老小阿][{_SURNAMES}](?=[，,：:]|{_TO_ZH})"
    rf"|(?!{_NO_NAMES_ZH})[{_SURNAMES}][一-鿿]{{1,2}}(?<![了的是也吗嗎])[，,]\s*[你您妳](?!看看|好)"
    rf"|(?!{_NO_NAMES_ZH}|{_NO_CALLS_ZH})[一-鿿]{{2,3}}\s[你妳您]"
    r"|[一-鿿]{2,3}(?:或|和|跟|、)[一-鿿]{2,3}[，,]\s*(?:[谁誰]|[你妳][们們]))"
)
_AT = re.compile(rf"^(?:{_GREETING}[,，\s]*)?@\w|(?<![\w.])@\w[\w.-]*\W*$", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def called(text: str, own: Iterable[str], people: Mapping[str, str]) -> str:
    """
    Say whom a text calls: `BOT`, a person's id, `SOMEBODY`, or "" where it calls nobody.

    `own` are the bot's names; `people` are the names of the thread's people, by id.
    """
    return _called(text[:500], tuple(own), tuple(people.items()))


@lru_cache(maxsize=1024)  # a thread's lines are looked at again with each message that comes
def _called(opening: str, own: tuple[str, ...], people: tuple[tuple[str, str], ...]) -> str:
    said = _CODE.sub(" ", opening).strip()
    folded = said.lower()
    if any(_calls(said, folded, name) or _begins(folded, name) for name in (*map(str.lower, own), *_GENERIC)):
        return BOT
    for person, name in people:
        if any(_calls(said, folded, alias) for alias in aliases(name)):
            return person
    if _AT.search(said) or _STRANGER_ZH.search(said):
        return SOMEBODY
    found = (pattern.search(said) for pattern in _STRANGER)
    strange = any(
        match and match["name"].lower() not in _NO_NAMES and not match["name"].endswith("ly")
        for match in found
    )
    return SOMEBODY if strange else ""


@lru_cache(maxsize=4096)
def aliases(name: str) -> tuple[str, ...]:
    """Say what people may call somebody: the whole name, its words, and the end of a Chinese one."""
    whole = name.strip().lstrip("@").lower()
    words = [word for word in re.split(r"[\s._()（）-]+", whole) if len(word) > 1]
    end = [whole[-2:]] if re.fullmatch(r"[一-鿿]{3,5}", whole) else []
    return tuple(alias for alias in dict.fromkeys([whole, *words, *end]) if alias)


def _begins(folded: str, name: str) -> bool:
    """Say whether a clause begins with the bot's name and goes on with a question or a request to it."""
    place = folded.find(name)
    while place >= 0:
        after = folded[place + len(name) :]
        if not folded[:place].strip() or _CLAUSE.search(folded[:place]):
            latin = "a" <= name[-1] <= "z"
            if _TO_BOT.match(after) or (latin and _TO_BOT_ZH.match(after)):
                return True
        place = folded.find(name, place + 1)
    return False


def _calls(said: str, folded: str, name: str) -> bool:
    """
    Say whether a name is called rather than told of.

    At the beginning before a comma, a question or "you"; at the end behind a comma or thanks; or with "@".
    """
    place = folded.find(name) if len(folded) == len(said) else said.find(name)
    if place < 0:
        return False
    before, after = said[:place], said[place + len(name) :]
    if name in _NO_NAMES and not (before.endswith("@") or after[:1] in {",", ":", "，", "："}):
        return False  # somebody may be called Will
    cjk = "\u4e00" <= name[-1] <= "\u9fff"
    if before.endswith("@"):
        return cjk or not after[:1].isalnum()
    if _LEADING.fullmatch(before) and (_BEHIND_ZH if cjk else _BEHIND).match(after):
        return True
    return bool((_CLOSING_ZH if cjk else _CLOSING).search(before) and _LAST.match(after))
