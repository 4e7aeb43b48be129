"""What a platform brings and what it can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, runtime_checkable

from bot.dialogue import (
    Accepted,
    Channel,
    Deletion,
    File,
    Linked,
    Message,
    Piece,
    Platform,
    Reply,
    Request,
    Slot,
    Thread,
)


class Door(Protocol):
    """The one door in: when a method returns, all is committed; `StoreDown` means that nothing is."""

    async def accept(self, message: Message) -> Accepted:
        """Keep the message once, however often it comes."""
        ...

    async def withdraw(self, deletion: Deletion) -> None:
        """Have what people deleted never read again, and the answers to it taken away."""
        ...

    async def request(self, request: Request) -> Reply:
        """Do what a person asks for by a button or a command, and say what to tell that person alone."""
        ...

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        """List the newest conversations that a person asked something in, newest first."""
        ...

    async def language(self, platform: Platform, person_id: str) -> str:
        """Say which language a person chose to be spoken to in, as a BCP 47 tag; "" for none."""
        ...

    async def left(self, platform: Platform, workspace: str) -> None:
        """Note that the bot was removed from a workspace: its data is erased after the set time."""
        ...


class Receipts(Protocol):
    """
    What is on record of one answer's posts; every write is fenced by the conversation's lease.

    The order for a post: `sending`, `check`, the platform's call, `sent`. If `sent` raises
    `LeaseLost`, whoever posted deletes the post again and lets the error go on.
    """

    @property
    def fresh(self) -> bool:
        """Whether nothing of an earlier try can stand: no post, and no sign that somebody is at work."""
        ...

    async def check(self) -> None:
        """Raise `LeaseLost` or `Superseded` where nothing may be posted or edited any more."""
        ...

    async def sending(self, piece: Piece) -> Slot:
        """Record the piece before it is posted (the first time fixes its nonce); say what stands."""
        ...

    async def sent(self, piece: Piece, message_id: str) -> None:
        """Record the platform's id of the piece's post, or that the post now holds this text."""
        ...

    async def standing(self) -> Sequence[Slot]:
        """Say which posts earlier tries of this answer recorded, by ordinal."""
        ...

    async def removed(self, ordinal: int) -> None:
        """Record that the surplus post was deleted."""
        ...

    async def owns(self, message_id: str) -> bool:
        """Say whether any record has this post, whichever answer it belongs to."""
        ...


class Adapter(Protocol):
    """A platform's dialect, in and out. It decides nothing."""

    @property
    def platform(self) -> Platform:
        """Which platform it speaks to."""
        ...

    async def listen(self, door: Door) -> None:
        """
        Hand all that people do to the door until cancelled, reconnecting by itself.

        Raises `TokenRefused` where no further try can help.
        """
        ...

    def cutter(self) -> Callable[[str], list[str]]:
        """
        Begin to cut one answer: given all its Markdown so far, return texts that each fit one post.

        Growing text never changes an earlier cut. Nothing is dropped; code fences are closed and opened
        again.
        """
        ...

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        """
        Post the pieces as the reply to `question`, while they grow, until the iterator ends.

        From its start until the first text it shows that the bot is at work. What earlier tries left
        standing is overwritten; surplus posts are deleted. When it returns, the whole text stands and
        nothing looks unfinished. Raises `PostRefused` where no post can be made, `PlatformDown` where
        a later try may help, and lets what `receipts` raises go through.
        """
        ...

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        """
        Delete all posts of the answer to `question`, and show nothing of it.

        Posts that are gone already are no error. Raises as `send` does.
        """
        ...


@runtime_checkable
class History(Protocol):
    """A platform whose earlier messages can be read."""

    async def history(self, question: Message) -> Sequence[Message]:
        """
        Read what stands in the question's thread (or reply chain) before it, oldest first.

        Paged within the platform's limits and bounded; our own earlier posts come with `said`.
        """
        ...


@runtime_checkable
class Notices(Protocol):
    """A platform that can tell one person something without showing it to all."""

    async def notice(self, question: Message, text: str) -> bool:
        """
        Tell the asker where only they see it, or in a direct message; False where neither is possible.

        For what could not be posted: it raises no `PlatformError` but `PlatformDown`.
        """
        ...


@runtime_checkable
class Files(Protocol):
    """A platform whose attached files can be read."""

    async def fetch(self, channel: Channel, file: File, most: int) -> bytes:
        """
        Fetch a file of at most `most` bytes that was shared in a channel.

        Raises `PostRefused` where it is larger or out of reach, `PermissionMissing` where the bot may not
        read files, `PlatformDown` where a later try may help.
        """
        ...


@runtime_checkable
class Links(Protocol):
    """A platform whose messages have addresses."""

    async def linked(self, question: Message) -> Sequence[Linked]:
        """
        Read the messages that the question links to, in the order of the links and bounded.

        Only those that the asker may read, and everybody else who can read the answer; of all others
        nothing but the link is told. Raises `PlatformDown`.
        """
        ...


@runtime_checkable
class Connected(Protocol):
    """A platform that speaks to us over connections which we keep open."""

    def connected(self) -> bool:
        """Say whether all connections that this process should have are up at this moment; asks nobody."""
        ...


@runtime_checkable
class Named(Protocol):
    """A platform where people may have given the bot a name of their own."""

    def names(self, channel: Channel) -> Sequence[str]:
        """Say what the bot is called in a place, as far as it is known by now; asks nobody."""
        ...


@runtime_checkable
class Withdraws(Protocol):
    """A platform that does not tell a second time what was deleted while nobody listened."""

    def withdraw_by(self, door: Door) -> None:
        """Withdraw by this door what is found deleted right before its answer."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A platform that takes only so many posts a minute, so that the ones that are needed come first."""

    def spares(self, channel: Channel) -> bool:
        """
        Take the allowance for a post that could be left out; False where others need what is left.

        It is for one in that place, and for the edit by which the answer will take its place.
        """
        ...
