"""Whether a process says truly that it can do its work."""

from __future__ import annotations

from bot.adapters.local import LocalAdapter
from bot.app.readiness import Readiness
from bot.dialogue import Platform
from bot.memory.pulse import Backlog, Vitals
from bot.ports import Adapter


class Felt:
    """A pulse that is as it was told."""

    def __init__(self, vitals: Vitals) -> None:
        self.vitals = vitals

    async def feel(self) -> Vitals:
        return self.vitals


class Wired(LocalAdapter):
    """An adapter whose connections are as they were told."""

    def __init__(self, name: Platform, up: bool) -> None:
        super().__init__(name)
        self.up = up

    def connected(self) -> bool:
        return self.up


LATE = Vitals(True, True, {Platform.SLACK: Backlog(1, 0, 301.0)})
WEB: dict[Platform, Adapter] = {Platform.WEB: LocalAdapter(Platform.WEB)}


async def test_a_worker_is_not_ready_while_somebody_waits_too_long_but_pages_are() -> None:
    worker, web = Readiness(Felt(LATE), {}, 300.0), Readiness(Felt(LATE), WEB, None)
    told = {"database": True, "tables": True, "oldest_waiting_seconds": 301.0}
    assert await worker.look() == told | {"queue": False}
    assert await web.look() == told


async def test_each_connection_is_told_and_a_platform_without_any_is_not() -> None:
    heard = WEB | {
        Platform.SLACK: Wired(Platform.SLACK, True),
        Platform.DISCORD: Wired(Platform.DISCORD, False),
    }
    found = await Readiness(Felt(Vitals(True, True)), heard, None).look()
    assert (found["slack"], found["discord"], "web" in found) == (True, False, False)


async def test_without_the_database_nothing_is_well_that_leans_on_it() -> None:
    found = await Readiness(Felt(Vitals()), {}, 300.0).look()
    assert found == {"database": False, "tables": False, "queue": False, "oldest_waiting_seconds": 0.0}
