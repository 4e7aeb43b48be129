"""What the other rooms ask of each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from bot.dialogue import (
    Channel,
    Context,
    Delta,
    Entry,
    Finding,
    Message,
    Platform,
    Thread,
    Why,
)


class Tell(Protocol):
    """Says the catalogue's text in the language of whoever reads it."""

    def __call__(self, key: str, **values: object) -> str:
        """Say the text of the key."""
        ...


@runtime_checkable
class Checks(Protocol):
    """Something `bot doctor` can look at."""

    def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at each part and tell what is wrong and what to do; never raise for what is wrong."""
        ...


class Backend(Protocol):
    """A model's dialect."""

    @property
    def name(self) -> str:
        """The model's name, as manifests and records have it."""
        ...

    @property
    def context_tokens(self) -> int:
        """How many of its own tokens it reads and writes together."""
        ...

    @property
    def answer_tokens(self) -> int:
        """How many tokens of that are kept for the answer."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """The languages it can write, as ISO 639-1 codes; empty means all."""
        ...

    @property
    def sees(self) -> bool:
        """Whether it can be shown pictures."""
        ...

    @property
    def metered(self) -> bool:
        """Whether its tokens cost somebody money and count against the daily limit."""
        ...

    def stream(self, context: Context) -> AsyncIterator[Delta]:
        """
        Generate; the last delta carries `usage` where the server tells it.

        Raises a `BackendError`: before the first text after its own retries, later `StreamCut`.
        """
        ...


class TokenCounter(Protocol):
    """Counts tokens the one way that stored counts are in."""

    @property
    def encoding(self) -> str:
        """The vocabulary's name."""
        ...

    def count(self, text: str) -> int:
        """Count the tokens of a text; special tokens in it are counted as plain text."""
        ...


class Words(Protocol):
    """The bot's own words, from the catalogue."""

    def say(self, key: str, language: str, **values: object) -> str:
        """Say the catalogue's text in the language (BCP 47), English where it has no other."""
        ...

    def language_of(self, text: str) -> str:
        """
        Tell the language a text is written in, as an ISO 639-1 code.

        "" where it cannot be told (emoji, numbers, code); short Latin text counts as "en" unless it is clear.
        """
        ...

    def language_for(self, message: Message) -> str:
        """
        Choose the language to answer a message in, as a BCP 47 tag.

        What its author chose; else the script of the text, with the author's or the place's own variant
        of it; else the author's locale, the place's language, English.
        """
        ...


class Transcripts(Protocol):
    """What pages, terminals and commands read and change of the record."""

    async def threads(self, platform: Platform, limit: int = 50) -> Sequence[Thread]:
        """List the newest conversations of a platform, newest first."""
        ...

    async def read(self, channel: Channel, limit: int = 200) -> Sequence[Entry]:
        """Read the newest entries of a channel's conversation, oldest first, the growing answer included."""
        ...

    def changes(self, channel: Channel) -> AsyncIterator[None]:
        """Yield at once, and again after every commit that changed what `read` returns."""
        ...

    async def why(self, turn: int) -> Why | None:
        """Tell why an answer is what it is; None where there is no such turn."""
        ...

    async def turn_of(self, channel: Channel, message_id: str = "") -> int:
        """Find the turn of a post (or the newest turn of the channel); 0 where there is none."""
        ...
