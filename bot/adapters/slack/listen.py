"""Slack's events come in: each is kept before it is acknowledged, in the order of its channel."""

from __future__ import annotations

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.adapters.slack.groups import Groups
from bot.adapters.slack.names import Names
from bot.adapters.slack.reading import Me, read_message, wanted
from bot.adapters.slack.web import Web, quiet
from bot.dialogue import Message
from bot.errors import StoreError
from bot.ports import Door

log = structlog.get_logger()

# `app_mention` may lack what its twin, the `message` event, has (files); so the twin goes first.
TWIN_SECONDS = 0.7
HEARD = 2_000

_READ = frozenset({"message", "app_mention"})


class Listener:
    """
    What Bolt calls for every envelope.

    Bolt acknowledges before its listeners run, so the work is done in the middleware that stands before
    its authorisation: a response of 200 becomes the ack, any other answer or an error leaves the
    envelope without one, and Slack delivers it again.
    """

    def __init__(self, web: Web, names: Names, me: Me, door: Door, groups: Groups | None = None) -> None:
        """All goes to the door, with their authors' roles where there are `groups`."""
        self._groups = groups
        self._names = names
        self._me = me
        self._door = door
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._twins = _Twins()
        self.app = AsyncApp(
            client=web.client(),
            logger=quiet("bolt"),
            before_authorize=self.keep,
            request_verification_enabled=False,
            ssl_check_enabled=False,
        )

    async def keep(self, body: dict[str, Any], next: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:  # noqa: A002
        """Keep what the envelope tells; the parameters' names are Bolt's."""
        event = body.get("event")
        if not isinstance(event, Mapping):
            log.info("slack_envelope_unknown", type=_name(body.get("type")))
            return BoltResponse(status=200)
        if str(event.get("type")) not in _READ:
            log.info("slack_event_unused", type=_name(event.get("type")))
            return BoltResponse(status=200)
        team = str(body.get("team_id") or self._me.team_id)
        try:
            await self._take(event, team)
        except StoreError as error:
            log.warning("slack_message_not_kept", error=type(error).__name__)
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _take(self, event: Mapping[str, Any], team: str) -> None:
        twin = (str(event.get("channel")), str(event.get("ts")))
        if event.get("type") == "app_mention":
            await self._twins.wait(twin)
        async with self._lock(twin[0]):
            known = await self._names.look_up(wanted(event), self._me)
            try:
                message = read_message(event, team, self._me, known)
            except ValueError:
                log.warning("slack_event_malformed", type=_name(event.get("type")))
                return
            if message is not None:
                await self._door.accept(await self._with_roles(message))
        self._twins.heard(twin)

    async def _with_roles(self, message: Message) -> Message:
        if self._groups is None:
            return message
        roles = await self._groups.roles_of(message.author.id)
        return replace(message, author=replace(message.author, roles=roles))

    def _lock(self, channel: str) -> asyncio.Lock:
        """Waiters of a lock are served in their order, so a channel's messages stay in theirs."""
        lock = self._locks.get(channel)
        if lock is None:
            lock = self._locks[channel] = asyncio.Lock()
        return lock


class _Twins:
    """Which messages were kept lately, so that a mention can wait for its twin."""

    def __init__(self) -> None:
        self._heard: OrderedDict[tuple[str, str], asyncio.Event] = OrderedDict()

    async def wait(self, twin: tuple[str, str]) -> None:
        try:
            async with asyncio.timeout(TWIN_SECONDS):
                await self._event(twin).wait()
        except TimeoutError:
            return

    def heard(self, twin: tuple[str, str]) -> None:
        self._event(twin).set()

    def _event(self, twin: tuple[str, str]) -> asyncio.Event:
        event = self._heard.setdefault(twin, asyncio.Event())
        self._heard.move_to_end(twin)
        while len(self._heard) > HEARD:
            self._heard.popitem(last=False)
        return event


def _name(value: object) -> str:
    return value[:60] if isinstance(value, str) else type(value).__name__
