"""What Slack shows beside a thread while an answer is made, with its own button to stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import structlog

from bot.adapters.slack.budgets import Budgets
from bot.adapters.slack.errands import Errands
from bot.adapters.slack.web import Busy, Refused, Web
from bot.dialogue import Message, Piece
from bot.errors import PermissionMissing, PlatformDown, PlatformError

log = structlog.get_logger()

RENEW_SECONDS = 90.0  # Slack lets a status go after two minutes
REFUSED_SECONDS = 3_600.0
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
TITLE_CHARACTERS = 80
AT_ONCE_SECONDS = 0.15  # an answer sooner than this needs no sign


class Sessions:
    """
    Slack's agent sessions: a thread is "processing", with a button to stop it, or "active".

    Where the app or the workspace has none, that is found out once an hour.
    """

    def __init__(self, web: Web, budgets: Budgets) -> None:
        """One for all answers of a workspace: the methods' rates are the workspace's."""
        self._web = web
        self._rate = budgets.sessions
        self._errands = Errands()
        self._refused_until = 0.0

    async def begin(self, question: Message) -> bool:
        """
        Show the thread as processing; False where that cannot be had now.

        The call that ends it is taken from the rate at once, so that no end has to wait for it.
        """
        if _now() < self._refused_until or not self._rate.take(2):
            return False
        try:
            await self._set(question, "processing", title=title(question.text), initiator=question.author.id)
        except Busy as error:
            self._rate.rest(error.retry_after)
            return False
        except (Refused, PermissionMissing) as error:
            self._refused_until = _now() + REFUSED_SECONDS
            log.info("slack_sessions_refused", error=str(error))
            return False
        except PlatformError as error:
            log.info("slack_status_refused", error=str(error))
            return False
        return True

    def spare_end(self) -> None:
        """Give back the call for an end that came by itself."""
        self._rate.give_back()

    async def end(self, question: Message, *, ours: bool) -> None:
        """
        Show the thread as active; else Slack would show it at work for an hour.

        `ours` says that it was begun here; else a try that died may have begun it. Where Slack does not take
        it that is done later, so that no answer is kept open for it.
        """
        if _now() < self._refused_until:
            return
        if not ours and not self._rate.take():
            self._errands.run(self._end_late(question))
            return
        try:
            await self._set(question, "active")
        except Refused as error:
            log.info("slack_sessions_refused", error=str(error))
        except PlatformError as error:
            if isinstance(error, Busy):
                self._rate.rest(error.retry_after)
            self._errands.run(self._end_late(question))

    async def close(self) -> None:
        """Let what was put off be done, for a moment."""
        await self._errands.finish()

    async def _end_late(self, question: Message) -> None:
        for pause in _PAUSES:
            await self._rate.wait()
            try:
                await self._set(question, "active")
            except PlatformDown as error:
                log.info("slack_session_stays", error=str(error), again_in=pause)
                await asyncio.sleep(pause)
            else:
                return
        log.warning("slack_session_left")

    async def _set(self, question: Message, status: str, title: str = "", initiator: str = "") -> None:
        await self._web.call(
            "agents.sessions.setStatus",
            channel_id=question.channel.id,
            thread_ts=question.channel.root,
            status=status,
            title=title or None,  # only heeded where the session is new
            initiator_user_id=initiator or None,
        )


class Status:
    """Shows the status beside the answer's making; that it cannot be shown hinders nothing."""

    def __init__(
        self, web: Web, sessions: Sessions, question: Message, text: str, patience: float = 0.0
    ) -> None:
        """
        Slack shows a status in threads only; `text` is for where there are no sessions.

        An answer within `patience` seconds has none; only with 0 is one that another process left cleared.
        """
        self._web = web
        self._sessions = sessions
        self._question = question
        self._text = text
        self._patience = patience
        self._shown = not patience
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._in_session_since: float | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        if self._question.channel.root:
            self._task = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._over.set()
        await asyncio.wait({self._task})  # else a late call could come after the clearing
        if self._ended:
            self._sessions.spare_end()
        elif self._shown and (kind is None or not issubclass(kind, asyncio.CancelledError)):
            await self._clear()

    async def until_text(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
        """Hand the pieces on; with the first text the status needs no renewing any more."""
        async for piece in pieces:
            self._over.set()
            yield piece

    def stream_ended(self, begun: float | None) -> None:
        """Note when a stream's end was begun, if one was: that ends a session that stood before it."""
        since = self._in_session_since
        self._ended = begun is not None and since is not None and since <= begun

    async def _show(self) -> None:
        if not self._shown and await self._over_within(self._patience):
            return
        self._shown = True
        if await self._sessions.begin(self._question):
            self._in_session_since = _now()
            return
        while not self._over.is_set() and await self._set(self._text):
            await self._over_within(RENEW_SECONDS)

    async def _over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._over.wait()
        except TimeoutError:
            return False

    async def _clear(self) -> None:
        ours = self._in_session_since is not None
        if not ours:
            await self._set("")
        if ours or not self._patience:
            await self._sessions.end(self._question, ours=ours)

    async def _set(self, text: str) -> bool:
        place = self._question.channel
        try:
            await self._web.call(
                "assistant.threads.setStatus", channel_id=place.id, thread_ts=place.root, status=text
            )
        except PlatformError as error:
            log.info("slack_status_refused", error=str(error))
            return False
        return True


def title(text: str) -> str:
    """Name a thread by the first line of its question."""
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "").split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1] + "…"


def _now() -> float:
    return asyncio.get_running_loop().time()
