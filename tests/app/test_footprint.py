"""What a running program does not load: what it has no use for takes no memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEEN = "; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}{SEEN}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


def test_the_program_loads_no_platform_that_is_not_set_up_and_nothing_of_other_commands() -> None:
    found = loaded("import bot.app.serving")
    unused = {"discord", "slack_bolt", "alembic", "numpy", "PIL", "pypdfium2", "prompt_toolkit"}
    assert not found & (unused | {"opentelemetry", "google", "requests"})


@pytest.mark.parametrize(
    ("adapter", "without"),
    [
        ("SlackSettings(bot_token='xoxb-1', app_token='xapp-1'), None", "discord"),
        ("None, DiscordSettings(token='t')", "slack_bolt"),
    ],
)
def test_a_platform_does_not_load_the_other(adapter: str, without: str) -> None:
    program = f"""
from bot.app import parts
from bot.config import DiscordSettings, SlackSettings
slack, discord = {adapter}
if slack: assert parts.slack_adapter(slack, None)
if discord: assert parts.discord_adapter(discord, None, None, None)
"""
    found = loaded(f"exec({program!r})")
    assert without not in found
    assert {"discord", "slack_bolt"} - {without} <= found
