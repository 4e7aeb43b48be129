"""What `bot doctor` sees of the database: well, away, and with old tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from bot.app.ground import Ground, opened
from bot.app.health import AsideCheck, DatabaseCheck, ProcessesCheck, TroublesCheck
from bot.config import read_settings
from bot.dialogue import Channel, Finding, Platform
from bot.memory.processes import Processes
from bot.memory.troubles import Troubles
from tests.fakes import in_english

AWAY = "postgresql://bot:hush@127.0.0.1:1/frontdesk"
PLACE = Channel(Platform.SLACK, "T1", "C1")
Looking = Callable[[str], AbstractAsyncContextManager[Ground]]


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Looking:
    """Open the ground as the doctor does, on a given database."""

    @asynccontextmanager
    async def ground(url: str) -> AsyncIterator[Ground]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("BOT_DATABASE_URL", url)
        monkeypatch.setenv("BOT_DATA_DIR", str(tmp_path / "data"))
        async with opened(read_settings(), looking=True) as opened_ground:
            yield opened_ground

    return ground


async def found(ground: Ground) -> list[Finding]:
    return [finding async for finding in DatabaseCheck(ground).check(in_english)]


async def test_a_database_that_is_well_is_told_with_its_version(looking: Looking, database_url: str) -> None:
    async with looking(database_url) as ground:
        database, tables = await found(ground)
    assert database.well
    assert "Postgres" in database.text
    assert tables.well
    assert (database.cure, tables.cure) == ("", "")


async def test_a_database_that_is_away_is_a_finding_and_not_waited_for(looking: Looking) -> None:
    async with looking(AWAY) as ground:
        (database,) = await found(ground)
    assert not database.well
    assert "BOT_DATABASE_URL" in database.cure
    assert "hush" not in database.text + database.cure


async def test_refused_posts_are_told_place_by_place(looking: Looking, database_url: str) -> None:
    async with looking(database_url) as ground:
        check = TroublesCheck(ground)
        (well,) = [finding async for finding in check.check(in_english)]
        await Troubles(ground.database).note(PLACE, "PostRefused", "Slack refuses: not_in_channel")
        (wrong,) = [finding async for finding in check.check(in_english)]
    assert well.well
    assert not wrong.well
    assert "Slack refuses answers in C1 (times: 1" in wrong.text
    assert "not_in_channel" in wrong.text
    assert wrong.cure


async def test_messages_that_were_set_aside_are_told(looking: Looking, database_url: str) -> None:
    asked = """
        WITH c AS (
            INSERT INTO conversations (key, platform, workspace, place, kind)
            VALUES ('k', 'slack', 'T1', 'C1', 'open') RETURNING id)
        INSERT INTO turns (conversation_id, asker_id, state, error, attempts, finished_at)
        SELECT c.id, 'U1', 'failed', one.error, 6, now() - make_interval(days => one.days)
        FROM c, (VALUES ('poisoned', 1), ('poisoned', 8), ('model-busy', 1)) AS one (error, days)
    """
    async with looking(database_url) as ground:
        (well,) = [finding async for finding in AsideCheck(ground).check(in_english)]
        await ground.database.run(asked)
        (wrong,) = [finding async for finding in AsideCheck(ground).check(in_english)]
    assert well.well
    assert not wrong.well
    assert wrong.text.startswith("Slack, C1: a message of ")
    assert "5 tries" in wrong.text
    assert "log" in wrong.cure


async def test_what_was_set_aside_in_a_database_that_is_away_is_another_check_s(looking: Looking) -> None:
    async with looking(AWAY) as ground:
        assert [finding async for finding in AsideCheck(ground).check(in_english)] == []


async def test_refused_posts_of_a_database_that_is_away_are_another_check_s(looking: Looking) -> None:
    async with looking(AWAY) as ground:
        assert [finding async for finding in TroublesCheck(ground).check(in_english)] == []


async def test_looking_changes_nothing_and_missing_tables_are_told(
    looking: Looking, empty_database_url: str
) -> None:
    async with looking(empty_database_url) as ground:
        first = await found(ground)
        second = await found(ground)
    for database, tables in (first, second):
        assert database.well
        assert not tables.well
        assert "migrate" in tables.text + tables.cure


async def test_the_processes_at_work_are_told_and_one_that_fell_silent(
    looking: Looking, database_url: str
) -> None:
    async def told(ground: Ground) -> list[Finding]:
        return [finding async for finding in ProcessesCheck(ground).check(in_english)]

    async with looking(database_url) as ground:
        (none,) = await told(ground)
        assert (none.well, "bot run" in none.text) == (True, True)
        await Processes(ground.database, ["worker"], "1.2.3").beat()
        await ground.database.run("UPDATE processes SET beat_at = now() - interval '30 seconds'")
        await Processes(ground.database, ["web", "gateway"], "1.2.4").beat()
        silent, lively, nobody = await told(ground)
        await Processes(ground.database, ["worker"], "1.2.4").beat()
        assert len(await told(ground)) == 3
    assert (silent.well, "worker" in silent.text, "30 s" in silent.text) == (False, True, True)
    assert (lively.well, lively.cure, "gateway, web" in lively.text) == (True, "", True)
    assert "1.2.4" in lively.text
    assert (nobody.well, "--role worker" in nobody.cure) == (False, True)


async def test_of_processes_on_a_database_that_is_away_nothing_is_told(looking: Looking) -> None:
    async with looking(AWAY) as ground:
        assert [finding async for finding in ProcessesCheck(ground).check(in_english)] == []


async def test_tables_that_are_newer_are_told_with_the_cure(looking: Looking, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    async with looking(database_url) as ground:
        _, tables = await found(ground)
    assert not tables.well
    assert "9999" in tables.text
    assert "newer version" in tables.cure


async def test_a_database_that_takes_no_writes_is_told_with_the_reason(
    looking: Looking, database_url: str
) -> None:
    read_only = f"{database_url}&options=-c%20default_transaction_read_only%3Don"
    async with looking(read_only) as ground:
        (database,) = await found(ground)
    assert not database.well
    assert "read-only" in database.text
    assert "takes writes" in database.cure
