"""From an empty database to the tables the program expects."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.errors import SchemaBehind, StoreDown
from bot.memory import migrations
from bot.memory.migrations import FOLDER, check, newest, upgrade, upgrade_apart

ROOT = Path(__file__).resolve().parents[2]
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(TABLES).fetchone()  # type: ignore[arg-type,unused-ignore]
        assert row is not None
        return int(row[0])


def test_an_empty_database_is_behind_and_is_brought_forward(empty_database_url: str) -> None:
    with pytest.raises(SchemaBehind, match="bot migrate"):
        check(empty_database_url)
    upgrade(empty_database_url)
    check(empty_database_url)
    made = tables(empty_database_url)
    assert made > 10
    upgrade(empty_database_url)
    assert tables(empty_database_url) == made


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    program = "import sys; from bot.memory.migrations import upgrade; upgrade(sys.argv[1])"
    started = [Popen([sys.executable, "-c", program, empty_database_url], cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    check(empty_database_url)


def test_threads_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, [empty_database_url] * 3))
    check(empty_database_url)


def test_the_newest_revision_is_the_one_that_alembic_would_go_to() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()


def test_the_program_migrates_without_keeping_what_migrates(empty_database_url: str) -> None:
    program = (
        "import sys; from bot.memory.migrations import upgrade_apart; upgrade_apart(sys.argv[1]);"
        "assert 'alembic' not in sys.modules"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, empty_database_url], cwd=ROOT, timeout=60, check=True)
        check(empty_database_url)


def test_a_revision_that_fails_apart_is_not_passed_over(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE turns (id int)")
    with pytest.raises(SchemaBehind, match=r'up to date: relation "turns" already exists$'):
        upgrade_apart(empty_database_url)


def test_a_database_that_goes_away_during_a_migration_is_waited_for(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behind(url: str) -> None:
        raise SchemaBehind("behind")

    monkeypatch.setattr(migrations, "check", behind)
    with pytest.raises(StoreDown, match="cannot be reached"):
        upgrade_apart("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_revision_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE turns (id int)")  # in the way of ours
    with pytest.raises(Exception, match="turns"):
        upgrade(empty_database_url)
    assert tables(empty_database_url) == 1


@pytest.mark.parametrize("act", [check, upgrade, upgrade_apart])
def test_a_database_that_is_away_is_told(act: object) -> None:
    assert callable(act)
    with pytest.raises(StoreDown):
        act("postgresql://nobody@127.0.0.1:1/nothing")
