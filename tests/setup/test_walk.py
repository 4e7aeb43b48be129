"""The walk through `bot setup`, with scripted answers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from bot.catalogue import Catalogue
from bot.config import Settings
from bot.dialogue import Finding
from bot.errors import SettingError
from bot.memory.sealing import Seal
from bot.setup import EnvFile, Setup
from bot.setup.sections import DISCORD, MODEL, SLACK

WORDS = Catalogue()
INVITE = "https://discord.com/oauth2/authorize?client_id=7&scope=bot"
SMALL, OPENAI, SERVER, FILE = "small model", "OpenAI", "Another", "GGUF"
CONNECT, LATER, LEAVE, REMOVE = "Connect", "Not now", "Leave", "Disconnect"
AGAIN, KEEP = "Correct", "Keep"


class Person:
    """Gives the scripted answers in order: an option by its first words, a line as it is."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def text(self, question: str, default: str = "") -> str:
        self.asked.append(f"{question} [{default}]")
        return self._next() or default

    def secret(self, question: str) -> str:
        self.asked.append(question)
        return self._next()

    def choice(self, question: str, options: Sequence[str], default: int) -> int:
        wanted = self._next()
        if not wanted:
            return default
        return next(number for number, option in enumerate(options) if wanted in option)

    def _next(self) -> str:
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


