"""A backup is of one moment, leaves out what is of the moment only, and never takes another file's place."""

from __future__ import annotations

import asyncio
import gzip
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import BackupRefused, StoreDown
from bot.memory.backups import back_up
from bot.memory.backups.archive import verified
from tests.memory.conftest import THREAD, Record, message


def lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_a_backup_is_one_private_file_that_says_what_it_is(record: Record, tmp_path: Path) -> None:
    await record.exchange(message("a\tb\\c\n中文 🙂", THREAD), "well", THREAD)
    path = tmp_path / "backup.gz"
    assert back_up(record.url, path, "9.9") == 4  # a conversation, a turn, two messages
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["backup.gz"]
    label = verified(path)
    assert (label.version, label.postgres.split(".")[0]) == ("9.9", "18")
    named = [json.loads(line)["table"] for line in lines(path) if line.startswith('{"table"')]
    assert {"messages", "turns", "conversations", "votes"} <= set(named)
    assert not {"processes", "seats", "alembic_version", "procrastinate_jobs"} & set(named)
    assert named.index("conversations") < named.index("turns") < named.index("messages")


async def test_it_is_of_one_moment_while_others_write(record: Record, tmp_path: Path) -> None:
    await record.asked("first", channel=THREAD)
    path = tmp_path / "backup.gz"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%'"
    async with record.database.transaction() as holding:
        await holding.execute(text("LOCK TABLE people"))
        taking = asyncio.create_task(asyncio.to_thread(back_up, record.url, path, "1"))
        async with asyncio.timeout(10):
            while not await record.value(waiting):  # noqa: ASYNC110 — another connection is looked at
                await asyncio.sleep(0.01)
        await holding.execute(text("INSERT INTO people (platform, person_id) VALUES ('slack', 'late')"))
    await taking
    assert await record.value("SELECT count(*) FROM people") == 1
    assert not any("late" in line for line in lines(path))


async def test_another_file_is_never_overwritten(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    path.write_text("mine")
    with pytest.raises(BackupRefused, match="is there already"):
        back_up(record.url, path, "1")
    assert path.read_text() == "mine"
    assert names(tmp_path) == ["backup.gz"]


def test_where_nothing_can_be_written_or_read_it_says_so_and_leaves_nothing(
    tmp_path: Path, database_url: str, empty_database_url: str
) -> None:
    with pytest.raises(BackupRefused, match="cannot be written: No such file"):
        back_up(database_url, tmp_path / "none" / "backup.gz", "1")
    with pytest.raises(BackupRefused, match="no tables yet"):
        back_up(empty_database_url, tmp_path / "backup.gz", "1")
    with pytest.raises(StoreDown):
        back_up("postgresql://nobody@127.0.0.1:1/nothing", tmp_path / "backup.gz", "1")
    assert names(tmp_path) == []
