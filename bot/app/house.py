"""Wires the rooms: from the door in to the door out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.app.ground import Ground
from bot.app.parts import ME, attender, prices
from bot.app.watching import Watch
from bot.config import Settings
from bot.dialogue import Platform
from bot.documents import Reader
from bot.engine import Engine
from bot.memory.attachments import Attachments
from bot.memory.erasing import Erasing
from bot.memory.history import HistoryShelf
from bot.memory.inbox import Inbox
from bot.memory.leases import Leases
from bot.memory.outbox import Outbox
from bot.memory.people import People
from bot.memory.recall import Memory
from bot.memory.summaries import Summaries
from bot.memory.transcripts import Transcripts
from bot.memory.troubles import Troubles
from bot.memory.turns import LeaseTerms, Turns
from bot.memory.wishes import Wishes
from bot.memory.withdrawals import Withdrawals
from bot.memory.workspaces import Workspaces
from bot.ports import Adapter, Backend, Door, Withdraws
from bot.reception import Reception
from bot.telemetry import Remembers
from bot.worker import Answerer, Attaching, Caring, Queue, Worker

BEAT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class House:
    """What is built once a process; who is no worker has no queue."""

    inbox: Inbox
    door: Door
    transcripts: Transcripts
    leases: Leases
    queue: Queue | None
    settle: Callable[[], Awaitable[None]]  # writes down what was only counted; the last thing to do


def build(
    settings: Settings,
    ground: Ground,
    backends: Sequence[Backend],
    adapters: Mapping[Platform, Adapter],
    shelf: HistoryShelf,
    workspaces: Workspaces,
    watch: Watch,
    terms: LeaseTerms | None = None,
    beat: float = BEAT_SECONDS,
) -> House:
    """
    Build the house around adapters and backends; without a backend nothing is answered in this process.

    `watch` sees what goes through the seams. `terms` and `beat` say when a silent one is dead.
    """
    terms = terms or LeaseTerms()
    database, counter, words = ground.database, ground.counter, ground.words
    attend = attender(settings, adapters)
    inbox = Inbox(database, counter, attend)
    leases = Leases(database, ground.bell, terms)
    withdrawals = Withdrawals(database, settings.keep.deleted_days)
    kept = (inbox, withdrawals, Wishes(database), People(database), workspaces)
    door = watch.door(Reception(*kept, words, attend.admits))
    for adapter in adapters.values():
        if isinstance(adapter, Withdraws):
            adapter.withdraw_by(door)
    queue, memory = None, Memory(database, counter)
    if backends:
        queue = _queue(settings, ground, backends, adapters, shelf, leases, memory, watch, terms, beat)
    return House(inbox, door, Transcripts(database, ground.bell), leases, queue, memory.settle)


def _queue(
    settings: Settings,
    ground: Ground,
    backends: Sequence[Backend],
    adapters: Mapping[Platform, Adapter],
    shelf: HistoryShelf,
    leases: Leases,
    memory: Memory,
    watch: Watch,
    terms: LeaseTerms,
    beat: float,
) -> Queue:
    """Build what answers, folds, sweeps and rescues."""
    database, counter, words = ground.database, ground.counter, ground.words
    record = Turns(database, counter, ME, terms)
    turns, outbox = watch.turns(record), watch.outbox(Outbox(database))
    engine = _engine(settings, ground, watch.backends(backends), watch.memory(memory))
    # Half of the room, so that the next question still finds beside it what was attached to this one.
    attaching = Attaching(Attachments(database, counter), Reader(counter), words, engine.room // 2)
    answerer = watch.answerer(Answerer(engine, adapters, turns, leases, outbox, shelf, words, attaching))
    troubles, erasing = Troubles(database), Erasing(database, settings.keep.deleted_days)
    worker = Worker(answerer, turns, Summaries(database, counter), engine, Caring(adapters, troubles, words))

    async def sweep() -> None:
        await record.wake_open(list(adapters))
        await troubles.refresh()
        await memory.settle()
        await erasing.sweep()

    return Queue(
        ground.url,
        worker.answer,
        worker.fold,
        sweep,
        list(adapters),
        concurrency=settings.work.answers_at_once,
        grace=settings.work.grace_seconds,
        beat=beat,
        rescued=watch.metrics.rescued,
    )


def _engine(
    settings: Settings, ground: Ground, backends: Sequence[Backend], memory: Remembers[Any]
) -> Engine:
    model = settings.model
    daily, costs = model.daily_tokens, prices(model)
    return Engine(memory, backends, ground.words, ground.counter, settings.persona, daily, prices=costs)
