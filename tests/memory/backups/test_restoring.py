"""A restored database is what was backed up, at today's revision; what cannot be restored changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from discord.utils import snowflake_time

from bot.dialogue import Platform
from bot.errors import BackupRefused
from bot.memory import migrations
from bot.memory.backups import back_up, restore
from bot.memory.backups.archive import verified, writing
from bot.memory.marks import Marks
from bot.memory.processes import Processes
from tests.memory.conftest import BEN, DIRECT, OPEN, THREAD, Record, message

NewDatabase = Callable[[], AbstractContextManager[str]]
KEPT = ("conversations", "turns", "messages", "pieces", "people")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Record]:
    record = Record(url)
    yield record
    await record.database.close()


async def everything(record: Record) -> dict[str, object]:
    return {table: await record.rows(f"SELECT * FROM {table} ORDER BY 1") for table in KEPT}


async def filled(record: Record) -> None:
    turn = await record.claimed(message("a\tb\\c\n中文 🙂 \\.", THREAD), channel=THREAD)
    await record.posted(turn, "Well")
    await record.exchange("and\n\\.\nmore", "well", DIRECT)
    await record.asked(message("open", THREAD, BEN), channel=THREAD)
    await record.rows("INSERT INTO people (platform, person_id, language) VALUES ('slack', 'U1', 'de')")


async def test_a_restored_bot_goes_on_where_it_was(
    record: Record, empty_database_url: str, tmp_path: Path
) -> None:
    await filled(record)
    path = tmp_path / "backup.gz"
    back_up(record.url, path, "1")
    assert restore(empty_database_url, path).version == "1"
    migrations.check(empty_database_url)
    async with opened(empty_database_url) as again:
        assert await everything(again) == await everything(record)
        # Whom nobody answered is woken by the sweep, and new rows get new numbers.
        assert await again.value("SELECT count(*) FROM procrastinate_jobs") == 0
        await again.rows("UPDATE conversations SET lease_until = now() - interval '1 hour'")
        assert await again.turns.wake_open([Platform.SLACK]) == 1
        await again.exchange("new", "answer")
        await again.adds_up()


async def test_what_was_written_since_the_backup_is_not_fetched_and_answered_again(
    record: Record, empty_database_url: str, tmp_path: Path
) -> None:
    await record.asked(message("long ago", OPEN, id="1"), channel=OPEN)
    await Marks(record.database).close(Platform.SLACK, "T1")
    await record.rows("UPDATE marks SET seen_until = now() - interval '12 hours'")
    back_up(record.url, tmp_path / "backup.gz", "1")
    before = datetime.now(UTC)
    restore(empty_database_url, tmp_path / "backup.gz")
    async with opened(empty_database_url) as again:
        mark = await Marks(again.database).read(Platform.SLACK, "T1")
        newest = await again.shelf.newest("G1")
    assert mark.seen_until is not None
    assert mark.seen_until > before - timedelta(seconds=1)
    assert abs(snowflake_time(int(newest["500"])) - before) < timedelta(seconds=30)


async def test_an_older_backup_is_brought_to_todays_tables(
    empty_database_url: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    migrations.upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(
            "INSERT INTO conversations (key, platform, workspace, place, kind) "
            "VALUES ('k', 'slack', 'T1', 'C1', 'thread');"
            "INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, "
            "author_id, author_name, text, tokens, encoding, files, sent_at) "
            "SELECT id, 'm', 1, 1, '1', 'U1', 'Ada', 'hi', 1, 'words', '{a.pdf}', now() FROM conversations"
        )
    path = tmp_path / "old.gz"
    back_up(empty_database_url, path, "0.0.1")
    with new_database() as url:
        restore(url, path)
        migrations.check(url)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT files FROM messages").fetchall() == [([{"name": "a.pdf"}],)]


async def test_rows_are_thrown_away_only_where_that_is_said(
    record: Record, new_database: NewDatabase, tmp_path: Path
) -> None:
    await filled(record)
    path = tmp_path / "backup.gz"
    back_up(record.url, path, "1")
    with new_database() as url:
        async with opened(url) as other:
            await other.exchange("theirs", "answer")
            before = await everything(other)
            with pytest.raises(BackupRefused, match=r"conversations has rows.*--replace"):
                restore(url, path)
            assert await everything(other) == before
        restore(url, path, replace=True)
        async with opened(url) as other:
            assert await everything(other) == await everything(record)
            assert await other.value("SELECT to_regnamespace('frontdesk_before_restore') IS NULL")


async def test_what_fails_midway_or_is_killed_is_put_back(
    record: Record, new_database: NewDatabase, tmp_path: Path
) -> None:
    await filled(record)
    path = tmp_path / "backup.gz"
    back_up(record.url, path, "1")
    bad = tmp_path / "bad.gz"
    with writing(bad, verified(path)) as file, file.table("people", ["nobody_id"]):
        file.row(b"1\n")
    with new_database() as url:
        async with opened(url) as other:
            await other.exchange("theirs", "answer")
            before = await everything(other)
        with pytest.raises(BackupRefused, match="nobody_id"):
            restore(url, bad, replace=True)
        async with opened(url) as other:
            assert await everything(other) == before
        with psycopg.connect(url, autocommit=True) as killed:
            killed.execute("ALTER SCHEMA public RENAME TO frontdesk_before_restore; CREATE SCHEMA public")
        with pytest.raises(BackupRefused, match="is not empty"):
            restore(url, path)
        async with opened(url) as other:
            assert await everything(other) == before


async def test_extensions_stay_for_the_restored_tables(
    record: Record, new_database: NewDatabase, tmp_path: Path
) -> None:
    path = tmp_path / "backup.gz"
    back_up(record.url, path, "1")
    with new_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
        restore(url, path)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 'abc' % 'abd'").fetchone() is not None


async def test_a_bot_at_work_a_newer_backup_and_a_damaged_one_are_refused(
    record: Record, new_database: NewDatabase, tmp_path: Path
) -> None:
    path = tmp_path / "backup.gz"
    back_up(record.url, path, "1")
    with new_database() as url:
        async with opened(url) as other:
            await Processes(other.database, ["worker"], "1").beat()
            with pytest.raises(BackupRefused, match="at work on this database"):
                restore(url, path)
            await other.rows("DELETE FROM processes")
        newer = tmp_path / "newer.gz"
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        back_up(url, newer, "7.0")
        with pytest.raises(BackupRefused, match=r"revision 9999 \(Frontdesk 7\.0\)"):
            restore(url, newer)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(BackupRefused, match="damaged"):
            restore(url, path)
