"""A Discord on the wire: REST and gateway on 127.0.0.1, with people, channels, threads and mishaps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from tests.doubles.discord_files import FileStore
from tests.doubles.discord_gateway import Gateway, Session
from tests.doubles.discord_interactions import Interaction, command, menu, press, submit
from tests.doubles.discord_rest import Call, RestDouble, Trouble
from tests.doubles.discord_state import (
    DIRECT,
    FORUM,
    TEXT,
    THREAD,
    Person,
    Place,
    Post,
    Role,
    State,
    on_shard,
    snowflake,
)

__all__ = ["Call", "DiscordDouble", "Person", "Place", "Post", "Role", "Session", "Trouble"]


class DiscordDouble:
    """
    Guilds and their people, alive from entering to leaving, however often a client comes and goes.

    On leaving it fails where a request or an answer was not as Discord's own description has it.
    """

    def __init__(self, token: str = "discord-token") -> None:
        self.token = token
        self.state = State()
        self.files = FileStore()
        self.state.told_file = self.files.told
        self._changed = asyncio.Event()
        self.rest = RestDouble(self.state, token, self._emit, self._changed.set)
        self.gateway = Gateway(self.state, token, self._changed.set)
        self.api_url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes(self.rest.routes())
        application.router.add_get("/gateway/", self.gateway.handle)
        application.router.add_get("/attachments/{channel}/{number}/{name}", self.files.serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.2)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await self._site.start()
        port = self._runner.addresses[0][1]
        self.files.address = f"127.0.0.1:{port}"
        self.api_url = f"http://127.0.0.1:{port}/api/v10"
        self.rest.gateway_address = self.gateway.address = f"ws://127.0.0.1:{port}/gateway/"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._site.stop()  # first, or a bot that is dropped comes back while everything is closed
        await self.gateway.drop(keep=False)
        await self._runner.cleanup()
        if error[0] is None and self.rest.objections:
            raise AssertionError("\n".join(self.rest.objections[:10]))

    # The world.

    @property
    def bot(self) -> Person:
        return self.state.bot

    def person(
        self, name: str, *, nick: str | None = None, roles: tuple[Role, ...] = (), bot: bool = False
    ) -> Person:
        person = Person(name, bot=bot, nick=nick, roles=tuple(role.id for role in roles))
        self.state.people[person.id] = person
        return person

    def role(self, name: str) -> Role:
        role = Role(name)
        self.state.roles[role.id] = role
        return role

    def guild(self, name: str, shard: int, count: int) -> str:
        """Let there be one more guild, on one of so many shards; gives its id."""
        guild_id = on_shard(shard, count)
        self.state.others[guild_id] = name
        return guild_id

    def channel(self, name: str, *, unreadable: bool = False, guild_id: str = "") -> Place:
        place = Place(name, TEXT, guild_id=guild_id or self.state.guild_id, unreadable=unreadable)
        return self._add(place)

    async def opened(self, name: str) -> Place:
        """Let somebody make a channel while the bot listens."""
        place = self.channel(name)
        await self.gateway.dispatch("CHANNEL_CREATE", lambda _: self.state.channel(place))
        return place

    def forum(self, name: str) -> Place:
        return self._add(Place(name, FORUM, guild_id=self.state.guild_id))

    async def publish(self, author: Person, forum: Place, title: str, text: str) -> Place:
        """Let somebody write a post in a forum: a thread whose first message has the thread's id."""
        thread = self._add(Place(title, THREAD, guild_id=forum.guild_id, parent_id=forum.id))
        await self.gateway.dispatch("THREAD_CREATE", lambda _: self.state.channel(thread))
        first = Post(author, thread, text, id=thread.id)
        self.state.posts[first.id] = first
        await self._emit("MESSAGE_CREATE", first)
        return thread

    def direct(self, person: Person) -> Place:
        known = [place for place in self.state.places.values() if place.recipient is person]
        return known[0] if known else self._add(Place(person.name, DIRECT, recipient=person))

    async def thread(self, parent: Place, name: str, starter: str = "") -> Place:
        """Open a thread; `starter` is the id of the message in the parent it begins from."""
        thread = Place(name, THREAD, guild_id=parent.guild_id, parent_id=parent.id)
        thread.id = starter or thread.id
        self._add(thread)
        await self.gateway.dispatch("THREAD_CREATE", lambda _: self.state.channel(thread))
        if starter:
            opener = self.state.posts[starter]
            post = Post(opener.author, thread, "", kind=21, reply_to=starter)
            self.state.posts[post.id] = post
            await self._emit("MESSAGE_CREATE", post)
        return thread

    # What people do.

    async def say(
        self,
        author: Person,
        place: Place,
        text: str,
        *,
        reply_to: str = "",
        ping: bool = True,
        at: datetime | None = None,
        **more: Any,
    ) -> str:
        """Let somebody write; `ping` is what Discord's clients set for a reply. Gives the message's id."""
        post = Post(
            author, place, text, reply_to=reply_to, kind=19 if reply_to else 0, pings_reply=ping, **more
        )
        if at is not None:
            post.id = snowflake(at)
        self.state.posts[post.id] = post
        await self._emit("MESSAGE_CREATE", post)
        return post.id

    async def change(self, message_id: str, text: str) -> None:
        """Let its author edit a message."""
        post = self.state.posts[message_id]
        post.content, post.edited_at = text, datetime.now(UTC)
        await self._emit("MESSAGE_UPDATE", post)

    async def remove(self, *message_ids: str) -> None:
        """Let somebody delete a message, or many of a channel at once."""
        posts = [self.state.posts.pop(message_id) for message_id in message_ids]
        event: dict[str, Any] = {"channel_id": posts[0].place.id}
        if posts[0].place.guild_id:
            event["guild_id"] = posts[0].place.guild_id
        kind, ids = "MESSAGE_DELETE", {"id": posts[0].id}
        if len(posts) > 1:
            kind, ids = "MESSAGE_DELETE_BULK", {"ids": list(message_ids)}  # type: ignore[dict-item]
        await self.gateway.dispatch(kind, lambda _: event | ids)
        self._changed.set()

    async def close(self, place: Place) -> None:
        """Let somebody delete a channel or a thread."""
        del self.state.places[place.id]
        kind = "THREAD_DELETE" if place.kind == THREAD else "CHANNEL_DELETE"
        await self.gateway.dispatch(kind, lambda _: self.state.channel(place))

    async def expel(self) -> None:
        """Let somebody remove the bot from the guild."""
        await self.gateway.dispatch("GUILD_DELETE", lambda _: {"id": self.state.guild_id})

    async def press(self, person: Person, message_id: str, name: str) -> Interaction:
        """Let somebody press a button under a post."""
        return await self.interact(press(person, self.state.posts[message_id], name))

    async def command(self, person: Person, place: Place, name: str, **options: str) -> Interaction:
        """Let somebody type a command."""
        return await self.interact(command(person, place, name, options))

    async def menu(self, person: Person, message_id: str, name: str = "Ask about this") -> Interaction:
        """Let somebody choose from a message's menu."""
        return await self.interact(menu(person, self.state, self.state.posts[message_id], name))

    async def submit(self, opened: Interaction, text: str = "") -> Interaction:
        """Let somebody send in the form that was opened."""
        return await self.interact(submit(opened, text))

    async def interact(self, interaction: Interaction, locale: str = "") -> Interaction:
        """Let the bot know of an interaction, and wait until it has been answered."""
        interaction.locale = locale or interaction.locale
        event = self.rest.interactions.event(interaction)
        await self.gateway.dispatch("INTERACTION_CREATE", lambda _: event)
        await self.until(lambda: bool(interaction.answered))
        return interaction

    # What a person sees.

    def messages(self, place: Place) -> list[Post]:
        """Give what stands in a place, oldest first."""
        return [post for post in self.state.in_place(place) if post.kind != 21]

    def answers(self, place: Place) -> list[str]:
        """Give the texts of the bot's posts that stand in a place, oldest first."""
        return [post.content for post in self.messages(place) if post.author is self.bot]

    async def until(self, predicate: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is so; looked at after every call, event and connection."""
        try:
            async with asyncio.timeout(seconds):
                while not predicate():
                    self._changed.clear()
                    try:
                        async with asyncio.timeout(0.05):
                            await self._changed.wait()
                    except TimeoutError:
                        continue
        except TimeoutError:
            raise AssertionError(f"not so within {seconds} s; last calls: {self._last_calls()}") from None

    async def connected(self) -> None:
        """Wait until a client has a session."""
        await self.until(lambda: bool(self.gateway.connected))

    # Mishaps.

    def refuse(self, method: str, pattern: str, status: int, code: int = 0, *, count: int = 1) -> None:
        """Let the next calls fail."""
        self.rest.troubles.append(Trouble(method, pattern, count, status, code))

    def lose_answer(self, method: str, pattern: str, *, count: int = 1, status: int = 502) -> None:
        """Let the next calls take effect, but be answered with an error."""
        self.rest.troubles.append(Trouble(method, pattern, count, status, after=True))

    def limit_next(
        self, method: str, pattern: str, seconds: float, *, count: int = 1, everywhere: bool = False
    ) -> None:
        """Let the next calls get a 429."""
        headers = {"Via": "1.1 google", "Retry-After": str(max(1, round(seconds)))}
        headers["X-RateLimit-Scope"] = "global" if everywhere else "user"
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
        self.rest.troubles.append(Trouble(method, pattern, count, 429, headers=headers, body=body))

    def hang_next(self, method: str, pattern: str) -> asyncio.Event:
        """Let the next call wait for its answer until the event is set."""
        released = asyncio.Event()
        self.rest.troubles.append(Trouble(method, pattern, 1, 503, after=True, released=released))
        return released

    def calls(self, method: str, ending: str = "") -> list[Call]:
        """Give the calls that were made, in order."""
        return [call for call in self.rest.calls if call.method == method and call.path.endswith(ending)]

    def _add(self, place: Place) -> Place:
        self.state.places[place.id] = place
        return place

    async def _emit(self, kind: str, post: Post) -> None:
        place = post.place
        more: dict[str, Any] = {"channel_type": place.kind}
        if place.guild_id:
            more |= {"guild_id": place.guild_id, "member": self.state.member(post.author)}
            more["member"].pop("banner")
        if post.nonce and kind == "MESSAGE_CREATE":
            more["nonce"] = post.nonce
        if not place.unreadable:
            await self.gateway.dispatch(
                kind, lambda content: self.state.message(post, content=content) | more
            )
        self._changed.set()

    def _last_calls(self) -> list[str]:
        return [f"{call.method} {call.path} {call.status}" for call in self.rest.calls[-8:]]
