"""What a wake-up does: answers a conversation's open turns one by one, or folds its oldest part."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from bot.dialogue import Answer, Outcome, Platform, Stretch, Turn, Wanted
from bot.errors import (
    FrontdeskError,
    HeldElsewhere,
    LeaseLost,
    PermissionMissing,
    PlatformDown,
    PlatformError,
    PostRefused,
    RateLimited,
    StoreDown,
    TokenRefused,
)
from bot.worker.queue import Later

log = structlog.get_logger()

_SUMMARY_SHARE = 8
_LEAST_SUMMARY, _MOST_SUMMARY = 64, 400
_SHORT_WAIT = 1.0
_PLATFORM_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_TOKEN_PATIENCE = timedelta(days=1)  # nobody waits longer for a token to be put right
_MODEL_PAUSE, _SHORTEST_PAUSE = 5.0, 1.0
_SUSPICIOUS = 4  # a turn's tries from which on it is tried apart from others like it


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
        """Give a turn back; its try does not count."""
        ...

    async def hand_over(self, turn: Turn) -> None:
        """Give a turn back in the midst of its answer; its try does not count."""
        ...

    async def forgive(self, turn: Turn) -> None:
        """Uncount a try that another worker took over."""
        ...


class Summaries(Protocol):
    """The summary blocks."""

    async def is_due(self, conversation_id: int, budget: int) -> bool:
        """Say whether something should be folded."""
        ...

    async def order(self, conversation_id: int, platform: Platform) -> None:
        """Have a worker fold the conversation."""
        ...

    async def next_stretch(self, conversation_id: int, budget: int) -> Stretch | None:
        """Find what to fold next."""
        ...

    async def add(self, stretch: Stretch, text: str) -> int:
        """Keep a block."""
        ...


class Engine(Protocol):
    """Tells lines shortly."""

    @property
    def room(self) -> int:
        """How many counted tokens a context has for history."""
        ...

    async def summarise(self, stretch: Stretch, tokens: int) -> str:
        """Tell a stretch in at most about `tokens`."""
        ...


class Care(Protocol):
    """What is done about posts that are refused."""

    async def refused(self, turn: Turn, error: PlatformError) -> None:
        """Note it, and tell the asker."""
        ...

    async def well(self, turn: Turn) -> None:
        """Note that an answer stands."""
        ...


class Worker:
    """Does what the queue's jobs ask."""

    def __init__(
        self, answerer: Answerer, turns: Turns, summaries: Summaries, engine: Engine, care: Care
    ) -> None:
        """All stand for the same database."""
        self._answerer = answerer
        self._turns = turns
        self._summaries = summaries
        self._engine = engine
        self._care = care
        self._away: Counter[tuple[Platform, str]] = Counter()
        self._suspect = asyncio.Lock()
        self._unjust: list[Turn] = []  # whose try ended only because the record was away

    async def answer(self, conversation_id: int) -> None:
        """
        Answer all open turns of a conversation, in order.

        Raises `Later` where another try has to follow.
        """
        await self._do_justice()
        turn = await self._claimed(conversation_id)
        if turn is None:
            return
        platform = turn.conversation.channel.platform
        while turn is not None:
            turn = await self._answer_one(turn)
        await self._order_folding(conversation_id, platform)

    async def fold(self, conversation_id: int) -> None:
        """
        Fold a conversation's oldest part until enough of it is told shortly.

        Raises `Later` where the model has no room.
        """
        budget = self._engine.room
        while (stretch := await self._summaries.next_stretch(conversation_id, budget)) is not None:
            share = stretch.covered_tokens // _SUMMARY_SHARE
            tokens = max(_LEAST_SUMMARY, min(_MOST_SUMMARY, share))
            try:
                text = await self._engine.summarise(stretch, tokens) or "…" if stretch.lines else ""
            except RateLimited as error:
                raise Later(_until_room(error)) from error
            await self._summaries.add(stretch, text)
            log.info("stretch_folded", conversation=conversation_id, level=stretch.level)

    async def _do_justice(self) -> None:
        """Uncount the tries that ended only because the record was away, now that it is back."""
        while self._unjust:
            turn = self._unjust.pop()  # before it is waited for: others do this at the same time
            try:
                await self._turns.forgive(turn)
            except StoreDown:
                self._unjust.append(turn)
                raise

    async def _claimed(self, conversation_id: int) -> Turn | None:
        """
        Take the conversation up, after the lease of a holder that may be dead.

        A long wait is the queue's, which looks for due jobs once a second; its last second is waited for
        here, so that the lease is taken in the moment it is free.
        """
        while True:
            try:
                return await self._turns.claim(conversation_id)
            except HeldElsewhere as error:
                if error.seconds > _SHORT_WAIT:
                    raise Later(error.seconds - _SHORT_WAIT) from error
                await asyncio.sleep(error.seconds)

    async def _answer_one(self, turn: Turn) -> Turn | None:
        try:
            if turn.attempts < _SUSPICIOUS:
                return await self._deliver(turn)
            return await self._deliver_apart(turn)
        except LeaseLost:
            log.info("turn_taken_over", turn=turn.id)
            await self._turns.forgive(turn)
            return None
        except StoreDown:
            self._unjust.append(turn)
            raise
        except asyncio.CancelledError:
            with suppress(FrontdeskError):
                await self._turns.hand_over(turn)
                log.info("turn_handed_over", turn=turn.id)
            raise

    async def _deliver_apart(self, turn: Turn) -> Turn | None:
        """
        Answer a turn that several workers died with, one such at a time.

        One that ends its worker takes along all that is answered there at that moment: were they all
        tried together, each would count as many deaths as the one that brings them about.
        """
        if self._suspect.locked():
            await self._turns.release(turn, _SHORTEST_PAUSE)
            raise Later(_SHORTEST_PAUSE)
        async with self._suspect:
            return await self._deliver(turn)

    async def _deliver(self, turn: Turn) -> Turn | None:
        place = (turn.conversation.channel.platform, turn.conversation.channel.workspace)
        try:
            following = await self._answerer.answer(turn)
        except (PostRefused, PermissionMissing) as error:
            log.error("answer_not_posted", turn=turn.id, kind=type(error).__name__, reason=str(error))
            return await self._give_up(turn, error)
        except (PlatformDown, TokenRefused) as error:
            log.warning("platform_away", turn=turn.id, kind=type(error).__name__, reason=str(error))
            if isinstance(error, TokenRefused) and _now() - turn.asked.sent_at > _TOKEN_PATIENCE:
                return await self._give_up(turn, error)
            # Each try costs a whole answer's tokens: the longer it is away, the rarer they are.
            pause = min(_PLATFORM_PAUSE * 2.0 ** self._away[place], _LONGEST_PAUSE)
            self._away[place] = min(self._away[place] + 1, 10)
            await self._turns.release(turn, pause)
            raise Later(pause) from error
        except RateLimited as error:
            pause = _until_room(error)
            log.info("turn_waits", turn=turn.id, reason=str(error), seconds=round(pause, 1))
            await self._turns.release(turn, pause)
            raise Later(pause) from error
        del self._away[place]
        await self._care.well(turn)
        return following

    async def _give_up(self, turn: Turn, error: PlatformError) -> Turn | None:
        """End a turn whose answer no later try could post, or take away."""
        turn = await self._turns.reload(turn)
        await self._care.refused(turn, error)
        outcome = Outcome.WITHDRAWN if turn.wanted is Wanted.WITHDRAW else Outcome.FAILED
        return await self._turns.finish(turn, Answer(outcome, "", error=type(error).__name__))

    async def _order_folding(self, conversation_id: int, platform: Platform) -> None:
        if await self._summaries.is_due(conversation_id, self._engine.room):
            await self._summaries.order(conversation_id, platform)


def _now() -> datetime:
    return datetime.now(UTC)


def _until_room(error: RateLimited) -> float:
    """Say when to try again, not all at the same moment."""
    asked = _MODEL_PAUSE if error.retry_after is None else error.retry_after
    return min(max(asked, _SHORTEST_PAUSE), _LONGEST_PAUSE) * random.uniform(1.0, 1.25)
