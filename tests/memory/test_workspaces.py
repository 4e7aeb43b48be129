"""What workspaces chose, and what becomes of their data once the bot has left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.dialogue import Channel, ChannelKind, Piece, Platform
from bot.memory.erasing import Erased
from bot.memory.people import People
from bot.memory.workspaces import Workspaces, WorkspaceSettings
from tests.memory.conftest import ADA, BEN, DIRECT, OPEN, THREAD, Open, Record, message

TABLES = ("conversations", "messages", "turns", "pieces", "summary_blocks", "message_revisions", "votes")


@pytest.fixture
def workspaces(record: Record) -> Workspaces:
    return Workspaces(record.database)


async def left_for(record: Record, days: float) -> None:
    await record.rows("UPDATE workspaces SET left_at = now() - make_interval(secs => :s)", s=days * 86_400)


async def test_a_workspace_that_chose_nothing_has_the_platform_s_own_ways(workspaces: Workspaces) -> None:
    assert await workspaces.settings(Platform.DISCORD, "G1") == WorkspaceSettings()


async def test_a_choice_changes_only_what_was_chosen(record: Record, workspaces: Workspaces) -> None:
    chosen = await workspaces.change(Platform.DISCORD, "G1", answers="thread")
    assert chosen == WorkspaceSettings("thread", "")
    chosen = await workspaces.change(Platform.DISCORD, "G1", language="zh-TW")
    assert chosen == WorkspaceSettings("thread", "zh-TW")
    assert await Workspaces(record.database).settings(Platform.DISCORD, "G1") == chosen
    assert await workspaces.settings(Platform.DISCORD, "G2") == WorkspaceSettings()


async def test_a_turn_knows_the_languages_of_its_place_and_of_who_asks(
    record: Record, workspaces: Workspaces
) -> None:
    await workspaces.change(Platform.SLACK, "T1", language="zh-CN")
    await People(record.database).choose(Platform.SLACK, BEN.id, "fr")
    turn = await record.claimed(message("hello", THREAD, BEN))
    assert (turn.asked.language, turn.asked.channel.language) == ("fr", "zh-CN")
    reloaded = await record.turns.reload(turn)
    assert (reloaded.asked.language, reloaded.asked.channel.language) == ("fr", "zh-CN")
    other = await record.claimed(message("hello", DIRECT, ADA))
    assert other.asked.language == ""


async def test_a_left_workspace_is_erased_after_its_time_and_no_other(
    record: Record, workspaces: Workspaces
) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    await record.exchange(message("hello", OPEN), "hi", OPEN)
    await workspaces.left(Platform.SLACK, "T1")
    await left_for(record, 29)
    await workspaces.left(Platform.SLACK, "T1")  # said once more, which is no new beginning
    await record.erasing.sweep()
    assert await record.value("SELECT count(*) FROM conversations") == 2
    await left_for(record, 31)
    for _ in range(2):  # a batch a sweep, then what is left of the workspace
        await record.erasing.sweep()
    assert [row["workspace"] for row in await record.rows("SELECT workspace FROM conversations")] == ["G1"]
    assert await record.value("SELECT count(*) FROM workspaces") == 0


async def test_a_message_after_the_return_keeps_the_data(record: Record, workspaces: Workspaces) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    await workspaces.left(Platform.SLACK, "T1")
    await left_for(record, 20)
    before = message("late delivery", THREAD, sent_at=datetime.now(UTC) - timedelta(days=25))
    await record.inbox.accept(before)
    assert await record.value("SELECT left_at FROM workspaces") is not None
    await record.inbox.accept(message("we are back", THREAD, sent_at=datetime.now(UTC)))
    assert await record.value("SELECT left_at FROM workspaces") is None


async def test_a_workspace_is_erased_at_once_with_all_that_hangs_on_it(
    record: Record, workspaces: Workspaces
) -> None:
    for number in range(3):
        place = Channel(Platform.SLACK, "T1", "C1", f"{number}.1", ChannelKind.THREAD)
        turn = await record.claimed(message("hello", place))
        await record.posted(turn, post=f"900.{number}")
    await record.exchange(message("hello", OPEN, BEN), "hi", OPEN)
    people = People(record.database)
    await people.choose(Platform.SLACK, ADA.id, "fr")
    await workspaces.change(Platform.SLACK, "T1", language="fr")
    await record.deleted(message("unknown", THREAD))
    assert await record.erasing.workspace(Platform.SLACK, "T1") == Erased(3, 3, 3)
    for table in TABLES:
        left = await record.rows(f"SELECT * FROM {table}")
        assert "T1" not in str(left)
        assert table not in {"conversations", "messages", "turns"} or left
    for table in ("people", "workspaces", "deletions"):
        assert await record.value(f"SELECT count(*) FROM {table}") == 0
    assert await record.erasing.workspace(Platform.SLACK, "T1") is None


async def test_who_asks_elsewhere_too_keeps_the_language_they_chose(record: Record) -> None:
    await record.exchange(message("hello", THREAD, ADA), "hi", THREAD)
    await record.exchange(
        message("hello", Channel(Platform.SLACK, "T2", "D2", kind=ChannelKind.DIRECT), ADA), "hi"
    )
    await People(record.database).choose(Platform.SLACK, ADA.id, "fr")
    await record.erasing.workspace(Platform.SLACK, "T1")
    assert await record.value("SELECT language FROM people") == "fr"


async def test_who_answers_while_all_is_erased_writes_nothing(record: Record) -> None:
    turn = await record.claimed(message("hello", THREAD))
    await record.erasing.workspace(Platform.SLACK, "T1")
    with pytest.raises(Exception, match="another worker's"):
        await record.outbox.receipts(turn, Open()).sending(Piece(0, "Well"))
    assert await record.value("SELECT count(*) FROM pieces") == 0


async def test_recent_conversations_are_a_person_s_own_of_one_workspace_newest_first(record: Record) -> None:
    people = People(record.database)
    await record.exchange(message("Ada asks\nin a thread", THREAD, ADA), "hi", THREAD)
    await record.exchange(message("Ben asks", THREAD, BEN), "hi", THREAD)
    await record.exchange(message("Ada directly", DIRECT, ADA), "hi")
    await record.exchange(message("elsewhere", OPEN, ADA), "hi", OPEN)
    secret = message("secret", DIRECT, BEN)
    await record.exchange(secret, "hi")
    found = await people.recent(Platform.SLACK, "T1", ADA.id)
    assert [(one.title, one.channel.id, one.channel.root) for one in found] == [
        ("Ada directly", "D1", ""),
        ("Ada asks in a thread", "C1", "100.1"),
    ]
    await record.deleted(secret)
    assert [one.title for one in await people.recent(Platform.SLACK, "T1", BEN.id)] == ["Ben asks"]
    assert await people.recent(Platform.SLACK, "T2", ADA.id) == []
    assert len(await people.recent(Platform.SLACK, "T1", ADA.id, limit=1)) == 1