class World:
    """What the tokens are tried on: all works but what is listed as wrong."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = set(wrong)
        self.tried: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, section: str, values: Mapping[str, str]) -> AsyncIterator[Finding]:
        self.tried.append((section, dict(values)))
        bad = self.wrong & set(values.values())
        if "raise" in bad:
            raise SettingError("BOT_MODEL__NAME: no such thing")
        yield Finding(
            section, not bad, "refused" if bad else "connected", INVITE if section == "discord" else ""
        )


class Walk:
    """One run of setup in a folder, and what came of it."""

    def __init__(self, folder: Path, *answers: str, terminal: bool = True) -> None:
        self.file = folder / ".env"
        self.person = Person(*answers)
        self.screen = io.StringIO()
        self.console = Console(file=self.screen, force_terminal=terminal, width=200, color_system=None)

    def run(self, world: World | None = None, **environment: str) -> int:
        self.world = world or World()
        setup = Setup(
            EnvFile(self.file), self.world, self.person, WORDS, "en", self.console, environment=environment
        )
        return setup.run()

    @property
    def shown(self) -> str:
        return self.screen.getvalue()

    @property
    def written(self) -> dict[str, str]:
        return EnvFile(self.file).values()


def test_all_three_are_asked_tested_and_written(tmp_path: Path) -> None:
    walk = Walk(tmp_path, OPENAI, "sk-1", "gpt-x", CONNECT, "xoxb-1", "xapp-1", CONNECT, "discord-1")
    assert walk.run() == 0
    assert walk.written == {
        "BOT_MODEL__API_KEY": "sk-1",
        "BOT_MODEL__NAME": "gpt-x",
        "BOT_SLACK__BOT_TOKEN": "xoxb-1",
        "BOT_SLACK__APP_TOKEN": "xapp-1",
        "BOT_DISCORD__TOKEN": "discord-1",
    }
    assert [section for section, _ in walk.world.tried] == ["model", "slack", "discord"]
    assert f"Invite the bot to your Discord server: {INVITE}" in walk.shown
    assert "make run" in walk.shown


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "BOT_MODEL__API_KEY=sk-hush\nBOT_MODEL__NAME=m\nBOT_DISCORD__TOKEN=hush-2\n"
    )
    walk = Walk(tmp_path, OPENAI, "", "", CONNECT, "hush-3", "xoxb-hush", "xapp-hush", CONNECT, "")
    assert walk.run() == 0
    assert walk.written["BOT_MODEL__API_KEY"] == "sk-hush"
    assert "hush" not in walk.shown + "".join(walk.person.asked)


def test_enter_keeps_what_is_there(tmp_path: Path) -> None:
    before = "BOT_MODEL__BASE_URL=http://127.0.0.1:1/v1\nBOT_MODEL__NAME=m\nBOT_DISCORD__TOKEN=d\n# mine\n"
    (tmp_path / ".env").write_text(before)
    walk = Walk(tmp_path, "", LATER, "")
    assert walk.run() == 0
    assert (tmp_path / ".env").read_text() == before
    assert walk.world.tried == []


def test_a_wrong_token_can_be_corrected_without_typing_the_other_again(tmp_path: Path) -> None:
    walk = Walk(tmp_path, SMALL, CONNECT, "xoxb-bad", "xapp-1", AGAIN, CONNECT, "xoxb-good", "", LATER)
    assert walk.run(World("xoxb-bad")) == 0
    assert walk.written == {"BOT_SLACK__BOT_TOKEN": "xoxb-good", "BOT_SLACK__APP_TOKEN": "xapp-1"}
    assert "✗ Slack  refused" in walk.shown
    assert "✓ Slack  connected" in walk.shown


def test_what_fails_its_test_can_be_left_or_kept_all_the_same(tmp_path: Path) -> None:
    walk = Walk(tmp_path, SMALL, CONNECT, "xoxb-bad", "xapp-1", LEAVE, CONNECT, "bad", KEEP)
    assert walk.run(World("xoxb-bad", "bad")) == 0
    assert walk.written == {"BOT_DISCORD__TOKEN": "bad"}


def test_a_right_discord_token_is_kept_by_enter_though_the_bot_is_in_no_server_yet(tmp_path: Path) -> None:
    async def lonely(section: str, values: Mapping[str, str]) -> AsyncIterator[Finding]:
        yield Finding("Discord token", True, "it belongs to frontdesk")
        yield Finding("Discord servers", False, "the bot is in none", f"Invite it: {INVITE}")

    walk = Walk(tmp_path, LATER, LATER, CONNECT, "discord-1", "")
    setup = Setup(EnvFile(walk.file), lonely, walk.person, WORDS, "en", walk.console, environment={})
    assert setup.run() == 0
    assert walk.written == {"BOT_DISCORD__TOKEN": "discord-1"}
    assert f"server: {INVITE}" in walk.shown


def test_a_setting_that_the_program_refuses_is_told_like_any_other_fault(tmp_path: Path) -> None:
    walk = Walk(tmp_path, OPENAI, "sk-1", "raise", LEAVE, LATER, LATER)
    assert walk.run(World("raise")) == 0
    assert "BOT_MODEL__NAME: no such thing" in walk.shown
    assert walk.written == {}


def test_another_way_to_have_a_model_takes_the_first_one_away(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "BOT_MODEL__BASE_URL=http://h/v1\nBOT_MODEL__API_KEY=k\nBOT_MODEL__NAME=m\n"
    )
    model = tmp_path / "own.gguf"
    model.write_bytes(b"GGUF")
    walk = Walk(tmp_path, FILE, str(tmp_path / "absent.gguf"), f" '{model}' ", LATER, LATER)
    assert walk.run() == 0
    assert walk.written == {"BOT_MODEL__PATH": str(model)}
    assert "There is no file" in walk.shown


def test_a_server_needs_an_address_and_may_need_no_key(tmp_path: Path) -> None:
    walk = Walk(tmp_path, SERVER, "localhost:8000", "http://localhost:8000/v1", "", "", "qwen", LATER, LATER)
    assert walk.run() == 0
    assert walk.written == {"BOT_MODEL__BASE_URL": "http://localhost:8000/v1", "BOT_MODEL__NAME": "qwen"}
    assert "localhost:8000 is no address" in walk.shown
    assert "This one is needed; Ctrl-C leaves." in walk.shown


def test_a_dash_takes_a_value_away(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "BOT_MODEL__BASE_URL=http://h/v1\nBOT_MODEL__API_KEY=k\nBOT_MODEL__NAME=m\n"
    )
    walk = Walk(tmp_path, SERVER, "", "-", "", LATER, LATER)
    assert walk.run() == 0
    assert walk.written == {"BOT_MODEL__BASE_URL": "http://h/v1", "BOT_MODEL__NAME": "m"}


def test_slack_can_be_reached_by_signed_http_in_place_of_a_socket(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BOT_SLACK__BOT_TOKEN=xoxb-1\nBOT_SLACK__APP_TOKEN=xapp-1\n")
    walk = Walk(tmp_path, LATER, "signed HTTP", "", "secret-1", LATER)
    assert walk.run() == 0
    assert walk.written == {"BOT_SLACK__BOT_TOKEN": "xoxb-1", "BOT_SLACK__SIGNING_SECRET": "secret-1"}


def test_for_several_workspaces_a_key_is_made_and_stays_where_slack_goes(tmp_path: Path) -> None:
    walk = Walk(
        tmp_path, LATER, "Several", "1.2", "hush-1", "hush-2", "bot.example", "https://bot.example", "", LATER
    )
    assert walk.run() == 0
    key = walk.written["BOT_SECRETS__KEY"]
    assert Seal([key]).open(Seal([key]).close("x")) == "x"
    assert walk.written == {
        "BOT_SLACK__CLIENT_ID": "1.2",
        "BOT_SLACK__CLIENT_SECRET": "hush-1",
        "BOT_SLACK__SIGNING_SECRET": "hush-2",
        "BOT_WEB__PUBLIC_URL": "https://bot.example",
        "BOT_SECRETS__KEY": key,
    }
    assert key not in walk.shown
    again = Walk(tmp_path, LATER, "Several", "", "", "", "", "", LATER)
    assert again.run() == 0
    assert again.written == walk.written
    gone = Walk(tmp_path, LATER, REMOVE, LATER)
    assert gone.run() == 0
    assert gone.written == {"BOT_WEB__PUBLIC_URL": "https://bot.example", "BOT_SECRETS__KEY": key}
    assert Walk(tmp_path, LATER, LATER, LATER).run() == 0  # what is left is no connection to Slack


def test_slack_can_be_disconnected(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FOO=1\nBOT_SLACK__BOT_TOKEN=xoxb-1\nBOT_SLACK__APP_TOKEN=xapp-1\n")
    walk = Walk(tmp_path, LATER, REMOVE, LATER)
    assert walk.run() == 0
    assert walk.written == {"FOO": "1"}


def test_tokens_in_each_others_place_are_noticed_before_any_test(tmp_path: Path) -> None:
    walk = Walk(tmp_path, LATER, CONNECT, "xapp-1", "xoxb-1", "xoxb-1", "xapp-1", LATER)
    assert walk.run() == 0
    assert "begins with xoxb-" in walk.shown
    assert "begins with xapp-" in walk.shown
    assert len(walk.world.tried) == 1


def test_leaving_in_the_middle_keeps_what_was_confirmed(tmp_path: Path) -> None:
    walk = Walk(tmp_path, OPENAI, "sk-1", "m", CONNECT, "xoxb-1")
    assert walk.run() == 1
    assert walk.written == {"BOT_MODEL__API_KEY": "sk-1", "BOT_MODEL__NAME": "m"}
    assert "Left." in walk.shown


def test_what_the_environment_overrules_is_said(tmp_path: Path) -> None:
    walk = Walk(tmp_path, SMALL, LATER, CONNECT, "n3wt0k3n")
    assert walk.run(BOT_DISCORD__TOKEN="old", OPENAI_API_KEY="sk") == 0
    assert "BOT_DISCORD__TOKEN" in walk.shown
    assert "OPENAI_API_KEY" in walk.shown
    assert "n3wt0k3n" not in walk.shown


def test_without_a_terminal_it_says_so_and_asks_nothing(tmp_path: Path) -> None:
    walk = Walk(tmp_path, terminal=False)
    assert walk.run() == 1
    assert "needs a terminal" in walk.shown
    assert ".env.example" in walk.shown


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    walk = Walk(tmp_path, SMALL, CONNECT, "xoxb-1", "xapp-1", LATER)
    walk.file = tmp_path / "file" / ".env"
    assert walk.run() == 1
    assert "cannot be written" in walk.shown


@pytest.mark.parametrize("section", [MODEL, SLACK, DISCORD], ids=lambda section: section.name)
def test_it_asks_only_for_settings_that_exist(section: object) -> None:
    for name in section.names:  # type: ignore[attr-defined]
        part, _, leaf = name.removeprefix("BOT_").lower().partition("__")
        assert leaf in type(getattr(Settings.model_construct(), part)).model_fields
