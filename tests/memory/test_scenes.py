"""The scene in a thread as whom-is-it-for looks at it, at the same cost in a thread of any length."""

from __future__ import annotations

import pytest

from bot.dialogue import Attention, Message, Request, Scene, Wish
from bot.memory.inbox import Inbox
from tests.memory.conftest import ADA, BEN, DIRECT, THREAD, Record, message, watched


class Watcher:
    """Decides nothing but what it is told, and keeps the scenes it saw."""

    def __init__(self, verdict: Attention = Attention.KEEP) -> None:
        self.scenes: list[Scene] = []
        self.verdict = verdict

    def __call__(self, heard: Message, scene: Scene | None) -> Attention:
        if scene is None:
            return Attention.ANSWER if heard.mentions_bot else Attention.IGNORE
        if scene.lately:
            self.scenes.append(scene)
        return self.verdict


def aside(text: str, author: object = BEN, **rest: object) -> Message:
    return message(text, THREAD, author, mentions_bot=False, **rest)  # type: ignore[arg-type]


async def seen(record: Record, watcher: Watcher, text: str = "so?") -> Scene:
    await Inbox(record.database, record.counter, watcher).accept(aside(text))
    return watcher.scenes[-1]


async def test_a_scene_has_the_lines_their_speakers_and_whom_ours_were_for(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi Ada", THREAD)
    watcher = Watcher()
    inbox = Inbox(record.database, record.counter, watcher)
    await inbox.accept(aside("Ada, lunch?", mentions_others=True))
    scene = await seen(record, watcher)
    lines = [
        (one.author_id, one.text, one.said, one.answers, one.mentions_others, one.asked)
        for one in scene.lately
    ]
    assert lines == [
        ("U1", "hello", False, "", False, True),
        ("bot", "hi Ada", True, "U1", False, False),
        ("U2", "Ada, lunch?", False, "", True, False),
    ]
    assert (scene.people, scene.quiet) == (2, False)


async def test_a_scene_knows_that_somebody_quieted_the_bot(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    await record.wishes.listen(Request(Wish.QUIET, ADA, THREAD))
    assert (await seen(record, Watcher())).quiet


async def test_a_scene_has_nothing_that_was_deleted(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    watcher = Watcher()
    secret = aside("secret")
    await Inbox(record.database, record.counter, watcher).accept(secret)
    await record.deleted(secret)
    assert [one.text for one in (await seen(record, watcher)).lately] == ["hello", "hi"]


async def test_only_the_newest_lines_are_in_a_scene_and_shortened(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    watcher = Watcher()
    for number in range(12):
        await seen(record, watcher, f"{number} " + "x" * 900)
    scene = await seen(record, watcher)
    assert [one.text.split()[0] for one in scene.lately] == [str(number) for number in range(4, 12)]
    assert max(len(one.text) for one in scene.lately) == 500


async def test_what_names_the_bot_or_is_direct_needs_no_scene(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    watcher = Watcher()
    inbox = Inbox(record.database, record.counter, watcher)
    await inbox.accept(message("you there?", THREAD))
    await inbox.accept(message("you there?", DIRECT))
    assert watcher.scenes == []


@pytest.mark.parametrize("verdict", [Attention.IGNORE, Attention.KEEP, Attention.ANSWER])
async def test_what_is_decided_of_a_scene_is_done(record: Record, verdict: Attention) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    watcher = Watcher()
    inbox = Inbox(record.database, record.counter, watcher)

    def decide(heard: Message, scene: Scene | None) -> Attention:
        return verdict if scene is not None and scene.lately else watcher(heard, scene)

    inbox = Inbox(record.database, record.counter, decide)
    await inbox.accept(aside("so?"))
    kept = await record.rows("SELECT turn_id FROM messages WHERE text = 'so?'")
    assert [row["turn_id"] is not None for row in kept] == {
        Attention.IGNORE: [],
        Attention.KEEP: [False],
        Attention.ANSWER: [True],
    }[verdict]


async def test_a_scene_costs_the_same_in_a_thread_of_any_length(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    await record.rows(
        """
        INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
                              author_name, text, tokens, encoding, sent_at)
        SELECT c.id, 'filled:' || n, n + 10, 20 + n, 'p' || n, 'P' || n, 'P', 'text', 1, 'words', now()
        FROM conversations c, generate_series(1, 20000) AS n
        """
    )
    await record.rows("UPDATE conversations SET last_position = 20010, total_tokens = 20020")
    await record.rows("ANALYZE messages")
    with watched(record) as statements:
        scene = await seen(record, Watcher())
    assert scene.people == 100  # of its newest hundred lines
    (read,) = [one for one in statements if "count(DISTINCT" in one[0]]
    async with record.database.transaction() as opened:
        explained = await opened.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {read[0]}", read[1])
        plan = explained.scalar_one()[0]["Plan"]
    assert max(rows_of(plan)) <= 110


def rows_of(plan: dict[str, object]) -> list[int]:
    parts = plan.get("Plans", [])
    assert isinstance(parts, list)
    return [int(str(plan["Actual Rows"]).split(".")[0]), *(row for part in parts for row in rows_of(part))]
