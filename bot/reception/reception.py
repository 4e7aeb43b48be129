"""Keeps what people write, carries out what they ask for, and says to them alone what came of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from bot.dialogue import (
    Accepted,
    Author,
    Channel,
    Deletion,
    Granted,
    Message,
    Platform,
    Reply,
    Request,
    Thread,
    Why,
    Wish,
    tag_named,
)
from bot.ports import Tell, Words
from bot.reception.why import told_why

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Inbox(Protocol):
    """Keeps messages."""

    async def accept(self, message: Message) -> Accepted:
        """Keep a message and see to its answer."""
        ...


class Withdrawals(Protocol):
    """Takes away what people deleted."""

    async def withdraw(self, deletion: Deletion) -> None:
        """Have it never read again."""
        ...


class Wishes(Protocol):
    """Carries out wishes about answers and threads."""

    async def stop(self, request: Request) -> Granted:
        """End an answer where it stands."""
        ...

    async def again(self, request: Request) -> Granted:
        """Replace an answer."""
        ...

    async def why(self, request: Request) -> Why | None:
        """Tell what an answer was made of."""
        ...

    async def vote(self, request: Request) -> Granted:
        """Keep what a person thinks of an answer."""
        ...

    async def new(self, request: Request) -> Granted:
        """Let the next message begin a new conversation."""
        ...

    async def listen(self, request: Request) -> Granted:
        """Be quiet in a thread, or follow it again."""
        ...


class People(Protocol):
    """What is known of single persons."""

    async def languages(self, platform: Platform, workspace: str, person_id: str) -> tuple[str, str]:
        """Tell the languages that the person chose and that the workspace is set to."""
        ...

    async def choose(self, platform: Platform, person_id: str, language: str) -> None:
        """Keep the language that a person chose."""
        ...

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        """List a person's newest conversations."""
        ...


class Workspaces(Protocol):
    """What is known of workspaces."""

    async def left(self, platform: Platform, workspace: str) -> None:
        """Note that the bot was removed."""
        ...


class Reception:
    """Keeps the promises of `bot.ports.Door`."""

    def __init__(
        self,
        inbox: Inbox,
        withdrawals: Withdrawals,
        wishes: Wishes,
        people: People,
        workspaces: Workspaces,
        words: Words,
        admits: Callable[[Author, Channel], bool] = lambda author, channel: True,
        limited: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """
        All parts stand for the same database; `admits` says who is heard where.

        `limited` is called with what is kept, but above the limits and not answered.
        """
        self._limited = limited
        self._admits = admits
        self._inbox = inbox
        self._withdrawals = withdrawals
        self._wishes = wishes
        self._people = people
        self._workspaces = workspaces
        self._words = words

    async def accept(self, message: Message) -> Accepted:
        """Keep a message once, however often it comes."""
        accepted = await self._inbox.accept(message)
        if accepted is Accepted.LIMITED:
            self._limited(message)
        return accepted

    async def withdraw(self, deletion: Deletion) -> None:
        """Take deleted messages out of every context, and their answers away."""
        await self._withdrawals.withdraw(deletion)

    async def request(self, request: Request) -> Reply:
        """Do what a person asks for, and say in their language what came of it."""
        ways: dict[Wish, Callable[[Request, Tell], Awaitable[Reply]]] = {
            Wish.STOP: partial(self._answered, self._wishes.stop),
            Wish.AGAIN: partial(self._answered, self._wishes.again),
            Wish.NEW: partial(self._answered, self._wishes.new),
            Wish.QUIET: partial(self._answered, self._wishes.listen),
            Wish.JOIN: partial(self._answered, self._wishes.listen),
            Wish.WHY: self._why,
            Wish.VOTE: self._vote,
            Wish.LANGUAGE: self._choose,
            Wish.HELP: self._help,
        }
        language = await self._language(request)
        if not self._admits(request.person, request.channel):
            return Reply(self._words.say("wish-not-heard", language), False)
        return await ways[request.wish](request, partial(_say, self._words, language))

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        """List the newest conversations that a person asked something in, newest first."""
        return await self._people.recent(platform, workspace, person_id)

    async def language(self, platform: Platform, person_id: str) -> str:
        """Say which language a person chose to be spoken to in; "" for none."""
        chosen, _ = await self._people.languages(platform, "", person_id)
        return chosen

    async def left(self, platform: Platform, workspace: str) -> None:
        """Note that the bot was removed from a workspace."""
        await self._workspaces.left(platform, workspace)

    async def _answered(
        self, grant: Callable[[Request], Awaitable[Granted]], request: Request, tell: Tell
    ) -> Reply:
        return _reply(tell, str(request.wish), await grant(request))

    async def _why(self, request: Request, tell: Tell) -> Reply:
        why = await self._wishes.why(request)
        return Reply(tell("nothing-to-explain"), False) if why is None else Reply(told_why(why, tell))

    async def _vote(self, request: Request, tell: Tell) -> Reply:
        if request.value not in {"up", "down", ""}:
            return Reply(tell("wish-vote-unknown"), False)
        granted = await self._wishes.vote(request)
        if granted is not Granted.DONE:
            return _reply(tell, "vote", granted)
        return Reply(tell(f"wish-vote-{request.value or 'taken-back'}"))

    async def _choose(self, request: Request, tell: Tell) -> Reply:
        value = request.value.strip().replace("_", "-")
        named = tag_named(value)
        tag = value if named is None else named
        if tag and not _TAG.fullmatch(tag):
            return Reply(tell("wish-language-unknown"), False)
        await self._people.choose(request.channel.platform, request.person.id, tag)
        if not tag:
            return Reply(tell("wish-language-own"))
        return Reply(self._words.say("wish-language-done", tag))

    async def _help(self, request: Request, tell: Tell) -> Reply:
        return Reply(tell("wish-help"))

    async def _language(self, request: Request) -> str:
        """Choose the language to speak to a person in, by the rule for messages; there is no text."""
        place, person = request.channel, request.person
        chosen, common = await self._people.languages(place.platform, place.workspace, person.id)
        place = replace(place, language=place.language or common)
        said = Message("", place, person, "", datetime.now(UTC), language=chosen)
        return self._words.language_for(said)


def _say(words: Words, language: str, key: str, **values: object) -> str:
    return words.say(key, language, **values)


def _reply(tell: Tell, wish: str, granted: Granted) -> Reply:
    common = {Granted.NOT_YOURS, Granted.GONE}
    key = f"wish-{granted}" if granted in common else f"wish-{wish}-{granted}"
    return Reply(tell(key), granted in {Granted.DONE, Granted.ALREADY})
