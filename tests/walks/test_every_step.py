"""A house dies by kill -9 at any single step of an answer; the next one leaves exactly one whole answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.conftest import Record
from tests.walks.doors import Door, Shown, opened
from tests.walks.mortal import Death, Mortal

AT_ONCE = 4
RECOVERY = 30.0
SHORT = "Here is the whole answer, and it is a short one."

NewDatabase = Callable[[], AbstractContextManager[str]]


def long_text(word: str, size: int) -> str:
    """Paragraphs that are all different, `size` characters of them."""
    lines = [f"{word} {number}: {'and so on ' * 20}" for number in range(size // 215 + 1)]
    return f"This is what is known about {word}, told at length.\n\n" + "\n\n".join(lines)


class Trial:
    """One question, the death of the house that answers it, and the next house."""

    def __init__(self, door: Door, model: ModelDouble, record: Record, house: Mortal) -> None:
        self._door = door
        self._model = model
        self._record = record
        self._house = house
        self._first = long_text("first", door.size)
        self._second = ""

    async def lives(self) -> tuple[int, int]:
        """
        Let a house answer undisturbed, and count the steps that took.

        A second wake-up may come and find nothing to do: the commit that ends the answer is the last step.
        """
        await self._ask(Death())
        await self._record.turns_of(1, RECOVERY)
        self._judge([], await self._door.shown())
        commits = [number for number, names in enumerate(self._house.commits, 1) if "pieces" in names]
        return commits[-1], len(self._house.calls)

    async def dies(self, death: Death, *, short: bool) -> None:
        """Kill the house at a step, open the next one, and judge what stands in the end."""
        self._second = SHORT if short else long_text("second", self._door.size)
        await self._ask(death)
        async with asyncio.timeout(RECOVERY):
            await self._house.dead.wait()
        before = await self._door.shown()
        await self._house.kill()
        await self._house.start()
        await self._door.ask_again(self._house)
        await self._record.turns_of(1, RECOVERY)
        self._judge(before, await self._door.shown())
        await self._judge_record(await self._door.shown())

    async def _ask(self, death: Death) -> None:
        gate = Gate()
        beginning, rest = self._first[:60], self._first[60:]
        self._model.script(Script([beginning, rest], gate=gate, hold_after=1))
        self._model.reply = lambda _: self._second
        self._door.watched(self._house.watch)
        await self._house.start(death)
        await self._door.ask(self._house)
        async with asyncio.timeout(RECOVERY):
            while not (self._house.dead.is_set() or await self._door.shown()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        gate.release()

    def _judge(self, before: Shown, after: Shown) -> None:
        text = " ".join(text for _, text in after).split()
        assert text in (self._first.split(), self._second.split()), f"not whole, or doubled: {len(after)}"
        stood, stands = [number for number, _ in before], [number for number, _ in after]
        kept = min(len(stood), len(stands))
        assert stands[:kept] == stood[:kept], f"other posts: {stood} became {stands}"
        assert not self._door.unfinished(), self._door.unfinished()

    async def _judge_record(self, shown: Shown) -> None:
        said = await self._record.rows("SELECT text FROM messages WHERE said")
        assert [text.split() for (text,) in said] == [" ".join(text for _, text in shown).split()]
        assert await self._record.rows("SELECT state FROM turns") == [("done",)]
        rows = await self._record.rows(
            "SELECT message_id, state FROM pieces WHERE state <> 'removed' ORDER BY ordinal"
        )
        assert rows == [(number, "final") for number, _ in shown]
        assert await self._record.rows("SELECT count(*) FROM messages WHERE NOT said") == [(1,)]


class Trials:
    """Many trials at one door, each with a database and doubles of its own."""

    def __init__(self, door: str, folder: Path, new_database: NewDatabase) -> None:
        self._door = door
        self._folder = folder
        self._new_database = new_database
        self._places = asyncio.Semaphore(AT_ONCE)

    async def steps(self) -> list[Death]:
        """
        Find the steps at which a house may die.

        Before a step is the same as after the one before it: nothing that outlives a house lies between.
        """
        commits, calls = await self._run(Death())
        steps = [("commit", commits), ("call", calls)]
        after = [Death(kind, at, after=True) for kind, count in steps for at in range(1, count + 1)]
        # A person who wrote in a guild where nothing was ever heard is not found by catching up.
        return after if self._door == "discord" else [Death("commit", 1), *after]

    async def complaint(self, death: Death) -> str:
        """Run one trial; say what is wrong in the end, or ""."""
        async with self._places:
            try:
                await self._run(death)
            except (AssertionError, TimeoutError) as error:
                return f"{self._door}, {death}: {error or type(error).__name__}"
        return ""

    async def _run(self, death: Death) -> tuple[int, int]:
        with self._new_database() as url:
            record = Record(url)
            async with ModelDouble() as model, opened(self._door, record) as door:
                house = Mortal(
                    {
                        "BOT_DATABASE_URL": url,
                        "BOT_DATA_DIR": str(self._folder),
                        "BOT_MODEL__BASE_URL": model.url,
                        "BOT_MODEL__API_KEY": "sk-double",
                        "BOT_MODEL__NAME": "double-1",
                        **door.environment(),
                    }
                )
                trial = Trial(door, model, record, house)
                try:
                    if death.at == 0:
                        return await trial.lives()
                    await trial.dies(death, short=death.at % 2 == 0)
                finally:
                    await house.kill()
        return 0, 0


@pytest.mark.parametrize("door", ["slack-stream", "slack-edits", "discord", "web"])
async def test_killed_at_every_step(
    door: str, tmp_path: Path, new_database: NewDatabase, subtests: pytest.Subtests
) -> None:
    trials = Trials(door, tmp_path, new_database)
    deaths = await trials.steps()
    complaints = await asyncio.gather(*(trials.complaint(death) for death in deaths))
    assert len(complaints) > 5
    for death, complaint in zip(deaths, complaints, strict=True):
        with subtests.test(step=str(death)):
            assert not complaint
