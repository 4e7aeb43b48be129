"""What the program's other commands do: a workspace erased at once."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from bot.app import commands
from bot.cli import app
from bot.config import Settings, read_settings
from bot.errors import SettingError

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
