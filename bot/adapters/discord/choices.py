"""What a guild chose: where it is answered, and in which language."""

from __future__ import annotations

from typing import Protocol

from bot.dialogue import Platform


class Choice(Protocol):
    """What one workspace chose; "" is the default."""

    @property
    def answers(self) -> str:
        """Where a mention in a channel is answered: "thread" or "here"."""
        ...

    @property
    def language(self) -> str:
        """The place's language as a BCP 47 tag."""
        ...


class Choices(Protocol):
    """Keeps what workspaces chose; reading is cheap, for each message asks."""

    async def settings(self, platform: Platform, workspace: str) -> Choice:
        """Read a workspace's choices; raises `StoreDown`."""
        ...

    async def change(
        self, platform: Platform, workspace: str, *, answers: str | None = None, language: str | None = None
    ) -> Choice:
        """Change what is not None, and say what holds now; raises `StoreDown`."""
        ...
