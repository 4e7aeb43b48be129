"""Markdown on its way out: made harmless, or said in Slack's older dialect (mrkdwn)."""

from __future__ import annotations

import re
from collections.abc import Callable

# Whatever Slack would read as a mention; also within code, and in `markdown_text` too.
_PING = re.compile(r"<(?=[@#]|!(?:channel|here|everyone|group|subteam|date))", re.IGNORECASE)
_PING_BEGUN = re.compile(r"<(?:![a-z]{0,8})?\Z", re.IGNORECASE)
_JOINER = "\u2060"

_FENCE = re.compile(r"(^|\n)(```|~~~)[^\n]*\n(.*?)(?:\n\2[^\n]*|\Z)", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?(https?://[^\s)>|]+|mailto:[^\s)>|]+)>?(?:\s+\"[^\"\n]*\")?\s*\)")
_AUTOLINK = re.compile(r"&lt;((?:https?://|mailto:)[^\s|]+?)&gt;")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?", re.MULTILINE)
_QUOTE = re.compile(r"^(\s{0,3})&gt; ?", re.MULTILINE)
_RULE = re.compile(r"^\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$", re.MULTILINE)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_STRIKE = re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.DOTALL)
_STASH = re.compile("\x00(\\d+)\x00")


def harmless(markdown: str) -> str:
    """
    Keep what a model wrote from calling anybody: an invisible joiner parts `<` from what follows it.

    Growing text only ever grows the result, except for a mention that is just being begun at its end
    (see `steady`).
    """
    return _PING.sub("<" + _JOINER, markdown)


def steady(markdown: str) -> str:
    """Leave out what at the end may yet become a mention; for text that will be appended to."""
    return _PING_BEGUN.sub("", markdown)


def measure(markdown: str) -> int:
    """
    Bound how long the text is in whichever form it is sent; it never shrinks as the text grows.

    Characters are counted as UTF-16 has them, as Slack's own clients do, and every `&`, `<` and `>` as
    the entity it may have to be sent as.
    """
    escaped = 4 * markdown.count("&") + 3 * (markdown.count("<") + markdown.count(">"))
    return len(markdown.encode("utf-16-le", "surrogatepass")) // 2 + escaped


def write_text(markdown: str) -> str:
    """
    Say Markdown in mrkdwn, for where Slack does not take Markdown itself.

    Nothing in the result is a mention: `&`, `<` and `>` are escaped as Slack's documentation of
    formatting asks.
    """
    stash: list[str] = []

    def keep(text: str) -> str:
        stash.append(text)
        return f"\x00{len(stash) - 1}\x00"

    text = markdown.replace("\x00", "")
    text = _FENCE.sub(lambda found: found[1] + keep(f"```\n{_escape(found[3])}\n```"), text)
    text = _CODE.sub(lambda found: keep(f"`{_escape(found[2].strip() or found[2])}`"), text)
    text = _LINK.sub(lambda found: keep(_link(found[2], found[1])), text)
    text = _AUTOLINK.sub(lambda found: keep(f"<{found[1]}>"), _escape(text))
    text = _marks(text, keep)
    while _STASH.search(text):  # a link's label may hold code
        text = _STASH.sub(lambda found: stash[int(found[1])], text)
    return text


def _marks(text: str, keep: Callable[[str], str]) -> str:
    bold = keep("*")
    text = _RULE.sub("———", text)
    text = _HEADING.sub(lambda found: bold + _BOLD.sub(r"\2", found[1]) + bold if found[1] else "", text)
    text = _BULLET.sub(_bullet, text)
    text = _QUOTE.sub(r"\1> ", text)
    text = _BOLD.sub(lambda found: f"{bold}{found[2]}{bold}", text)
    text = _ITALIC.sub(r"_\1_", text)
    return _STRIKE.sub(r"~\1~", text)


def _bullet(found: re.Match[str]) -> str:
    box = {None: "•", " ": "☐"}.get(found[2], "☑")
    return f"{found[1]}{box} "


def _link(url: str, label: str) -> str:
    if not label or label == url:
        return f"<{_escape(url)}>"
    return f"<{_escape(url)}|{_escape(label).replace('|', '¦')}>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
