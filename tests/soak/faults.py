"""What goes wrong in a soak: one fault by chance every few seconds, and the calm at the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.soak.stage import House, Stage

SLACK_CALLS = ("chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update")
STORM = 15  # calls that are refused
RESTART_SECONDS = 0.5

Fault = Callable[[], Awaitable[None]]


class Faults:
    """Does mischief until told to stop; each kind is counted."""

    def __init__(self, stage: Stage, every: float, frozen_for: float) -> None:
        """A fault every so many seconds; one process at most stands still, for `frozen_for` seconds."""
        self._stage = stage
        self._every = every
        self._frozen_for = frozen_for
        self._tasks: set[asyncio.Task[None]] = set()
        self._restarting = asyncio.Lock()
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        """Go on until cancelled."""
        kinds: list[Fault] = [
            self._kill,
            self._freeze,
            self._restart_postgres,
            self._cut_sockets,
            self._storm,
            self._repeat,
            self._reorder,
            self._hang,
        ]
        order: list[Fault] = []
        while True:
            await asyncio.sleep(self._every)
            if not order:  # each kind comes, in an order by chance
                order = list(kinds)
                self._stage.dice.shuffle(order)
            fault = order.pop()
            self.done[fault.__name__.strip("_")] += 1
            print(f"  {fault.__name__.strip('_')}", flush=True)
            self._begin(fault())

    async def calm(self) -> None:
        """Let everything that was begun come to its end; from then on nothing is broken."""
        stage = self._stage
        for method in SLACK_CALLS:
            stage.slack.heal(method)
        stage.discord.rest.troubles.clear()
        stage.model.hanging = 0
        for house in stage.houses:
            if house.frozen:
                house.thaw()
        await asyncio.gather(*self._tasks)

    def _begin(self, fault: Awaitable[None]) -> None:
        task = asyncio.ensure_future(fault)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)

    async def _kill(self) -> None:
        house = self._somebody()
        if house is None:
            return
        async with self._restarting:
            await house.kill()
            await asyncio.sleep(RESTART_SECONDS)
            await house.start()

    async def _freeze(self) -> None:
        house = self._somebody()
        if house is None or any(other.frozen for other in self._stage.houses):
            return
        house.freeze()
        await asyncio.sleep(self._frozen_for)
        house.thaw()

    async def _restart_postgres(self) -> None:
        async with self._restarting:
            await self._stage.restart_postgres()

    async def _cut_sockets(self) -> None:
        await self._stage.slack.sockets.drop()
        await self._stage.discord.gateway.drop(keep=self._stage.dice.random() < 0.5)

    async def _storm(self) -> None:
        for method in SLACK_CALLS:
            self._stage.slack.fail(method, times=STORM, error="ratelimited", retry_after=1)
        self._stage.discord.limit_next("POST", r"/messages$", 0.5, count=STORM)
        self._stage.discord.limit_next("PATCH", r"/messages/", 0.5, count=STORM)

    async def _repeat(self) -> None:
        self._stage.discord.gateway.replays_delivered = 20
        for delivery in self._stage.sockets.deliveries[-40:]:
            await self._stage.sockets.repeat(delivery)

    async def _reorder(self) -> None:
        self._stage.sockets.held = []
        await asyncio.sleep(1.0)
        await self._stage.sockets.release()

    async def _hang(self) -> None:
        self._stage.model.hanging = 5

    def _somebody(self) -> House | None:
        awake = [house for house in self._stage.houses if not house.frozen]
        return self._stage.dice.choice(awake) if awake and not self._restarting.locked() else None
