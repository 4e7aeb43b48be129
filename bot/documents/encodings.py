"""Decodes text of an encoding that nobody tells: Unicode first, then what fits the letters best."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# In this order where two fit equally well.
_LOCAL = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1252")
_LOOKED_AT = 4_096

# The characters that are met most often: bytes read in the wrong encoding hardly ever give them.
_HANZI = frozenset(
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而"
    "能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知样现分将外但身些与高意"
    "进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口"
    "使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数"
    "件表原今容度请谢测试档案文件档這來個國說們為時會著過學對裡後麼還發當無開經頭動兩長樣現將與進實點種聲話兒"
    "問機給幾業間東聽氣關並內產萬體別處總場師書員華報馬張難數請謝檔測試內麼麽您"
)
_SIGNS = frozenset("，。、；：？！“”‘’（）《》【】…—·「」『』〜ー")
_HANGUL = frozenset(
    "이다는의에가을를하고은도기한지로서사리어시자나있대인해보아일그제요세안녕수게주니라들습정만여전내년예산면과부스오원"
    "장조상구동경용생방공거성소연신비선화업무실되었까것위유계관분당문때중개없우"
)
_LATIN = frozenset("äöüßÄÖÜéèêëàâçîïôûùñóíáúøåæœÉÈÀÇÑ§°´¿¡ãõº")
_MARKS_OF_LATIN = frozenset("€’‘“”„–—…«»")
# What is likely though it is not among the most frequent: so many letters are common in no wrong reading.
_LIKELY = 0.4
# The bytes with which the two Chinese sets begin their frequent halves.
_COMMON = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5": ("big5", 0xA4, 0xC6)}


def decode(data: bytes, most: int) -> str | None:
    """Read bytes as text, of more than `most` the beginning and the end; None where they are no text."""
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", ""))
    encoding = encoding or _unicode(data[:most]) or _local(data) or ""
    if not encoding:
        return None
    text = _ends(data[len(mark) :], encoding, most)
    return None if _is_noise(text) else text.replace("\x00", "").replace("\r\n", "\n")


def _ends(data: bytes, encoding: str, most: int) -> str:
    if len(data) <= most:
        return data.decode(encoding, "replace")
    # By fours, as no encoding of fixed width has longer letters; halves of others are passed over.
    begin, end = most * 2 // 3 // 4 * 4, (len(data) - most // 3) // 4 * 4
    return f"{data[:begin].decode(encoding, 'ignore')}\n[…]\n{data[end:].decode(encoding, 'ignore')}"


def _unicode(data: bytes) -> str | None:
    head = data[:_LOOKED_AT]
    if b"\x00" not in head:
        return "utf-8" if _fits("utf-8", data) else None
    # ASCII letters in UTF-16 have a null byte each, always on the same side.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) * 10 < max(even, odd) and max(even, odd) * 5 > len(head):
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _local(data: bytes) -> str | None:
    if b"\x00" in data[:_LOOKED_AT]:
        return None
    head = data[:_LOOKED_AT]
    fitting = [encoding for encoding in _LOCAL if _fits(encoding, head)]
    return max(fitting, key=lambda one: _likeness(head.decode(one, "ignore"), one), default="cp1252")


def _fits(encoding: str, data: bytes) -> bool:
    """Say whether all of it can be decoded, but for a letter that the end cuts."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _likeness(text: str, encoding: str) -> float:
    """Say how much the letters beyond ASCII look like people's writing, from 0 to 1."""
    weights = [_weight(text, place, encoding) for place, letter in enumerate(text) if letter > "\x7f"]
    return sum(weights) / len(weights) if weights else 1.0


def _weight(text: str, place: int, encoding: str) -> float:
    letter = text[place]
    if encoding == "cp1252":
        return float(letter in _MARKS_OF_LATIN or (letter in _LATIN and not _in_a_row(text, place)))
    if letter in _HANZI or letter in _SIGNS or "\u3041" <= letter <= "\u30fc":
        return 1.0
    if encoding == "euc_kr":
        return 1.0 if letter in _HANGUL else _LIKELY * ("가" <= letter <= "힣")
    return _LIKELY * _is_common(letter, encoding)


def _in_a_row(text: str, place: int) -> bool:
    """Say whether a letter stands beside another beyond ASCII, as letters with accents hardly ever do."""
    beside = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return any(letter > "\x7f" and letter not in _MARKS_OF_LATIN for letter in beside)


def _is_common(letter: str, encoding: str) -> bool:
    if encoding not in _COMMON:
        return "一" <= letter <= "鿿"
    codec, first, last = _COMMON[encoding]
    encoded = letter.encode(codec, "ignore")
    return len(encoded) == 2 and first <= encoded[0] <= last


def _is_noise(text: str) -> bool:
    """Say whether so much cannot be shown that it was never text."""
    head = text[:_LOOKED_AT]
    strange = sum(letter == "\ufffd" or (letter < " " and letter not in "\t\n\r\f\x1b\b") for letter in head)
    return strange * 20 > len(head)
