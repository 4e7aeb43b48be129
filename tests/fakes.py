"""Stand-ins that keep the promises of `bot.ports` in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.adapters.pieces import Cutter
from bot.adapters.posting import PostGone, clear_away, post_and_edit
from bot.catalogue import Catalogue
from bot.dialogue import (
    Accepted,
    Answer,
    Author,
    Channel,
    ChannelKind,
    Context,
    Conversation,
    Deletion,
    Delta,
    Line,
    Manifest,
    Message,
    Piece,
    Platform,
    Reply,
    Request,
    Role,
    Slot,
    Thread,
    Turn,
    Wish,
)
from bot.errors import LeaseLost, Superseded
from bot.memory.leases import Lease
from bot.memory.outbox import Fence
from bot.ports import Door, Receipts
from tests.doubles.model import Gate

JUST_NOW = datetime.now(UTC)  # what waits longer than an hour is answered with an apology


class FakeReceipts:
    """A record of posts in memory; `refuse` names the call that shall lose the lease."""

    def __init__(self, standing: Iterable[Slot] = (), owned: Iterable[str] = ()) -> None:
        self.slots: dict[int, Slot] = {slot.ordinal: slot for slot in standing}
        self.texts: dict[int, str] = {}
        self.log: list[tuple[str, int]] = []
        self.foreign = set(owned)
        self.refuse = ""
        self.superseded = False
        self.taken_up_before = False
        self.fence: Callable[[], Awaitable[None]] | None = None

    @property
    def fresh(self) -> bool:
        return not self.slots and not self.taken_up_before

    async def check(self) -> None:
        if self.fence is not None:
            await self.fence()
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


class FakeDoor:
    """
    A door that keeps in memory what comes through it; `error` is raised instead while it is set.

    `replies` says what is told a person who wishes something; `threads` are those of everybody.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.deletions: list[Deletion] = []
        self.requests: list[Request] = []
        self.replies: dict[Wish, Reply] = {}
        self.threads_of: dict[str, list[Thread]] = {}
        self.languages: dict[str, str] = {}
        self.left_places: list[tuple[Platform, str]] = []
        self.error: Exception | None = None

    async def accept(self, message: Message) -> Accepted:
        self._fail()
        if any(known.key == message.key for known in self.messages):
            return Accepted.KNOWN
        self.messages.append(message)
        return Accepted.NEW

    async def withdraw(self, deletion: Deletion) -> None:
        self._fail()
        self.deletions.append(deletion)

    async def request(self, request: Request) -> Reply:
        self._fail()
        self.requests.append(request)
        if request.wish is Wish.LANGUAGE:
            self.languages[request.person.id] = request.value
        return self.replies.get(request.wish, Reply(f"[{request.wish}]"))

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        return self.threads_of.get(person_id, [])

    async def language(self, platform: Platform, person_id: str) -> str:
        return self.languages.get(person_id, "")

    async def left(self, platform: Platform, workspace: str) -> None:
        self._fail()
        self.left_places.append((platform, workspace))

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class FakeWords:
    """A catalogue that says the key and the values, so that tests do not hang on wording."""

    def say(self, key: str, language: str, **values: object) -> str:
        shown = "".join(f" {name}={value}" for name, value in sorted(values.items()))
        return f"[{language}:{key}{shown}]"

    def language_of(self, text: str) -> str:
        return "zh" if any("一" <= letter <= "鿿" for letter in text) else "en"

    def language_for(self, message: Message) -> str:
        return message.language or self.language_of(message.text)


async def pieces_of(*pieces: Piece) -> AsyncIterator[Piece]:
    """Yield the pieces one by one, as a worker would."""
    for piece in pieces:
        yield piece


class FakeBackend:
    """
    A model that says what it was told to: each call takes the next script, the last one stays.

    A script is a list of texts, deltas, gates to stand at, and errors to raise.
    """

    def __init__(
        self,
        *scripts: Sequence[str | Delta | Gate | Exception],
        name: str = "fake-1",
        context_tokens: int = 4_096,
        answer_tokens: int = 512,
        languages: Iterable[str] = (),
        metered: bool = False,
        sees: bool = False,
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.answer_tokens = answer_tokens
        self.languages = frozenset(languages)
        self.metered = metered
        self.sees = sees
        self.contexts: list[Context] = []
        self.running = 0
        self.left = asyncio.Event()
        self._scripts = list(scripts) or [["Hello."]]

    async def stream(self, context: Context) -> AsyncIterator[Delta]:
        self.contexts.append(context)
        script = self._scripts[min(len(self.contexts), len(self._scripts)) - 1]
        self.running += 1
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Gate):
                    await step.pass_through()
                    continue
                yield Delta(step) if isinstance(step, str) else step
        finally:
            self.running -= 1
            self.left.set()


