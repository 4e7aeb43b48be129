"""Markdown on its way out: made harmless, and said in the two dialects that Slack takes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.adapters.markdown.reading import read
from bot.adapters.markdown.tables import most_of_records
from bot.adapters.markdown.tags import TAGS
from bot.adapters.markdown.writer import Writer
from bot.adapters.slack.dialects import Mrkdwn, SlackMarkdown

# Whatever Slack would read as a mention; also within code, and in `markdown_text` too.
_PING = re.compile(r"<(?=[@#]|!(?:channel|here|everyone|group|subteam|date))", re.IGNORECASE)
_PING_BEGUN = re.compile(r"<(?:![a-z]{0,8})?\Z", re.IGNORECASE)
_JOINER = "\u2060"

_GROWS = "*_`~()[]\n"  # each may be escaped or moved
_MARGIN = 16
_ROOM = 3  # what one | may cost beside itself

# What Slack does not show from Markdown that is handed through as it grows.
_ILL = re.compile(
    r"^[ \t]*\|.*\|[ \t]*$|^[ \t]*\|?[ \t]*:?-+:?[ \t]*\|"  # tables
    r"|\[\^|\$(?![\s\d])[^$\n]*(?<!\s)\$(?![\w$])|\$\$|\\[(\[]|!\[|\b__\w+__\b"
    rf"|<!--|</?(?:{'|'.join(TAGS)})\b[^>\n]*>"
    r"|[，。：；！？、）」』”’》】](?:\*{1,3}|~~)\w|\w(?:\*{1,3}|~~)[（「『“‘《【]",
    re.MULTILINE | re.IGNORECASE,
)

_MARKDOWN = (SlackMarkdown(), SlackMarkdown(roomy=False))
_MRKDWN = (Mrkdwn(), Mrkdwn(roomy=False))


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


def streams_well(markdown: str) -> bool:
    """Say whether a stream that was given this text stands as it should; else it is worth an update."""
    return _ILL.search(markdown) is None


def measure(markdown: str) -> int:
    """
    Bound how long the text is in whichever form it is sent; it never shrinks as the text grows.

    Characters are counted as UTF-16 has them, as Slack's own clients do, and every `&`, `<` and `>` as
    the entity it may have to be sent as.
    """
    bound = units(markdown) + _MARGIN
    bound += 4 * markdown.count("&") + 3 * (markdown.count("<") + markdown.count(">"))
    bound += sum(map(markdown.count, _GROWS)) + 2 * markdown.count("://")
    if "|" in markdown:
        bound += _ROOM * markdown.count("|") + most_of_records(markdown, units)
    return bound


def units(text: str) -> int:
    """Count UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def write_markdown(markdown: str) -> str:
    """
    Say Markdown as Slack takes it (`markdown_text`, a markdown block), in at most `measure`.

    Tables become aligned code or records, formulas letters, HTML what it means; emphasis stands where
    CommonMark sees it in Chinese too. For text that is whole: what was appended to a stream is `harmless`.
    """
    text = _fitting(_MARKDOWN, markdown)
    return harmless(markdown) if text is None else text


def write_text(markdown: str) -> str:
    """
    Say Markdown in mrkdwn, for where Slack does not take Markdown itself, in at most `measure`.

    Nothing in the result is a mention: `&`, `<` and `>` are escaped as Slack's documentation of
    formatting asks.
    """
    text = _fitting(_MRKDWN, markdown)
    if text is not None:
        return text
    return markdown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fitting(writers: Sequence[Writer], markdown: str) -> str | None:
    blocks, most = read(markdown), measure(markdown)
    for writer in writers:
        text = harmless(writer.document(blocks).strip("\n"))
        if units(text) <= most:
            return text
    return None
