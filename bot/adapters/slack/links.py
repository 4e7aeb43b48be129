"""Messages that a question links to, read where the asker and everybody who reads the answer may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me, Wanted, compose, wanted
from bot.adapters.slack.web import Web
from bot.dialogue import Channel, ChannelKind, Linked, Message, Platform
from bot.errors import PermissionMissing, PostRefused

log = structlog.get_logger()

_LINK = re.compile(
    r"https://[\w.-]+\.slack(?:-gov)?\.com/archives/(?P<channel>[CDG][A-Z0-9]{2,20})"
    r"/p(?P<seconds>\d{10})(?P<fraction>\d{6})(?:\?[^\s<>()\[\]]*)?"
)
_THREAD = re.compile(r"[?&]thread_ts=(\d{10}\.\d{6})")
_MOST_LINKS = 3
_REPLIES = 10  # of a thread that is linked to by its first message
_PAGE = 1_000
_MOST_PAGES = 10
_KEPT_SECONDS = 3_600.0
_WRITTEN = frozenset({"", "file_share", "thread_broadcast", "me_message", "bot_message"})


@dataclass(frozen=True, slots=True)
class _Address:
    link: str
    channel: str
    stamp: str
    thread: str


class LinkReader:
    """Reads linked messages; who belongs to the workspace whole is asked once an hour."""

    def __init__(self, web: Web, names: Names) -> None:
        """Nothing is asked before the first link."""
        self._web = web
        self._names = names
        self._insiders: frozenset[str] = frozenset()
        self._asked_at = 0.0

    async def read(self, question: Message, me: Me) -> list[Linked]:
        """Read the first few links of a question; raises `PlatformDown`."""
        return [await self._linked(question, address, me) for address in _addresses(question.text)]

    async def _linked(self, question: Message, address: _Address, me: Me) -> Linked:
        try:
            if await self._is_open(question, address.channel):
                return Linked(address.link, tuple(await self._messages(address, me)))
        except (PostRefused, PermissionMissing) as error:
            # Why is for us alone: who may not read a channel need not know that there is one.
            log.info("link_not_readable", kind=type(error).__name__, reason=str(error))
        return Linked(address.link)

    async def _is_open(self, question: Message, channel: str) -> bool:
        """Say whether the asker and all who can read the answer can read the linked channel."""
        here, asker = question.channel, question.author.id
        if channel == here.id:
            return True
        told = (await self._web.read("conversations.info", channel=channel)).get("channel") or {}
        alone = here.kind is ChannelKind.DIRECT
        if not _is_public(told):
            # Others of a private channel are known only now: somebody may join the answer's channel later.
            return alone and asker in await self._members(channel)
        readers = {asker} if alone else {asker, *await self._members(here.id)}
        # Guests, and people of other workspaces, see no public channel that they are not in.
        outsiders = readers - await self._whole_members()
        return not outsiders or outsiders <= await self._members(channel)

    async def _members(self, channel: str) -> frozenset[str]:
        found = await self._pages("conversations.members", "members", channel=channel)
        return frozenset(str(member) for member in found)

    async def _whole_members(self) -> frozenset[str]:
        now = asyncio.get_running_loop().time()
        if not self._insiders or now - self._asked_at > _KEPT_SECONDS:
            people = await self._pages("users.list", "members")
            self._insiders = frozenset(str(person.get("id")) for person in people if _is_whole(person))
            self._asked_at = now
        return self._insiders

    async def _pages(self, method: str, name: str, **arguments: str) -> list[Any]:
        """Read a whole list; raises `PostRefused` where it is so long that nobody can be told apart."""
        found: list[Any] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            answer = await self._web.read(method, limit=_PAGE, cursor=cursor, **arguments)
            found += answer.get(name) or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return found
        raise PostRefused(f"{method} goes on for more than {_MOST_PAGES} pages")

    async def _messages(self, address: _Address, me: Me) -> list[Message]:
        arguments: dict[str, Any] = {"ts": address.stamp, "limit": _REPLIES + 1}
        if address.thread:
            one = {"oldest": address.stamp, "latest": address.stamp, "inclusive": True}
            arguments = {"ts": address.thread, "limit": 2, **one}
        answer = await self._web.read("conversations.replies", channel=address.channel, **arguments)
        items = [item for item in answer.get("messages") or () if _is_message(item)]
        if address.thread:  # the thread's first message always comes too
            items = [item for item in items if item["ts"] == address.stamp]
        needed = [wanted(item) for item in items]
        people = tuple(dict.fromkeys(person for one in needed for person in one.people))
        places = tuple(dict.fromkeys(place for one in needed for place in one.places))
        known = await self._names.look_up(Wanted(people, places), me)
        place = Channel(Platform.SLACK, me.team_id, address.channel, address.thread or address.stamp)
        return [compose(item, place, me, known) for item in items]


def _addresses(text: str) -> list[_Address]:
    found: dict[tuple[str, str], _Address] = {}
    for match in _LINK.finditer(text):
        stamp = f"{match['seconds']}.{match['fraction']}"
        thread = _THREAD.search(match[0])
        root = thread[1] if thread and thread[1] != stamp else ""
        found.setdefault((match["channel"], stamp), _Address(match[0], match["channel"], stamp, root))
    return list(found.values())[:_MOST_LINKS]


def _is_public(told: Mapping[str, Any]) -> bool:
    private = ("is_private", "is_im", "is_mpim", "is_group")
    return bool(told.get("is_channel")) and not any(told.get(name) for name in private)


def _is_whole(person: Mapping[str, Any]) -> bool:
    partly = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
    return not any(person.get(name) for name in partly)


def _is_message(item: Any) -> bool:
    return isinstance(item, Mapping) and "ts" in item and str(item.get("subtype") or "") in _WRITTEN
