"""Wires the rooms: from the door in to the door out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.app.ground import Ground
from bot.app.parts import ME, attender, prices
from bot.app.watching import Watch
from bot.config import Settings
from bot.dialogue import Platform
from bot.documents import Reader
from bot.engine import Engine
from bot.memory.attachments import Attachments
from bot.memory.database import Database
from bot.memory.erasing import Erasing
from bot.memory.fairness import raise_oldest
from bot.memory.history import HistoryShelf
from bot.memory.inbox import Inbox
from bot.memory.leases import Leases
from bot.memory.limits import Limits, Rates
from bot.memory.outbox import Outbox
from bot.memory.people import People
from bot.memory.pruning import Pruning
from bot.memory.recall import Memory
from bot.memory.summaries import Summaries
from bot.memory.transcripts import Transcripts
from bot.memory.troubles import Troubles
from bot.memory.turns import LeaseTerms, Turns
from bot.memory.waiting import Waiting
from bot.memory.wishes import Wishes
from bot.memory.withdrawals import Withdrawals
from bot.memory.workspaces import Workspaces
from bot.ports import Adapter, Backend, Door, Withdraws
from bot.reception import Courtesy, Reception
from bot.telemetry import Remembers
from bot.worker import Answerer, Attaching, Caring, Queue, Queued, Worker

BEAT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class House:
    """What is built once a process; who is no worker has no queue."""

    inbox: Inbox
    door: Door
    transcripts: Transcripts
    leases: Leases
    courtesy: Courtesy
    queue: Queue | None
    queued: Queued | None
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
    limits = Limits(settings.limits.person_per_minute, settings.limits.channel_per_minute)
    inbox = Inbox(database, counter, attend, limits)
    courtesy = Courtesy(adapters, Rates(database), words)
    leases = Leases(database, ground.bell, terms)
    withdrawals = Withdrawals(database, settings.keep.deleted_days)
    kept = (inbox, withdrawals, Wishes(database), People(database), workspaces)
    door = watch.door(Reception(*kept, words, attend.admits, courtesy.tell))
    for adapter in adapters.values():
        if isinstance(adapter, Withdraws):
            adapter.withdraw_by(door)
    queue, queued, memory = None, None, Memory(database, counter)
    if backends:
        queue = _queue(settings, ground, backends, adapters, shelf, leases, memory, watch, terms, beat)
        waiting = Waiting(database, list(adapters), terms)
        queued = Queued(waiting, adapters, leases, Outbox(database), words)
    transcripts = Transcripts(database, ground.bell)
    return House(inbox, door, transcripts, leases, courtesy, queue, queued, memory.settle)


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
    troubles = Troubles(database)
    worker = Worker(answerer, turns, Summaries(database, counter), engine, Caring(adapters, troubles, words))
    wake_open = partial(record.wake_open, list(adapters))
    sweep = _sweeping(settings, database, wake_open, memory.settle, troubles)
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


def _sweeping(
    settings: Settings,
    database: Database,
    wake_open: Callable[[], Awaitable[object]],
    settle: Callable[[], Awaitable[None]],
    troubles: Troubles,
) -> Callable[[], Awaitable[None]]:
    """Make what every worker does with each beat: wakes what was left lying, and takes away what is over."""
    keep, rates = settings.keep, Rates(database)
    erasing = Erasing(database, keep.deleted_days)
    pruning = Pruning(database, keep.conversation_days, keep.detail_days)

    async def sweep() -> None:
        await wake_open()
        await troubles.refresh()
        await settle()
        await erasing.sweep()
        await rates.sweep()
        await raise_oldest(database)
        await pruning.sweep()

    return sweep


def _engine(
    settings: Settings, ground: Ground, backends: Sequence[Backend], memory: Remembers[Any]
) -> Engine:
    model = settings.model
    daily, costs = model.daily_tokens, prices(model)
    return Engine(memory, backends, ground.words, ground.counter, settings.persona, daily, prices=costs)
