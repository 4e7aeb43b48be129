"""A record on a fresh database, with all its doors, and messages to put into it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from bot.attention import Attender
from bot.dialogue import (
    Answer,
    Author,
    Channel,
    ChannelKind,
    Deletion,
    Granted,
    Message,
    Outcome,
    Piece,
    Platform,
    Request,
    Turn,
    Wish,
)
from bot.generation.tokens import TiktokenCounter
from bot.memory.bell import Bell
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.erasing import Erasing
from bot.memory.history import HistoryShelf
from bot.memory.inbox import Inbox
from bot.memory.leases import Leases
from bot.memory.outbox import Outbox
from bot.memory.recall import Memory
from bot.memory.summaries import Summaries
from bot.memory.transcripts import Transcripts
from bot.memory.turns import LeaseTerms, Turns
from bot.memory.wishes import Wishes
from bot.memory.withdrawals import Withdrawals

BOT = Author("bot", "Frontdesk")
ADA = Author("U1", "Ada")
BEN = Author("U2", "Ben")
THREAD = Channel(Platform.SLACK, "T1", "C1", "100.1", ChannelKind.THREAD)
DIRECT = Channel(Platform.SLACK, "T1", "D1", kind=ChannelKind.DIRECT)
OPEN = Channel(Platform.DISCORD, "G1", "500", kind=ChannelKind.OPEN)
PAGE = Channel(Platform.WEB, "local", "page", kind=ChannelKind.DIRECT)
QUICK = LeaseTerms(seconds=1.0, call=0.1)

_numbers = count(1)

_FILLED = (
    "conversations",
    "eras",
    "spending",
    "calibrations",
    "workspaces",
    "people",
    "deletions",
    "troubles",
    "processes",
    "rates",
    "seats",
    "installations",
    "oauth_states",
    "marks",
)
_EMPTY = "; ".join(f"DELETE FROM {name}" for name in _FILLED)
_EMPTY += "; DELETE FROM procrastinate_jobs"


class Words:
    """Counts a word as a token, so that tests can reckon by hand."""

    encoding = "words"

    def count(self, text: str) -> int:
        """Count what spaces part."""
        return len(text.split())


class Open:
    """A fence that never closes."""

    async def check(self) -> None:
        """Let everything pass."""


def message(
    text: str = "hello",
    channel: Channel = DIRECT,
    author: Author = ADA,
    *,
    id: str = "",  # noqa: A002 — the field's own name
    **rest: Any,
) -> Message:
    """Make a message that names the bot, with an id of its own."""
    number = next(_numbers)
    sent = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=number)
    rest = {"mentions_bot": True} | rest
    return Message(id or str(1000 + number), channel, author, text, rest.pop("sent_at", sent), **rest)


def edited(original: Message, text: str, seconds: float = 60) -> Message:
    """Make the edit of a message, so many seconds after it was sent."""
    return replace(original, text=text, edited_at=original.sent_at + timedelta(seconds=seconds))


def done(text: str = "an answer", **rest: Any) -> Answer:
    """Make a good ending."""
    return Answer(rest.pop("outcome", Outcome.DONE), text, **rest)


@dataclass
class Record:
    """All doors of the memory room to one database."""

    url: str
    counter: Words = field(default_factory=Words)
    terms: LeaseTerms = QUICK

    def __post_init__(self) -> None:
        self.database = Database(self.url, pool=8)
        self.bell = Bell(self.url)
        self.inbox = Inbox(self.database, self.counter, Attender())
        self.turns = Turns(self.database, self.counter, BOT, self.terms)
        self.leases = Leases(self.database, self.bell, self.terms)
        self.outbox = Outbox(self.database)
        self.shelf = HistoryShelf(self.database, self.counter)
        self.memory = Memory(self.database, self.counter)
        self.summaries = Summaries(self.database, self.counter)
        self.transcripts = Transcripts(self.database, self.bell)
        self.wishes = Wishes(self.database)
        self.withdrawals = Withdrawals(self.database)
        self.erasing = Erasing(self.database, every=0.0)

    async def rows(self, query: str, **values: object) -> list[Mapping[str, Any]]:
        """Run a query and return its rows."""
        async with self.database.transaction() as connection:
            result = await connection.execute(sa.text(query), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def value(self, query: str, **values: object) -> Any:
        """Run a query and return its only value."""
        rows = await self.rows(query, **values)
        return next(iter(rows[0].values()))

    async def asked(self, *texts: str | Message, channel: Channel = DIRECT) -> int:
        """Accept messages and return the conversation's id of the last."""
        kept = [message(text, channel) if isinstance(text, str) else text for text in texts]
        for one in kept:
            await self.inbox.accept(one)
        found = "SELECT conversation_id FROM messages WHERE key = :key"
        return int(await self.value(found, key=kept[-1].key))

    async def claimed(self, *texts: str | Message, channel: Channel = DIRECT) -> Turn:
        """Accept messages and take up the conversation's oldest open turn."""
        turn = await self.turns.claim(await self.asked(*texts, channel=channel))
        assert turn is not None
        return turn

    async def exchange(self, text: str | Message, answer: str, channel: Channel = DIRECT) -> Turn:
        """Have a question asked and answered."""
        turn = await self.claimed(text, channel=channel)
        await self.turns.finish(turn, done(answer))
        return turn

    async def posted(self, turn: Turn, text: str = "Well", post: str = "900.1") -> None:
        """Have a turn's first piece posted."""
        receipts = self.outbox.receipts(turn, Open())
        await receipts.sending(Piece(0, text))
        await receipts.sent(Piece(0, text), post)

    async def deleted(self, *gone: Message) -> None:
        """Have people delete messages."""
        ids = tuple(one.id for one in gone)
        await self.withdrawals.withdraw(Deletion(gone[0].channel, ids, datetime.now(UTC)))

    async def adds_up(self) -> None:
        """Look whether the cumulative counts are what the messages weigh together."""
        summed = """
            SELECT count(*) FROM (
                SELECT cumulative_tokens - sum(tokens) OVER (
                           PARTITION BY conversation_id ORDER BY position
                       ) AS off, conversation_id FROM messages
            ) counted GROUP BY conversation_id HAVING min(off) <> max(off)
        """
        assert await self.rows(summed) == []
        last = """
            SELECT total_tokens, (
                SELECT cumulative_tokens FROM messages WHERE conversation_id = conversations.id
                ORDER BY position DESC LIMIT 1
            ) AS last FROM conversations
        """
        assert all(
            row["total_tokens"] == row["last"] for row in await self.rows(last) if row["last"] is not None
        )

    async def begun_anew(self, channel: Channel) -> None:
        """Have a person begin a new conversation in a direct channel."""
        assert await self.wishes.new(Request(Wish.NEW, ADA, channel)) is Granted.DONE

    async def lease_runs_out(self, conversation_id: int) -> None:
        """Let a lease, and the longest call after it, be over."""
        query = "UPDATE conversations SET lease_until = now() - interval '1 hour' WHERE id = :id"
        await self.rows(query, id=conversation_id)


