"""Slack's events come in: each is kept before it is acknowledged, in the order of its channel."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.adapters.slack.errands import Errands
from bot.adapters.slack.events import deletion, place_of, removed, word_of_command
from bot.adapters.slack.home import Home
from bot.adapters.slack.interactions import Interactions
from bot.adapters.slack.people import People
from bot.adapters.slack.reading import read_message, wanted
from bot.adapters.slack.twins import Twins
from bot.adapters.slack.web import Web, quiet
from bot.adapters.slack.whispers import Whispers
from bot.dialogue import Platform, Reply, Request, Wish
from bot.errors import StoreError
from bot.ports import Door, Words

log = structlog.get_logger()

Event = Mapping[str, Any]

READ = frozenset({"message", "app_mention"})
KEPT = frozenset(
    {"channel_deleted", "group_deleted", "agent_session_stopped", "app_uninstalled", "tokens_revoked"}
)


class Listener:
    """
    What Bolt calls for every envelope.

    Bolt acknowledges before its listeners run, so the work is done in the middleware that stands before
    its authorisation: a response of 200 becomes the ack, any other answer or an error leaves the
    envelope without one, and Slack delivers it again.
    """

    def __init__(self, web: Web, people: People, door: Door, words: Words) -> None:
        """All goes to the door."""
        self._people = people
        self._door = door
        self._whispers = Whispers(web)
        self._home = Home(web, people, door, words)
        self._interactions = Interactions(web, people, door, words, self._home)
        self._errands = Errands()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._twins = Twins()
        self.app = AsyncApp(
            client=web.client(),
            logger=quiet("bolt"),
            before_authorize=self.keep,
            request_verification_enabled=False,
            ssl_check_enabled=False,
        )

    async def keep(
        self,
        body: dict[str, Any],
        request: AsyncBoltRequest,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        """Keep what the envelope tells; the parameters' names are Bolt's."""
        event = body.get("event")
        if not isinstance(event, Mapping):
            self._interact(body, "x-slack-retry-num" in request.headers)
            return BoltResponse(status=200)
        try:
            await self._hear(event, str(body.get("team_id") or self._people.me.team_id))
        except ValueError:
            log.warning("slack_event_malformed", type=_name(event.get("type")))
        except StoreError as error:
            log.warning("slack_message_not_kept", error=type(error).__name__, reason=str(error))
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def close(self) -> None:
        """Let what was begun after its acknowledgement come to its end."""
        await self._errands.finish()

    def _interact(self, body: dict[str, Any], again: bool) -> None:
        name = self._interactions.name(body)
        if name is None:
            log.info("slack_envelope_unknown", type=_name(body.get("type")))
        else:
            self._errands.run(self._interactions.carry_out(body, again), name)

    async def _hear(self, event: Event, team: str) -> None:
        kind = str(event.get("type"))
        if kind in READ:
            await self._take(event, team)
        elif kind in KEPT:
            await self._keep(event, team)
        elif kind == "app_home_opened":
            self._welcome(event, team)
        else:
            log.info("slack_event_unused", type=_name(event.get("type")))

    async def _take(self, event: Event, team: str) -> None:
        twin = (str(event.get("channel")), str(event.get("ts")))
        if event.get("type") == "app_mention":
            await self._twins.wait(twin)
        async with self._lock(twin[0]):
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
            await self._door.accept(message)
            return
        person = known.people.get(message.author.id)
        moderator, at = person is not None and person.moderator, message.sent_at
        request = Request(
            wish[0], message.author, message.channel, value=wish[1], moderator=moderator, asked_at=at
        )
        self._tell(request, await self._door.request(request))

    async def _keep(self, event: Event, team: str) -> None:
        if removed(event):
            await self._door.left(Platform.SLACK, team)
        elif event.get("type") == "agent_session_stopped":
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


def _name(value: object) -> str:
    return value[:60] if isinstance(value, str) else type(value).__name__
