"""What stands in a thread or a direct message, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.adapters.slack.mrkdwn import people_in, places_in
from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me, Wanted, compose
from bot.adapters.slack.web import Web
from bot.dialogue import Message

PAGE = 100  # Slack gives fewer where an app's kind allows only fewer
MESSAGES = 1_000
LONGEST_THREAD = 5_000  # a thread is handed out from its beginning; the newest messages matter more

# What the channel itself says in a thread; bots' messages count as anybody's.
_WRITTEN = frozenset({"", "file_share", "thread_broadcast", "me_message", "bot_message"})


async def pages(web: Web, channel: str, root: str, **arguments: Any) -> AsyncIterator[Mapping[str, Any]]:
    """
    Yield the messages of a thread, or of a direct message without one, as Slack orders them.

    Slack hands a thread out oldest first and a channel newest first. Bounded to `LONGEST_THREAD`.
    """
    method = "conversations.replies" if root else "conversations.history"
    cursor: str | None = None
    seen = 0
    while seen < LONGEST_THREAD:
        answer = await web.read(
            method, channel=channel, ts=root or None, limit=PAGE, cursor=cursor, **arguments
        )
        for item in answer.get("messages") or ():
            if isinstance(item, Mapping) and isinstance(item.get("ts"), str):
                seen += 1
                yield item
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return


async def read_history(web: Web, names: Names, me: Me, question: Message) -> list[Message]:
    """Read the newest messages before the question in its thread or direct message, oldest first."""
    place = question.channel
    items: list[Mapping[str, Any]] = []
    async for item in pages(web, place.id, place.root, latest=question.id, inclusive=False):
        if float(item["ts"]) < float(question.id) and str(item.get("subtype") or "") in _WRITTEN:
            items.append(item)
        if not place.root and len(items) >= MESSAGES:
            break
    items = sorted(items, key=lambda item: float(item["ts"]))[-MESSAGES:]
    known = await names.look_up(_wanted(items), me)
    return [compose(item, place, me, known) for item in items]


def _wanted(items: list[Mapping[str, Any]]) -> Wanted:
    texts = [str(item.get("text") or "") for item in items]
    people = {str(item.get("user") or item.get("bot_id") or "") for item in items}
    people |= {person for text in texts for person in people_in(text)}
    places = {place for text in texts for place in places_in(text)}
    return Wanted(tuple(sorted(people - {""})), tuple(sorted(places)))
