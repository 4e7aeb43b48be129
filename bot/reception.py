"""The door in, behind which everything that people do is kept and carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.dialogue import Accepted, Deletion, Message, Platform, Reply, Request, Thread


class Inbox(Protocol):
    """Keeps messages."""

    async def accept(self, message: Message) -> Accepted:
        """Keep a message and see to its answer."""
        ...


class Reception:
    """Keeps the promises of `bot.ports.Door`."""

    def __init__(self, inbox: Inbox) -> None:
        """All parts stand for the same database."""
        self._inbox = inbox

    async def accept(self, message: Message) -> Accepted:
        """Keep a message once, however often it comes."""
        return await self._inbox.accept(message)

    async def withdraw(self, deletion: Deletion) -> None:
        """Take deleted messages out of every context."""
        raise NotImplementedError

    async def request(self, request: Request) -> Reply:
        """Do what a person asks for."""
        raise NotImplementedError

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        """List the newest conversations of a person."""
        raise NotImplementedError

    async def language(self, platform: Platform, person_id: str) -> str:
        """Say which language a person chose."""
        raise NotImplementedError

    async def left(self, platform: Platform, workspace: str) -> None:
        """Note that the bot was removed from a workspace."""
        raise NotImplementedError
