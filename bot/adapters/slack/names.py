"""Names of people and channels, looked up once in a while and never waited for long."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Generic, TypeVar

import structlog

from bot.adapters.slack.mrkdwn import Known, Person, clean
from bot.adapters.slack.reading import Me, Wanted
from bot.adapters.slack.web import Web
from bot.errors import PlatformError

log = structlog.get_logger()

LOOKUP_SECONDS = 2.0
KEPT_SECONDS = 3_600.0
FAILED_SECONDS = 60.0
ENTRIES = 5_000
AT_ONCE = 8

T = TypeVar("T")


class Names:
    """
    The names behind ids, from a bounded cache.

    A look-up that fails or takes too long leaves the id out, and is not tried again for a minute: a
    name is never worth a message.
    """

    def __init__(self, web: Web, patience: float = LOOKUP_SECONDS) -> None:
        """`web` is asked for what is not known yet, for at most `patience` seconds a message."""
        self._patience = patience
        self._web = web
        self._people: _Cache[Person] = _Cache()
        self._places: _Cache[str] = _Cache()
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def look_up(self, wanted: Wanted, me: Me) -> Known:
        """Find what names can be had in time."""
        now = asyncio.get_running_loop().time()
        looks: dict[asyncio.Task[None], tuple[_Cache[Person] | _Cache[str], str]] = {}
        for user in wanted.people:
            if not self._people.fresh(user, now):
                looks[asyncio.create_task(self._person(user))] = (self._people, user)
        for channel in wanted.places:
            if not self._places.fresh(channel, now):
                looks[asyncio.create_task(self._place(channel))] = (self._places, channel)
        await self._finish(looks)
        people = {user: person for user in wanted.people if (person := self._people.get(user))}
        people.setdefault(me.user_id, Person(me.name))
        places = {channel: name for channel in wanted.places if (name := self._places.get(channel))}
        return Known(people, places)

    def name_of(self, user: str) -> str:
        """Say a person's name, or the bot's, where it was looked up before; else ""."""
        person = self._people.get(user)
        return person.name if person is not None else ""

    async def _finish(
        self, looks: Mapping[asyncio.Task[None], tuple[_Cache[Person] | _Cache[str], str]]
    ) -> None:
        if not looks:
            return
        done, late = await asyncio.wait(looks, timeout=self._patience)
        for task in late:
            task.cancel()
            cache, key = looks[task]
            cache.miss(key)
        if late:
            log.warning("slack_names_late", count=len(late))
            await asyncio.wait(late)
        for task in done:
            task.result()

    async def _person(self, user: str) -> None:
        method = "bots.info" if user.startswith("B") else "users.info"
        asked = {"bot": user} if user.startswith("B") else {"user": user, "include_locale": True}
        async with self._gate:
            try:
                answer = await self._web.read(method, **asked)
            except PlatformError as error:
                self._people.miss(user)
                log.warning("slack_name_unknown", method=method, error=type(error).__name__)
                return
        user_data = answer.get("bot") or answer.get("user") or {}
        profile = user_data.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), user_data.get("real_name"))
        name = next((name for name in (*names, user_data.get("name")) if name), "someone")
        moderator = bool(user_data.get("is_admin") or user_data.get("is_owner"))
        zone, locale = str(user_data.get("tz") or ""), str(user_data.get("locale") or "")
        self._people.put(user, Person(clean(str(name)), zone, locale, moderator))

    async def _place(self, channel: str) -> None:
        async with self._gate:
            try:
                answer = await self._web.read("conversations.info", channel=channel)
            except PlatformError as error:
                self._places.miss(channel)
                log.warning("slack_name_unknown", method="conversations.info", error=type(error).__name__)
                return
        self._places.put(channel, str((answer.get("channel") or {}).get("name") or ""))


class _Cache(Generic[T]):
    """The newest entries; None stands for a look-up that failed."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[T | None, float]] = OrderedDict()

    def get(self, key: str) -> T | None:
        entry = self._entries.get(key)
        return entry[0] if entry else None

    def fresh(self, key: str, now: float) -> bool:
        entry = self._entries.get(key)
        return entry is not None and now < entry[1]

    def put(self, key: str, value: T) -> None:
        self._store(key, value, KEPT_SECONDS)

    def miss(self, key: str) -> None:
        """Keep the old value, if any, and do not ask again soon."""
        self._store(key, self.get(key), FAILED_SECONDS)

    def _store(self, key: str, value: T | None, seconds: float) -> None:
        self._entries.pop(key, None)
        self._entries[key] = (value, asyncio.get_running_loop().time() + seconds)
        while len(self._entries) > ENTRIES:
            self._entries.popitem(last=False)
