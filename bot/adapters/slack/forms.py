"""The arguments that a text and what stands under it are sent with; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.adapters.slack.blocks import write_blocks
from bot.adapters.slack.buttons import Block, simple
from bot.adapters.slack.writing import harmless, streams_well, write_text

SECTION_CHARACTERS = 3_000


def form(
    text: str, under: Sequence[Block] = (), *, blocks: bool = False, rough: bool = False
) -> dict[str, Any]:
    """
    Say a Markdown text with what stands under it; `rough` is for one that will soon be replaced.

    `blocks` asks for blocks though nothing stands under it: `chat.update` keeps the blocks that a message had
    unless it is given others (its documentation). `text` is what notifications and readers of the API see.
    """
    if rough and (under or blocks):  # costs no reading, which a text that grows would cost each time
        safe = harmless(text)
        return {"text": safe, "blocks": [{"type": "markdown", "text": safe}, *under]}
    if not under and not blocks and streams_well(text):
        return {"markdown_text": harmless(text)}
    return {"text": write_text(text), "blocks": [*write_blocks(text), *under]}


def plain_form(text: str, under: Sequence[Block] = (), *, blocks: bool = False) -> dict[str, Any]:
    """Say the same where Slack takes neither Markdown nor the newer blocks."""
    said = write_text(text)
    made: list[Block] = []
    if under and len(said) <= SECTION_CHARACTERS:
        made = [
            {"type": "section", "text": {"type": "mrkdwn", "text": said, "verbatim": True}},
            *simple(under),
        ]
    shown = {"blocks": made} if made or blocks else {}
    return {"text": said, "parse": "none", "link_names": False, **shown}