@pytest.fixture(scope="session")
def shared_database_url(postgres: str, migrated_template: str) -> Iterator[str]:
    """Make one migrated database for all tests of this room: emptying it is quicker than copying."""
    name = f"memory_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    yield sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    """Give a migrated database without rows."""
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        connection.execute(_EMPTY)
    return shared_database_url


@pytest.fixture
async def record(database_url: str) -> AsyncIterator[Record]:
    """Open a record on a database of this test's own."""
    opened = Record(database_url)
    yield opened
    await opened.database.close()


@pytest.fixture
async def another(database_url: str) -> AsyncIterator[Record]:
    """Open the same database once more, as another process would."""
    opened = Record(database_url)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TiktokenCounter:
    """Give the counter that is really used."""
    folder: Path = tmp_path_factory.mktemp("vocabulary")
    return TiktokenCounter(folder)


@asynccontextmanager
async def running(*tasks: Awaitable[None]) -> AsyncIterator[None]:
    """Run what runs for ever, while the block lasts."""
    started = [asyncio.ensure_future(task) for task in tasks]
    try:
        yield
    finally:
        for task in started:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — what is waited for has no event
            await asyncio.sleep(0.005)


@contextmanager
def watched(record: Record) -> Iterator[list[tuple[str, Any]]]:
    """Note the statements that are run, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    engine = record.database._engine.sync_engine
    direct = record.database._direct
    run, transaction = direct.run, direct.transaction

    async def noted(statement: LiteralString, given: dict[str, Any]) -> list[dict[str, Any]]:
        statements.append((statement, given))
        return await run(statement, given)

    @asynccontextmanager
    async def opened(*, steady: bool = False) -> AsyncIterator[Run]:
        async with transaction(steady=steady) as within:

            async def noted_within(statement: LiteralString, **given: object) -> list[dict[str, Any]]:
                statements.append((statement, given))
                return await within(statement, **given)

            yield noted_within

    direct.run, direct.transaction = noted, opened  # type: ignore[method-assign]
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    direct.run, direct.transaction = run, transaction  # type: ignore[method-assign]
    event.remove(engine, "before_cursor_execute", note)
