"""Whether what is done for each message takes longer with a million of them stored than with hardly any."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks.clock import percentile
from bot.app.ground import opened
from bot.app.parts import ME
from bot.attention import Attender
from bot.config import read_settings
from bot.dialogue import (
    Answer,
    Author,
    Channel,
    ChannelKind,
    Manifest,
    Message,
    Outcome,
    Piece,
    Platform,
    Span,
)
from bot.memory import migrations
from bot.memory.database import Database
from bot.memory.inbox import Inbox
from bot.memory.outbox import Outbox
from bot.memory.pruning import Pruning
from bot.memory.recall import Memory
from bot.memory.transcripts import Transcripts
from bot.memory.turns import Turns
from bot.ports import TokenCounter

CONVERSATIONS = 100_000
_EACH = 10  # messages, and half as many answers
_FEW = 100  # conversations of the database that is compared with
_TIMES = 300
_BUDGET = 11_000
_CHANNELS = 500
_SWEEPS = 20

Pair = tuple[float, float]

# Threads that were answered turn by turn, over the last three hundred days.
_FILL = """
INSERT INTO conversations (key, platform, workspace, place, root, kind, last_position, total_tokens, last_at)
SELECT 'slack:T1:C' || n % {channels} || ':' || n, 'slack', 'T1', 'C' || n % {channels}, n::text, 'thread',
       {each}, 30 * {each}, now() - make_interval(secs => 259 * n)
FROM generate_series(1, {conversations}) AS n;
INSERT INTO turns (conversation_id, asker_id, state, model, prompt_tokens, completion_tokens, created_at,
                   finished_at, manifest)
SELECT c.id, 'U' || c.id % 5000, 'done', 'bench-1', 300, 40, last_at, last_at,
       jsonb_build_object('budget', 11000, 'tokens', 300, 'whole', jsonb_build_array(
           jsonb_build_object('first', 1, 'last', 2 * k - 1, 'tokens', 30 * (2 * k - 1))))
FROM conversations c, generate_series(1, {each} / 2) AS k ORDER BY c.id, k;
INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id, author_name,
                      said, text, tokens, encoding, turn_id, sent_at, accepted_at)
SELECT t.conversation_id, 'bench:' || t.conversation_id || ':' || n, n, 30 * n, t.conversation_id || '.' || n,
       t.asker_id, 'Ann', n % 2 = 0,
       'A line of talk of about thirty tokens, such as people write to a colleague: ' || n,
       30, 'o200k_base', t.id, t.created_at, t.created_at
FROM (SELECT *, row_number() OVER (PARTITION BY conversation_id ORDER BY id) AS k FROM turns) AS t,
     LATERAL (VALUES (2 * t.k - 1), (2 * t.k)) AS both_(n);
