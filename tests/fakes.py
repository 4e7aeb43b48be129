"""Stand-ins that keep the promises of `bot.ports` in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

from bot.dialogue import Accepted, Message, Piece, Slot
from bot.errors import LeaseLost, Superseded


class FakeReceipts:
    """A record of posts in memory; `refuse` names the call that shall lose the lease."""

    def __init__(self, standing: Iterable[Slot] = (), owned: Iterable[str] = ()) -> None:
        self.slots: dict[int, Slot] = {slot.ordinal: slot for slot in standing}
        self.texts: dict[int, str] = {}
        self.log: list[tuple[str, int]] = []
        self.foreign = set(owned)
        self.refuse = ""
        self.superseded = False

    def check(self) -> None:
        if self.refuse == "check":
            raise LeaseLost("the lease ran out")
        if self.superseded:
            raise Superseded("something newer is wanted")

    async def sending(self, piece: Piece) -> Slot:
        self.log.append(("sending", piece.ordinal))
        known = self.slots.get(piece.ordinal)
        slot = known or Slot(
            piece.ordinal, f"nonce-{id(self) % 10**9}-{piece.ordinal}", recorded_at=datetime.now(UTC)
        )
        self.slots[piece.ordinal] = slot
        return slot

    async def sent(self, piece: Piece, message_id: str) -> None:
        if self.refuse == "sent":
            raise LeaseLost("another worker has it")
        assert piece.ordinal in self.slots, "a post was made that was not recorded before"
        self.log.append(("sent", piece.ordinal))
        self.slots[piece.ordinal] = Slot(piece.ordinal, self.slots[piece.ordinal].nonce, message_id)
        self.texts[piece.ordinal] = piece.text

    async def standing(self) -> Sequence[Slot]:
        return [self.slots[ordinal] for ordinal in sorted(self.slots)]

    async def removed(self, ordinal: int) -> None:
        self.log.append(("removed", ordinal))
        self.slots.pop(ordinal, None)
        self.texts.pop(ordinal, None)

    async def owns(self, message_id: str) -> bool:
        return message_id in self.foreign or any(
            slot.message_id == message_id for slot in self.slots.values()
        )


class FakeInbox:
    """A door that keeps messages in memory; `error` is raised instead while it is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.error: Exception | None = None

    async def __call__(self, message: Message) -> Accepted:
        if self.error is not None:
            raise self.error
        if any(known.key == message.key for known in self.messages):
            return Accepted.KNOWN
        self.messages.append(message)
        return Accepted.NEW


class FakeWords:
    """A catalogue that says the key and the values, so that tests do not hang on wording."""

    def say(self, key: str, language: str, **values: object) -> str:
        shown = "".join(f" {name}={value}" for name, value in sorted(values.items()))
        return f"[{language}:{key}{shown}]"

    def language_of(self, text: str) -> str:
        return "zh" if any("一" <= letter <= "鿿" for letter in text) else "en"


async def pieces_of(*pieces: Piece) -> AsyncIterator[Piece]:
    """Yield the pieces one by one, as a worker would."""
    for piece in pieces:
        yield piece
