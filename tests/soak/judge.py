"""The judge of a soak: reads only what stands on the platforms, and the tables."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg

from tests.soak.people import People
from tests.soak.stage import Stage

_MARK = re.compile(r"\bq\d+\b")
_WHOLE = "That is all."


@dataclass
class Verdict:
    """The counts; `notes` say which questions and posts they are of."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    half_done: int = 0
    answered_before_calm: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything was answered once, in order and whole."""
        return self.answered == self.asked and not (
            self.lost or self.doubled or self.out_of_order or self.half_done
        )

    def told(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name != "notes"}


@dataclass(frozen=True)
class Standing:
    """An answer as a person sees it: one post; `order` sorts within its place."""

    order: tuple[int, ...]
    text: str

    @property
    def marks(self) -> list[str]:
        """The questions that it answers."""
        return _MARK.findall(self.text)


def answers(stage: Stage, people: People) -> dict[tuple[str, str], list[Standing]]:
    """Read what stands, by place, oldest first."""
    shown: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for channel, root in people.slack_threads.values():
        for post in stage.slack.answers(channel, root):
            seconds, _, rest = post.ts.partition(".")
            shown[channel, root].append(Standing((int(seconds), int(rest)), post.text))
    for place in people.discord_places.values():
        for message in stage.discord.messages(place):
            if message.author is stage.discord.bot:
                shown["discord", place.id].append(Standing((int(message.id),), message.content))
    return {place: sorted(found, key=lambda one: one.order) for place, found in shown.items()}


def answered(stage: Stage, people: People) -> int:
    """Count the questions that have a whole answer now."""
    whole = [one for found in answers(stage, people).values() for one in found if _WHOLE in one.text]
    return len({mark for one in whole for mark in one.marks} & {asked.mark for asked in people.asked})


async def judge(stage: Stage, people: People, before_calm: int) -> Verdict:
    """Judge all of it."""
    verdict = Verdict(asked=len(people.asked), answered_before_calm=before_calm)
    shown = answers(stage, people)
    verdict.answered = answered(stage, people)
    _count(verdict, people, shown)
    await _look_at_order(verdict, stage, shown)
    _look_at_leftovers(verdict, stage, shown)
    await _look_at_tables(verdict, stage)
    await _tell_of_doubled(verdict, stage, shown)
    return verdict


async def _tell_of_doubled(
    verdict: Verdict, stage: Stage, shown: dict[tuple[str, str], list[Standing]]
) -> None:
    """Note what stands of a question that was answered twice, and what the record knows of it."""
    for mark in [note.split("'")[1] for note in verdict.notes if note.startswith("doubled")][:10]:
        posts = [(one.order, one.text) for some in shown.values() for one in some if mark in one.marks]
        rows = await _rows(
            stage,
            "SELECT t.id, t.state, t.attempts, t.epoch, p.ordinal, p.state, p.message_id, p.epoch, "
            "p.recorded_at "
            "FROM messages m JOIN turns t ON t.id = m.turn_id LEFT JOIN pieces p ON p.turn_id = t.id "
            f"WHERE NOT m.said AND m.text ~ '\\m{mark}\\M'",
        )
        verdict.notes += [f"  {mark}: stands {posts}", *(f"  {mark}: record {row}" for row in rows)]


def _count(verdict: Verdict, people: People, shown: dict[tuple[str, str], list[Standing]]) -> None:
    found = Counter((mark, place) for place, some in shown.items() for one in some for mark in one.marks)
    places = {asked.mark: asked.place for asked in people.asked}
    for asked in people.asked:
        times = sum(count for (mark, _), count in found.items() if mark == asked.mark)
        if times == 0:
            verdict.lost += 1
            verdict.notes.append(f"lost: {asked}")
        if times > 1 or (times and (asked.mark, places[asked.mark]) not in found):
            verdict.doubled += 1
            verdict.notes.append(f"doubled or elsewhere: {asked}")


async def _look_at_order(
    verdict: Verdict, stage: Stage, shown: dict[tuple[str, str], list[Standing]]
) -> None:
    """Answers stand in the order in which their questions were accepted."""
    rows = await _rows(
        stage, "SELECT id, text FROM (SELECT turn_id AS id, text FROM messages WHERE NOT said) AS heard"
    )
    turn_of = {mark: number for number, text in rows for mark in _MARK.findall(text)}
    for place, found in shown.items():
        turns = [max((turn_of.get(mark) or 0 for mark in one.marks), default=0) for one in found]
        kept = [number for number in turns if number]
        if kept != sorted(kept):
            verdict.out_of_order += 1
            verdict.notes.append(f"out of order: {place} {kept}")


def _look_at_leftovers(verdict: Verdict, stage: Stage, shown: dict[tuple[str, str], list[Standing]]) -> None:
    halves = [
        f"half: {place} {one.text[:60]!r}"
        for place, found in shown.items()
        for one in found
        if _WHOLE not in one.text or not one.marks
    ]
    halves += [f"stream: {post.ts}" for post in stage.slack.space.streams()]
    halves += [f"status: {place} {text!r}" for place, text in stage.slack.space.statuses.items() if text]
    verdict.half_done += len(halves)
    verdict.notes += halves


async def _look_at_tables(verdict: Verdict, stage: Stage) -> None:
    """Every post that stands is one that a record owns, and nothing is in work any more."""
    unfinished = await _rows(
        stage,
        "SELECT 'turn ' || id || ' is ' || state || ' ' || error FROM turns WHERE state <> 'done' UNION ALL "
        "SELECT 'piece ' || id || ' is ' || state FROM pieces WHERE state NOT IN ('final', 'removed')",
    )
    verdict.half_done += len(unfinished)
    verdict.notes += [str(row[0]) for row in unfinished]


async def _rows(stage: Stage, statement: str) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(stage.url, autocommit=True) as connection:
        return await (await connection.execute(statement.encode())).fetchall()


async def open_work(stage: Stage) -> int:
    """Count the turns that are not ended."""
    rows = await _rows(stage, "SELECT count(*) FROM turns WHERE state IN ('waiting', 'answering')")
    return int(rows[0][0])
