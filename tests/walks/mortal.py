"""A house in a process of its own that is ended by kill -9 at a chosen step of an answer."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, LiteralString

import sqlalchemy as sa

from bot.adapters.discord import sharing
from bot.app.roles import ALL, Role
from bot.app.running import listening, standing
from bot.config import read_settings
from bot.dialogue import Message, Platform
from bot.memory.direct import Direct, Run
from bot.memory.turns import LeaseTerms

# A dead house is waited for shortly here: for one second and a bit, not for eleven.
TERMS = LeaseTerms(seconds=1.5, call=0.1)
BEAT = 0.4
IDENTIFY = 0.3  # seconds between two IDENTIFYs, where Discord has five
PATIENCE = 30.0

_WRITES = re.compile(r"(?:INSERT INTO|UPDATE) (messages|turns|pieces|conversations)\b")
_RENEWAL = "WITH mine AS"
# Forking a process that has everything loaded already takes a tenth of starting Python anew.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.walks.mortal", "tests.walks.warm"])


@dataclass(frozen=True)
class Death:
    """At which writing commit or call to the platform, before or after it; 0 is never. A frozen one thaws."""

    kind: str = "commit"
    at: int = 0
    after: bool = False
    frozen: bool = False

    @property
    def signal(self) -> int:
        """What the process gets."""
        return signal.SIGSTOP if self.frozen else signal.SIGKILL

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.kind} {self.at}"


class Mortal:
    """
    One house after the other, on the same database and doubles.

    `commits` and `calls` name the steps of the house that lives now, as far as it came. A double's
    `watch` may be set to `watch`, which then kills at calls.
    """

    def __init__(self, environment: Mapping[str, str], roles: Collection[Role] = ALL) -> None:
        # What is pruned now and then is no step of an answer.
        self.environment = {"BOT_KEEP__DETAIL_DAYS": "0"} | dict(environment)
        self._roles = frozenset(roles)
        self.commits: list[str] = []
        self.calls: list[str] = []
        self.dead = asyncio.Event()
        self.frozen = asyncio.Event()
        self._death = Death()
        self._process: Any = None
        self._pipe: Connection | None = None
        self._ready = asyncio.Event()

    async def start(self, death: Death | None = None) -> None:
        """Let a house live until it reaches its death, and wait until its doors are open."""
        self._death = death or Death()
        self.commits, self.calls = [], []
        self.dead, self._ready = asyncio.Event(), asyncio.Event()
        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(
            target=_live, args=(self.environment, self._roles, self._death, theirs), daemon=True
        )
        await asyncio.to_thread(self._process.start)
        theirs.close()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pipe.fileno(), self._hear, loop)
        async with asyncio.timeout(PATIENCE):
            await self._ready.wait()
        if self.dead.is_set() and not self.commits:
            raise AssertionError("the house did not get ready")

    @property
    def pid(self) -> int:
        """The process of the house that lives now."""
        return int(self._process.pid)

    def accept(self, message: Message) -> None:
        """Have it accept a message, as the page does."""
        if self._pipe is not None and not self.dead.is_set():
            self._pipe.send(message)

    def watch(self, name: str, done: bool) -> bool:
        """Note a call that changes something; True where the caller died of it."""
        if not done:
            self.calls.append(name)
        frozen = self._death.frozen
        if self._death != Death("call", len(self.calls), done, frozen) or self.dead.is_set():
            return False
        os.kill(self._process.pid, self._death.signal)
        if frozen:
            self.frozen.set()
        return not frozen

    def freeze(self) -> None:
        """Let it do nothing from now on."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on as if no time had passed."""
        os.kill(self._process.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """End it now, as kill -9 does."""
        if self._process is None:
            return
        self._process.kill()
        async with asyncio.timeout(PATIENCE):
            await self.dead.wait()
        await asyncio.to_thread(self._process.join)
        self._process.close()
        self._process = None

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._pipe is not None
        try:
            told = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            loop.remove_reader(self._pipe.fileno())
            self._pipe.close()
            self.dead.set()
            self._ready.set()
            return
        if told == "ready":
            self._ready.set()
        elif told == "frozen":
            self.frozen.set()
        else:
            self.commits.append(told)


def _live(environment: Mapping[str, str], roles: frozenset[Role], death: Death, pipe: Connection) -> None:
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # its log is nobody's
    sharing.IDENTIFY_SECONDS = IDENTIFY
    asyncio.run(_until_death(roles, death, pipe))


async def _until_death(roles: frozenset[Role], death: Death, pipe: Connection) -> None:
    _Steps(death, pipe)
    local = (Platform.WEB, Platform.CONSOLE)
    async with standing(
        read_settings(), local, lambda _: None, platforms=True, roles=roles, terms=TERMS, beat=BEAT
    ) as built:
        async with listening(built):
            await built.ground.bell.listening.wait()
            pipe.send("ready")
            while True:
                message = await asyncio.to_thread(pipe.recv)
                await built.house.inbox.accept(message)


class _Steps:
    """Counts the commits that write something of an answer, and dies at the one it was told."""

    def __init__(self, death: Death, pipe: Connection) -> None:
        self._death = death
        self._pipe = pipe
        self._count = 0
        sa.event.listen(sa.engine.Engine, "before_cursor_execute", self._note)
        sa.event.listen(sa.engine.Engine, "commit", self._before)
        sa.event.listen(sa.engine.Engine, "rollback", self._forget)
        sa.event.listen(sa.pool.Pool, "checkin", self._after)
        Direct.run = self._around(Direct.run)  # type: ignore[assignment,method-assign]
        Direct.transaction = self._within(Direct.transaction)  # type: ignore[method-assign]

    def _around(self, run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """A single statement is its own commit; only where it writes something is it a step."""

        async def stepped(direct: Direct, statement: str, given: dict[str, Any]) -> Any:
            written = _WRITES.findall(statement) if _RENEWAL not in statement else []
            if not written:
                return await run(direct, statement, given)
            number = self._step(written)
            rows = await run(direct, statement, given)
            self._die_at(number, after=True)
            return rows

        return stepped

    def _within(self, transaction: Callable[..., Any]) -> Callable[..., Any]:
        """Several statements together are one step, where they write something."""

        @asynccontextmanager
        async def stepped(direct: Direct, *, steady: bool = False) -> AsyncIterator[Run]:
            written: list[str] = []
            number = None
            async with transaction(direct, steady=steady) as run:

                async def noted(statement: LiteralString, **given: object) -> Any:
                    written.extend(_WRITES.findall(statement))
                    return await run(statement, **given)

                yield noted
                if written:
                    number = self._step(written)
            if number is not None:
                self._die_at(number, after=True)

        return stepped

    def _step(self, written: Sequence[str]) -> int:
        self._count += 1
        self._pipe.send("+".join(dict.fromkeys(written)))
        self._die_at(self._count, after=False)
        return self._count

    def _note(self, connection: sa.Connection, _: Any, statement: str, *more: Any) -> None:
        if _RENEWAL not in statement:
            connection.info.setdefault("written", []).extend(_WRITES.findall(statement))

    def _forget(self, connection: sa.Connection) -> None:
        if not connection.invalidated:
            connection.info.pop("written", None)

    def _before(self, connection: sa.Connection) -> None:
        written = connection.info.pop("written", None)
        if written:
            connection.info["committed"] = self._step(written)

    def _after(self, _: Any, record: Any) -> None:
        number = record.info.pop("committed", None)
        if number is not None:
            self._die_at(number, after=True)

    def _die_at(self, number: int, *, after: bool) -> None:
        if self._death == Death("commit", number, after, self._death.frozen):
            if self._death.frozen:
                self._pipe.send("frozen")
            os.kill(os.getpid(), self._death.signal)
