"""The rules of reading: CommonMark and GFM, and what models write besides."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from mdit_py_plugins.footnote import footnote_plugin

from bot.adapters.markdown.width import is_wide

DEEPEST = 40  # nested blocks, beyond which nobody follows and texts are taken as they are

_FORMULA = re.compile(
    r"\$\$(?P<display>[^$\n](?:[^$]|\\\$){0,600}?)\$\$"
    r"|\$(?P<dollars>(?:[^\s$\\]|\\.)(?:(?:[^$\\\n]|\\.)*(?:[^\s$\\]|\\.))?)\$(?![A-Za-z0-9_$])"
    r"|\\\((?P<round>[^\n]{1,400}?)\\\)"
    r"|\\\[(?P<square>[^\n]{1,400}?)\\\]",
)
_SIGNS = re.compile(r"[\\^_={}<>≤≥≈×·∈∑∫√π]|[+*/]|\s-\s|\A-")
_SHORT = re.compile(r"\A(?:\d*[A-Za-z]'*|[A-Za-z]\w?\([^()]*\)|[A-Za-zΑ-ω]\d?)\Z")
_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}")
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?\Z", re.IGNORECASE)
_ADDRESS = re.compile(r"://[^\s<>`\"\x00-\x20]+")
_OPENS = ("$$", "\\[")
_CLOSES = {"$$": "$$", "\\[": "\\]"}


@cache
def parser(links: bool = True) -> MarkdownIt:
    """Build the one parser; without `links` it finds none, for in masses of brackets that takes long."""
    reader = MarkdownIt("commonmark", {"maxNesting": DEEPEST * 2}).enable(["table", "strikethrough"])
    reader.use(footnote_plugin, inline=False, move_to_end=False, always_match_refs=True)
    reader.disable(["html_block", "text_join", "inline"])
    reader.inline.ruler.at("emphasis", _emphasis)
    reader.inline.ruler.at("strikethrough", _strike)
    reader.inline.ruler.before("escape", "formula", _inline_formula)
    reader.inline.ruler.before("linkify", "address", _address)
    reader.block.ruler.before("fence", "formula", _block_formula, {"alt": ["paragraph"]})
    reader.block.ruler.before("fence", "comment", _comment, {"alt": ["paragraph"]})
    if not links:
        reader.disable(["link", "image", "footnote_ref"])
    return reader


def _emphasis(state: StateInline, silent: bool) -> bool:
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    length, opens, closes = _flanks(state, marker == "*")
    for _ in range(length):
        _delimit(state, marker, 1, length, opens, closes)
    state.pos += length
    return True


def _strike(state: StateInline, silent: bool) -> bool:
    if silent or state.src[state.pos] != "~":
        return False
    length, opens, closes = _flanks(state, True)
    if length != 2:
        return False
    _delimit(state, "~", 2, 0, opens, closes)
    state.pos += length
    return True


def _delimit(state: StateInline, marker: str, width: int, length: int, opens: bool, closes: bool) -> None:
    token = state.push("text", "", 0)
    token.content = marker * width
    mark = Delimiter(
        marker=ord(marker), length=length, token=len(state.tokens) - 1, end=-1, open=opens, close=closes
    )
    state.delimiters.append(mark)


def _flanks(state: StateInline, splits_words: bool) -> tuple[int, bool, bool]:
    """
    Say how long a run of marks is, and whether it may open and close.

    CommonMark's rule, but for wide letters and signs, which have no spaces between words: they count
    neither as punctuation that keeps marks apart nor as a word's inside (`**真：**她` is strong).
    """
    start = end = state.pos
    while end < state.posMax and state.src[end] == state.src[start]:
        end += 1
    before = state.src[start - 1] if start else " "
    after = state.src[end] if end < state.posMax else " "
    space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    wide_before, wide_after = is_wide(before), is_wide(after)
    dot_before, dot_after = _is_punctuation(before), _is_punctuation(after)
    left = not space_after and (not dot_after or wide_after or space_before or dot_before or wide_before)
    right = not space_before and (not dot_before or wide_before or space_after or dot_after or wide_after)
    opens = left and (splits_words or not right or dot_before)
    closes = right and (splits_words or not left or dot_after)
    return end - start, opens, closes


def _is_punctuation(letter: str) -> bool:
    return isMdAsciiPunct(ord(letter)) or isPunctChar(letter)


def _inline_formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    formula = next(part for part in found.groups() if part is not None)
    if found["display"] is None and not _is_formula(formula):
        return False
    if found["dollars"] is not None:
        before = state.src[state.pos - 1 : state.pos]
        if before and (before.isascii() and (before.isalnum() or before == "$")):
            return False
    if not silent:
        state.push("formula", "", 0).content = formula.strip()
    state.pos = found.end()
    return True


def _is_formula(text: str) -> bool:
    """Tell what mathematicians put between dollars from prices and names of variables."""
    text = text.strip()
    if _SHORT.match(text):
        return True
    return _SIGNS.search(text) is not None and (
        "\\" in text or "^" in text or "=" in text or not _WORD.search(text)
    )


def _address(state: StateInline, silent: bool) -> bool:
    """
    Find an address that stands for itself, wherever it begins.

    It ends as GFM says, and where Chinese goes on: its path may hold Chinese letters, but not its signs.
    """
    if state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if scheme is None or found is None:
        return False
    rest = _trimmed(found[0])
    if len(rest) < 4:
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        opened = state.push("link_open", "a", 1)
        opened.attrs, opened.info = {"href": scheme[0] + rest}, "auto"
        state.push("text", "", 0).content = scheme[0] + rest
        state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _trimmed(rest: str) -> str:
    host_ends = rest.find("/", 3)
    for at, letter in enumerate(rest):
        if is_wide(letter) and (not letter.isalnum() or at < host_ends or host_ends < 0):
            rest = rest[:at]
            break
    while rest and (rest[-1] in "?!.,:;*_~'\"|\\" or (rest[-1] == ")" and rest.count(")") > rest.count("("))):
        rest = rest[:-1]
    return rest


def _block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    line = _line(state, start)
    opener = line[:2]
    if opener not in _OPENS:
        return False
    closer = _CLOSES[opener]
    parts = [line[2:]]
    last = start
    while not parts[-1].rstrip().endswith(closer):
        last += 1
        if last >= end or state.isEmpty(last):
            return False
        parts.append(_line(state, last))
    if silent:
        return True
    token = state.push("formula_block", "", 0)
    token.content = "\n".join(parts).rstrip().removesuffix(closer).strip()
    token.map = [start, last + 1]
    state.line = last + 1
    return True


def _comment(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Pass over an HTML comment that begins a line, blank lines within it too."""
    if state.is_code_block(start) or not _line(state, start).startswith("<!--"):
        return False
    last = start
    while "-->" not in _line(state, last):
        last += 1
        if last >= end:
            return False
    if _line(state, last).partition("-->")[2].strip():
        return False
    state.line = state.line if silent else last + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
