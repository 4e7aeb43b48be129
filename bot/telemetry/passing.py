"""The seams that are watched, and classes that pass everything on; what watches one adds what it sees."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from bot.dialogue import (
    Accepted,
    Answer,
    Context,
    Deletion,
    Delta,
    Message,
    Piece,
    Platform,
    Reply,
    Request,
    Slot,
    Thread,
    Turn,
)
from bot.ports import Backend, Door, Receipts

Fence_contra = TypeVar("Fence_contra", contravariant=True)
Recalled_co = TypeVar("Recalled_co", covariant=True)


class Answerer(Protocol):
    """Answers a claimed turn."""

    async def answer(self, turn: Turn) -> Turn | None:
        """Answer it and return the conversation's next."""
        ...


class Turns(Protocol):
    """The record of answers."""

    async def claim(self, conversation_id: int) -> Turn | None:
        """Take the conversation's lease and its oldest open turn."""
        ...

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """End a turn and take up the next."""
        ...

    async def reload(self, turn: Turn) -> Turn:
        """Read what is wanted of it now."""
        ...

    async def release(self, turn: Turn, seconds: float = 0.0) -> None:
        """Give a turn back."""
        ...

    async def hand_over(self, turn: Turn) -> None:
        """Give a turn back in the midst of its answer."""
        ...

    async def forgive(self, turn: Turn) -> None:
        """Uncount a try that another worker took over."""
        ...


class Outbox(Protocol[Fence_contra]):
    """The record of posts."""

    def receipts(self, turn: Turn, fence: Fence_contra) -> Receipts:
        """Open the record of one answer's posts."""
        ...


class Remembers(Protocol[Recalled_co]):
    """What the engine asks the record."""

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Recalled_co:
        """Recall what fits the budget."""
        ...

    async def factor(self, model: str, unknown: float) -> float:
        """Say how many of the model's tokens one of ours costs."""
        ...

    async def calibrate(self, model: str, measured: float) -> None:
        """Note what one of our tokens cost the model."""
        ...

    async def spent_today(self, conversation_id: int) -> int:
        """Say how many tokens the workspace used today."""
        ...

    async def spend(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        """Count tokens, and dollars where known."""
        ...


class PassedDoor:
    """A door before a door."""

    def __init__(self, inner: Door) -> None:
        """`inner` is the door itself."""
        self._inner = inner

    async def accept(self, message: Message) -> Accepted:
        """Pass on."""
        return await self._inner.accept(message)

    async def withdraw(self, deletion: Deletion) -> None:
        """Pass on."""
        await self._inner.withdraw(deletion)

    async def request(self, request: Request) -> Reply:
        """Pass on."""
        return await self._inner.request(request)

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        """Pass on."""
        return await self._inner.recent(platform, workspace, person_id)

    async def language(self, platform: Platform, person_id: str) -> str:
        """Pass on."""
        return await self._inner.language(platform, person_id)

    async def left(self, platform: Platform, workspace: str) -> None:
        """Pass on."""
        await self._inner.left(platform, workspace)


class PassedTurns:
    """A record of answers before the record."""

    def __init__(self, inner: Turns) -> None:
        """`inner` is the record itself."""
        self._inner = inner

    async def claim(self, conversation_id: int) -> Turn | None:
        """Pass on."""
        return await self._inner.claim(conversation_id)

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        """Pass on."""
        return await self._inner.finish(turn, answer)

    async def reload(self, turn: Turn) -> Turn:
        """Pass on."""
        return await self._inner.reload(turn)

    async def release(self, turn: Turn, seconds: float = 0.0) -> None:
        """Pass on."""
        await self._inner.release(turn, seconds)

    async def hand_over(self, turn: Turn) -> None:
        """Pass on."""
        await self._inner.hand_over(turn)

    async def forgive(self, turn: Turn) -> None:
        """Pass on."""
        await self._inner.forgive(turn)


class PassedReceipts:
    """A record of posts before the record."""

    def __init__(self, inner: Receipts) -> None:
        """`inner` is the record itself."""
        self._inner = inner

    @property
    def fresh(self) -> bool:
        """As the inner one."""
        return self._inner.fresh

    async def check(self) -> None:
        """Pass on."""
        await self._inner.check()

    async def sending(self, piece: Piece) -> Slot:
        """Pass on."""
        return await self._inner.sending(piece)

    async def sent(self, piece: Piece, message_id: str) -> None:
        """Pass on."""
        await self._inner.sent(piece, message_id)

    async def standing(self) -> Sequence[Slot]:
        """Pass on."""
        return await self._inner.standing()

    async def removed(self, ordinal: int) -> None:
        """Pass on."""
        await self._inner.removed(ordinal)

    async def owns(self, message_id: str) -> bool:
        """Pass on."""
        return await self._inner.owns(message_id)


class PassedBackend:
    """A model before the model."""

    def __init__(self, inner: Backend) -> None:
        """`inner` generates."""
        self._inner = inner

    @property
    def name(self) -> str:
        """The model's name."""
        return self._inner.name

    @property
    def context_tokens(self) -> int:
        """How many of its own tokens it reads and writes together."""
        return self._inner.context_tokens

    @property
    def answer_tokens(self) -> int:
        """How many tokens of that are kept for the answer."""
        return self._inner.answer_tokens

    @property
    def languages(self) -> frozenset[str]:
        """The languages it can write."""
        return self._inner.languages

    @property
    def sees(self) -> bool:
        """Whether it can be shown pictures."""
        return self._inner.sees

    @property
    def metered(self) -> bool:
        """Whether its tokens cost somebody money."""
        return self._inner.metered

    def stream(self, context: Context) -> AsyncIterator[Delta]:
        """Pass on."""
        return self._inner.stream(context)