INSERT INTO pieces (turn_id, conversation_id, ordinal, epoch, state, message_id, key, text)
SELECT id, conversation_id, 0, 1, 'final', 'p' || id, 'slack:T1:C1:p' || id, 'A line of talk, answered.'
FROM turns;
"""


@dataclass(frozen=True, slots=True)
class Doors:
    """The record of one database, as a worker has it."""

    name: str
    conversations: int
    inbox: Inbox
    turns: Turns
    memory: Memory
    outbox: Outbox
    transcripts: Transcripts
    pruning: Pruning
    database: Database


class _Open:
    def check(self) -> None:
        return


async def grown(data: Path) -> dict[str, tuple[Pair, Pair]]:
    """Give p50 and p95 in milliseconds of each step, in a small database and in a large one beside it."""
    settings = read_settings().model_copy(update={"data_dir": data})
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened(settings))
        large_url = _database(ground.url)
        for url, conversations in ((ground.url, _FEW), (large_url, CONVERSATIONS)):
            _fill(url, conversations)
        large = Database(large_url)
        stack.push_async_callback(large.close)
        doors = [
            _doors("small", ground.database, ground.counter, _FEW, Transcripts(ground.database, ground.bell)),
            _doors("large", large, ground.counter, CONVERSATIONS, Transcripts(large, ground.bell)),
        ]
        taken: dict[str, dict[str, list[float]]] = {door.name: defaultdict(list) for door in doors}
        chance, numbers = random.Random(1), count(1)
        for step in range(_TIMES):
            # In turn, so that whatever else the machine does befalls both.
            for door in doors if step % 2 else reversed(doors):
                await _answer(door, chance, next(numbers), taken[door.name])
        for door in [*doors] * _SWEEPS:
            await _sweep(door, taken[door.name])
    small, big = taken["small"], taken["large"]
    return {name: (_pair(small[name]), _pair(big[name])) for name in small}


def _database(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE grown")
    made = sa.make_url(url).set(database="grown").render_as_string(hide_password=False)
    migrations.upgrade(made)
    return made


def _fill(url: str, conversations: int) -> None:
    statements = _FILL.format(channels=_CHANNELS, each=_EACH, conversations=conversations)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in [*statements.split(";"), "VACUUM ANALYZE"]:
            if statement.strip():
                connection.execute(statement.encode())


def _doors(
    name: str, database: Database, counter: TokenCounter, conversations: int, transcripts: Transcripts
) -> Doors:
    return Doors(
        name,
        conversations,
        Inbox(database, counter, Attender()),
        Turns(database, counter, ME),
        Memory(database, counter),
        Outbox(database),
        transcripts,
        Pruning(database, conversation_days=3_650, detail_days=3_650, every=0.0),
        database,
    )


async def _answer(door: Doors, chance: random.Random, number: int, taken: Mapping[str, list[float]]) -> None:
    """Have a question in an old thread kept and answered, and now and then one in a new thread."""
    old = chance.randrange(1, door.conversations + 1)
    root = str(old) if number % 4 else f"new-{number}"
    place = Channel(Platform.SLACK, "T1", f"C{old % _CHANNELS}", root, ChannelKind.THREAD)
    asked = Message(
        f"asked-{number}", place, Author("U1", "Ann"), "And that?", datetime.now(UTC), mentions_bot=True
    )
    with _timed(taken["accept"]):
        await door.inbox.accept(asked)
    conversation = await _number(door, place)
    with _timed(taken["claim"]):
        turn = await door.turns.claim(conversation)
    if turn is None:
        raise AssertionError("what was accepted is not open")
    with _timed(taken["recall"]):
        found = await door.memory.recall(turn, _BUDGET)
    if len(found.lines) < (_EACH if number % 4 else 1):
        raise AssertionError(f"only {len(found.lines)} lines were recalled")
    receipts = door.outbox.receipts(turn, _Open())
    with _timed(taken["post"]):
        await receipts.sending(Piece(0, "Well."))
        await receipts.sent(Piece(0, "Well."), f"post-{number}")
    with _timed(taken["finish"]):
        manifest = Manifest(whole=(Span(1, _EACH, 300),), budget=_BUDGET, tokens=300)
        await door.turns.finish(turn, Answer(Outcome.DONE, "Well.", manifest=manifest))
    with _timed(taken["why"]):
        await door.transcripts.why(turn.id)


async def _number(door: Doors, place: Channel) -> int:
    key = f"{place.platform}:{place.workspace}:{place.id}:{place.root}"
    rows = await door.database.run("SELECT id FROM conversations WHERE key = %(key)s", key=key)
    return int(rows[0]["id"])


async def _sweep(door: Doors, taken: Mapping[str, list[float]]) -> None:
    with _timed(taken["sweep: wake the open"]):
        await door.turns.wake_open([Platform.SLACK])
    with _timed(taken["sweep: prune, nothing due"]):
        await door.pruning.sweep()


@contextmanager
def _timed(taken: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    taken.append(1000 * (time.perf_counter() - begun))


def _pair(values: Sequence[float]) -> Pair:
    return percentile(values, 0.5), percentile(values, 0.95)
