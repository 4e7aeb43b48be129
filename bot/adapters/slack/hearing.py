"""What is heard in one workspace: messages in the order of their channel, deletions, stops, the home tab."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from bot.adapters.slack.errands import Errands
from bot.adapters.slack.events import deletion, place_of, word_of_command
from bot.adapters.slack.home import Home
from bot.adapters.slack.interactions import Interactions
from bot.adapters.slack.overtaken import Overtaken
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import read_message, wanted
from bot.adapters.slack.twins import Twins
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import Whispers
from bot.dialogue import Message, Reply, Request, Wish
from bot.ports import Door, Words

log = structlog.get_logger()

Event = Mapping[str, Any]

READ = frozenset({"message", "app_mention"})
KEPT = frozenset({"channel_deleted", "group_deleted", "agent_session_stopped"})


class Gaps(Protocol):
    """Fetches what did not come, or not in its order."""

    async def settle(self, channel: str, kind: str) -> None:
        """Wait until what was written before in a channel is in."""
        ...

    async def follow(self, message: Message) -> None:
        """Bring in what overtook a message in its thread."""
        ...


class Hearing:
    """Hands on what happens in one workspace, and remembers for a moment what came already."""

    def __init__(
        self,
        web: Web,
        people: People,
        door: Door,
        words: Words,
        errands: Errands,
        gaps: Gaps | None = None,
    ) -> None:
        """All goes to the door, behind what was missed there; what is not waited for is the errands'."""
        self._gaps = gaps
        self.team = people.me.team_id
        self._people = people
        self._door = door
        self._whispers = Whispers(web)
        self._home = Home(web, people, door, words)
        self._interactions = Interactions(web, people, door, words, self._home)
        self._errands = errands
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._twins = Twins()
        self._overtaken = Overtaken()

    def interact(self, body: Mapping[str, Any], again: bool) -> None:
        """Begin what was pressed, chosen or typed as a command; `again` says that it is delivered again."""
        name = self._interactions.name(body)
        if name is None:
            log.info("slack_envelope_unknown", type=shown(body.get("type")))
        else:
            self._errands.run(self._interactions.carry_out(body, again), f"{self.team} {name}")

    async def hear(self, event: Event, team: str) -> None:
        """Keep what an event tells; raises `ValueError` where it has not the form that it should have."""
        kind = str(event.get("type"))
        if kind in READ:
            await self._take(event, team)
        elif kind in KEPT:
            await self._keep(event, team)
        elif kind == "app_home_opened":
            self._welcome(event, team)
        else:
            log.info("slack_event_unused", type=shown(event.get("type")))

    async def _take(self, event: Event, team: str) -> None:
        twin = (str(event.get("channel")), str(event.get("ts")))
        if event.get("type") == "app_mention":
            await self._twins.wait(twin)
        async with self._lock(twin[0]):
            if self._gaps is not None:
                await self._gaps.settle(twin[0], str(event.get("channel_type") or ""))
            if not (event.get("ts") and self._twins.known(twin)):
                await self._read(event, team)
        self._twins.heard(twin)

    async def _read(self, event: Event, team: str) -> None:
        gone = deletion(event, team)
        if gone is not None:
            await self._door.withdraw(gone)
            return
        known = await self._people.known(wanted(event))
        message = read_message(event, team, self._people.me, known)
        if message is None:
            return
        message = await self._people.with_roles(message)
        wish = word_of_command(event, message, self._people.me)
        if wish is None:
            await self._accept(message)
            return
        person = known.people.get(message.author.id)
        moderator, at = person is not None and person.moderator, message.sent_at
        request = Request(
            wish[0], message.author, message.channel, value=wish[1], moderator=moderator, asked_at=at
        )
        self._tell(request, await self._door.request(request))

    async def _accept(self, message: Message) -> None:
        accepted = await self._door.accept(message)
        if self._overtaken.may_have(message, accepted) and self._gaps is not None:
            # Behind the ack: what overtook it is a page of history away, and others wait in this line.
            self._errands.run(self._gaps.follow(message), f"{self.team} follow {message.id}")

    async def _keep(self, event: Event, team: str) -> None:
        if event.get("type") == "agent_session_stopped":
            await self._stop(event, team)
        elif (gone := deletion(event, team)) is not None:
            await self._door.withdraw(gone)

    async def _stop(self, event: Event, team: str) -> None:
        """Slack's own button was pressed: the stream has ended already, the answer has not."""
        streams = event.get("streaming_message_ts")
        ts = str(streams[0]) if isinstance(streams, list) and streams else ""
        channel = place_of(str(event.get("channel") or ""), ts, str(event.get("thread_ts") or ""), team)
        person = await self._people.somebody(str(event.get("user") or ""))
        request = Request(Wish.STOP, person.author, channel, ts, moderator=person.moderator)
        reply = await self._door.request(request)
        if not reply.done:
            self._tell(request, reply)

    def _tell(self, request: Request, reply: Reply) -> None:
        if reply.text:
            self._errands.run(self._told(request, reply.text))

    async def _told(self, request: Request, text: str) -> None:
        await self._whispers.tell(request.channel, request.person.id, text)

    def _welcome(self, event: Event, team: str) -> None:
        user, channel = str(event.get("user") or ""), str(event.get("channel") or "")
        if event.get("tab") == "home":
            self._errands.run(self._home.show(team, user))
        elif channel:
            self._errands.run(self._home.suggest(team, user, channel))

    def _lock(self, channel: str) -> asyncio.Lock:
        """Waiters of a lock are served in their order, so a channel's messages stay in theirs."""
        lock = self._locks.get(channel)
        if lock is None:
            lock = self._locks[channel] = asyncio.Lock()
        return lock


def shown(value: object) -> str:
    """Say a name that came from outside, short enough for a log."""
    return value[:60] if isinstance(value, str) else type(value).__name__
