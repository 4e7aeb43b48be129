"""What the program's other commands do: a workspace erased, tables looked at, a backup taken and restored."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from bot.app import commands
from bot.cli import app
from bot.config import Settings, read_settings
from bot.errors import BackupRefused, SettingError, StoreDown
from bot.memory import migrations

FILLED = """
    INSERT INTO conversations (key, platform, workspace, place, kind)
    VALUES ('k', 'slack', 'T1', 'C1', 'open')
"""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_DATABASE_URL", database_url)
    monkeypatch.setenv("BOT_DATA_DIR", str(tmp_path / "data"))
    return read_settings()


async def test_a_workspace_is_erased_and_how_much_is_told(settings: Settings, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILLED)
        said: list[str] = []
        assert await commands.erase(settings, said.append, "Slack", "T1") == 0
        assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
    assert said == ["Erased for good: 1 conversations with 0 messages and 0 answers."]


async def test_an_unknown_workspace_and_an_unknown_platform_are_told(settings: Settings) -> None:
    said: list[str] = []
    assert await commands.erase(settings, said.append, "slack", "T9") == 1
    assert said == ["Nothing is kept of a workspace 'T9' on Slack."]
    with pytest.raises(SettingError, match="slack, discord, web, console"):
        await commands.erase(settings, said.append, "irc", "T9")


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_erased_without_a_clear_yes(settings: Settings, database_url: str, answer: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILLED)
        result = CliRunner().invoke(app, ["erase", "slack", "T1"], input=answer)
        assert result.exit_code == 1
        assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (1,)


async def test_the_tables_are_looked_at_and_left_as_they_are(
    settings: Settings, database_url: str, empty_database_url: str
) -> None:
    said: list[str] = []
    assert await commands.migrate_check(settings, said.append) == 0
    empty = settings.model_copy(update={"database_url": empty_database_url})
    assert await commands.migrate_check(empty, said.append) == 1
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await commands.migrate_check(settings, said.append) == 2
    newest, all_of_them = migrations.newest(), ", ".join(migrations.revisions())
    assert said == [
        f"The tables are up to date ({newest}).",
        f"The tables are not there yet. Pending: {all_of_them}. Run `bot migrate`.",
        f"The tables are at revision 9999; this program knows none after {newest}.",
    ]
    assert migrations.look(empty_database_url).current is None


async def test_a_database_that_is_away_is_told_and_not_waited_for(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://bot:hush@127.0.0.1:1/frontdesk"})
    path = tmp_path / "b.gz"
    for act in (
        partial(commands.migrate_check, away, print),
        partial(commands.backup, away, print, path),
    ):
        with pytest.raises(StoreDown) as down:
            await act()
        assert "\n" not in str(down.value)
        assert "hush" not in str(down.value)
    with pytest.raises(BackupRefused, match="No such file"):
        await commands.restored(away, print, path, replace=False)


async def test_a_backup_is_taken_and_restored_where_that_is_said(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    said: list[str] = []
    path = tmp_path / "b.gz"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILLED)
        assert await commands.backup(settings, said.append, path) == 0
        assert said == [f"1 rows are in {path}."]
        with pytest.raises(BackupRefused, match="not empty"):
            await commands.restored(settings, said.append, path, replace=False)
        connection.execute("UPDATE conversations SET place = 'C2'")
        assert await commands.restored(settings, said.append, path, replace=True) == 0
        assert connection.execute("SELECT place FROM conversations").fetchone() == ("C1",)
    assert "Restored what Frontdesk" in said[-1]
