"""From an empty database to the tables the program expects."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import psycopg
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.errors import SchemaAhead, SchemaBehind, StoreDown
from bot.memory import migrations
from bot.memory.migrations import FOLDER, Schema, check, look, newest, revisions, upgrade, upgrade_apart

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
    monkeypatch.setattr(migrations, "look", lambda _: Schema(None, ("0001",)))
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


def test_newer_tables_refuse_a_start_and_let_a_running_process_go_on(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    assert look(empty_database_url) == Schema("9999", ())
    assert look(empty_database_url).newer
    check(empty_database_url)
    with pytest.raises(SchemaAhead, match=rf"revision 9999, and this program knows none after {newest()}: "):
        upgrade_apart(empty_database_url)
    assert look(empty_database_url).current == "9999"


def test_what_is_pending_is_named_and_nothing_changed(empty_database_url: str) -> None:
    assert look(empty_database_url) == Schema(None, revisions())
    assert tables(empty_database_url) == 0
    upgrade(empty_database_url, "0002")
    assert look(empty_database_url) == Schema("0002", revisions()[2:])


def test_each_revision_is_committed_by_itself_and_a_failing_one_is_begun_again(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE seats (id int)")  # in the way of the third revision
    with pytest.raises(sa.exc.ProgrammingError, match="seats"):
        upgrade(empty_database_url)
    assert look(empty_database_url).current == "0002"
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("DROP TABLE seats")
    told: list[str] = []
    upgrade(empty_database_url, tell=told.append)
    check(empty_database_url)
    assert told == [f"Tables: revision {one} is in." for one in revisions()[2:]]


def test_a_first_start_tells_one_line_and_an_update_each_revision(empty_database_url: str) -> None:
    told: list[str] = []
    upgrade_apart(empty_database_url, told.append)
    assert told == ["Making the tables …"]


def test_a_long_transaction_delays_a_migration_and_nobody_behind_it(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_LOCK_SECONDS", 0.1)
    upgrade(empty_database_url, "0001")
    told: list[str] = []
    waits = threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        waits.set()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(empty_database_url) as long:
        long.execute("SELECT * FROM messages")  # and does not end
        migrating = pool.submit(upgrade, empty_database_url, "head", tell)
        assert waits.wait(20)
        with psycopg.connect(empty_database_url, autocommit=True) as other:
            other.execute("SET lock_timeout = '5s'")
            other.execute("DELETE FROM messages")  # not queued behind the migration for long
        long.commit()
        migrating.result(60)
    check(empty_database_url)
    assert told[0].startswith("Tables: another transaction is in the way")


def test_a_migration_that_is_never_let_in_gives_up_with_a_cure(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_LOCK_SECONDS", 0.1)
    upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url) as long:
        long.execute("SELECT * FROM messages")
        with pytest.raises(SchemaBehind, match="long transaction"):
            upgrade(empty_database_url, patience=0.0)
    assert look(empty_database_url).current == "0001"


def test_an_index_that_broke_off_is_made_anew(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0003")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE INDEX turns_prune_index ON turns (id)")  # as a half made one would stand
    upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        made = "SELECT indexdef FROM pg_indexes WHERE indexname = 'turns_prune_index'"
        row = connection.execute(made).fetchone()
    assert row is not None
    assert "finished_at" in row[0]