class WordCounter:
    """Counts a word as a token."""

    encoding = "words"

    def count(self, text: str) -> int:
        return len(text.split())


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a fake memory recalls."""

    summary: str
    lines: tuple[Line, ...]
    people: tuple[str, ...]
    manifest: Manifest


class FakeMemory:
    """A record in memory: `earlier` lines, the newest of which are recalled within the budget."""

    def __init__(self, earlier: Iterable[Line] = (), summary: str = "") -> None:
        self.earlier = list(earlier)
        self.summary = summary
        self.budgets: list[int] = []
        self.factors: dict[str, float] = {}
        self.spent = 0
        self.costs: list[Decimal | None] = []
        self.error: Exception | None = None

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Remembered:
        if self.error is not None:
            raise self.error
        self.budgets.append(budget)
        question = tuple(Line(Role.PERSON, m.text, m.author.name) for m in turn.question)
        tokens = sum(len(line.text.split()) for line in question)
        kept: list[Line] = []
        for line in reversed(self.earlier):
            weight = len(line.text.split())
            if tokens + weight > budget:
                break
            tokens += weight
            kept.insert(0, line)
        lines = (*kept, *question)
        people = tuple(dict.fromkeys(line.author for line in lines if line.role is Role.PERSON))
        return Remembered(self.summary, lines, people, Manifest(budget=budget, tokens=tokens))

    async def factor(self, model: str, unknown: float) -> float:
        return self.factors.get(model, unknown)

    async def calibrate(self, model: str, measured: float) -> None:
        slowly = self.factors.get(model, 0.0) * 0.9 + measured * 0.1
        self.factors[model] = max(measured, slowly)

    async def spent_today(self, conversation_id: int) -> int:
        return self.spent

    async def spend(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        self.spent += tokens
        self.costs.append(cost)


class FakeRoom:
    """A place of posts, as people see it: `posts` by id; each of `seen` is all that stood at one moment."""

    def __init__(self) -> None:
        self.posts: dict[str, str] = {}
        self.seen: list[tuple[str, ...]] = []
        self._by_nonce: dict[str, str] = {}
        self._changed = asyncio.Event()

    async def post(self, piece: Piece, nonce: str) -> str:
        message_id = self._by_nonce.setdefault(nonce, f"post-{len(self._by_nonce) + 1}")
        self._show(message_id, piece.text)
        return message_id

    async def edit(self, message_id: str, piece: Piece) -> None:
        if message_id not in self.posts:
            raise PostGone(message_id)
        self._show(message_id, piece.text)

    async def delete(self, message_id: str, *, fenced: bool = True) -> None:
        self.posts.pop(message_id, None)
        self._look()

    async def find(self, slot: Slot) -> str | None:
        return self._by_nonce.get(slot.nonce)

    @property
    def shown(self) -> tuple[str, ...]:
        """All posts, oldest first."""
        return tuple(self.posts.values())

    async def until(self, wanted: Callable[[tuple[str, ...]], bool]) -> None:
        """Wait until a person sees what is wanted."""
        async with asyncio.timeout(5):
            while not wanted(self.shown):
                self._changed.clear()
                await self._changed.wait()

    def _show(self, message_id: str, text: str) -> None:
        self.posts[message_id] = text
        self._look()

    def _look(self) -> None:
        self.seen.append(self.shown)
        self._changed.set()


class FakeAdapter:
    """A platform in memory, with delivery by the real posts and edits; `error` is raised by the next post."""

    platform = Platform.SLACK

    def __init__(self, limit: int = 200) -> None:
        self.room = FakeRoom()
        self.limit = limit
        self.error: Exception | None = None
        self.sends = 0

    async def listen(self, door: Door) -> None:
        await asyncio.Event().wait()

    def cutter(self) -> Callable[[str], list[str]]:
        return Cutter(self.limit).feed

    async def send(self, question: Message, pieces: AsyncIterator[Piece], receipts: Receipts) -> None:
        self.sends += 1
        if self.error is not None:
            raise self.error
        await post_and_edit(pieces, receipts, self.room, pace=0.0)

    async def take_away(self, question: Message, receipts: Receipts) -> None:
        if self.error is not None:
            raise self.error
        await clear_away(receipts, self.room)


class FakeReader(FakeAdapter):
    """A platform whose earlier messages can be read."""

    def __init__(self, *earlier: Message) -> None:
        super().__init__()
        self.earlier: list[Message] = list(earlier)
        self.unread: Exception | None = None

    async def history(self, question: Message) -> Sequence[Message]:
        if self.unread is not None:
            raise self.unread
        return self.earlier


class FakeRecord:
    """Turns, leases and posts of answers in memory, as a worker asks for them; `log` has the calls."""

    def __init__(self, *waiting: Turn) -> None:
        self.waiting = list(waiting)
        self.log: list[str] = []
        self.answers: list[Answer] = []
        self.finished: set[int] = set()
        self.posts: dict[int, FakeReceipts] = {}
        self.kept: list[Message] = []
        self.lease: Lease | None = None
        self.wanted: Turn | None = None
        self.errors: dict[str, Exception] = {}

    async def claim(self, conversation_id: int) -> Turn | None:
        self._called("claim")
        return self.waiting.pop(0) if self.waiting else None

    async def finish(self, turn: Turn, answer: Answer) -> Turn | None:
        self._called("finish")
        self.answers.append(answer)
        self.finished.add(turn.id)
        return self.waiting.pop(0) if self.waiting else None

    async def reload(self, turn: Turn) -> Turn:
        self._called("reload")
        return self.wanted or turn

    async def release(self, turn: Turn, seconds: float = 0.0) -> None:
        self._called("release")
        if turn.id in self.finished:
            raise LeaseLost("the turn is over")
        self.waiting.insert(0, turn)

    async def hand_over(self, turn: Turn) -> None:
        self._called("hand over")
        if turn.id in self.finished:
            raise LeaseLost("the turn is over")
        self.waiting.insert(0, turn)

    async def forgive(self, turn: Turn) -> None:
        self._called("forgive")

    async def keep(self, conversation: Conversation, earlier: Sequence[Message]) -> int:
        self._called("keep")
        self.kept.extend(earlier)
        return len(earlier)

    @asynccontextmanager
    async def hold(self, turn: Turn) -> AsyncIterator[Lease]:
        self._called("hold")
        self.lease = Lease(turn, time.monotonic() + 60, _not_renewed)
        yield self.lease
        self.log.append("let go")

    def receipts(self, turn: Turn, fence: Fence, *, provisional: bool = False) -> FakeReceipts:
        receipts = self.posts.setdefault(turn.id, FakeReceipts())
        receipts.fence = fence.check
        return receipts

    def ask_more(self, turn: Turn) -> None:
        """Have the turn that is being answered begin again with what is wanted now."""
        assert self.lease is not None
        self.wanted = turn
        self.lease.end(Superseded("something newer is wanted"))

    def take_away(self) -> None:
        """Have another worker take the conversation."""
        assert self.lease is not None
        self.lease.end(LeaseLost("another worker has it"))

    def _called(self, name: str) -> None:
        self.log.append(name)
        if name in self.errors:
            raise self.errors.pop(name)


async def _not_renewed() -> None:
    """Leave a lease as it is."""


def a_message(text: str, number: int = 1, **changes: Any) -> Message:
    """Make a message of Ann's in a Slack thread."""
    place = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.THREAD, "#general")
    given: dict[str, Any] = {"channel": place, "author": Author("U1", "Ann"), "mentions_bot": True}
    given |= {"text": text, "sent_at": JUST_NOW}
    return Message(f"{number}.0", **given | changes)


def a_turn(
    *texts: str, number: int = 1, attempts: int = 1, history_read: bool = True, **changes: Any
) -> Turn:
    """Make a turn that asks these texts; `changes` are of its messages."""
    question = tuple(a_message(text, place, **changes) for place, text in enumerate(texts, 1))
    conversation = Conversation(7, question[-1].channel, history_read)
    return Turn(number, conversation, question, epoch=1, revision=0, attempts=attempts)


def in_english(key: str, **values: object) -> str:
    """Tell the real catalogue's text, as `bot doctor` tells it to who reads English."""
    return Catalogue().say(key, "en", **values)
