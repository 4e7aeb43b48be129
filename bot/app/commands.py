"""What the program's other commands do: chat, migrate, doctor, setup."""

from __future__ import annotations

import asyncio
import getpass
import locale
import os
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from rich.console import Console

from bot.adapters.terminal import Terminal
from bot.app.ground import Ground, migrated, opened
from bot.app.health import DatabaseCheck
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.app.running import Say, standing
from bot.config import Settings
from bot.dialogue import Author, Platform
from bot.doctor import Disk, examine, report
from bot.memory.history import HistoryShelf
from bot.ports import Checks


async def chat(settings: Settings, say: Say) -> int:
    """Talk in this terminal; answers by itself, and together with a `bot run` that is at work."""
    piped = not sys.stdin.isatty()
    console = Console()
    async with standing(settings, (Platform.CONSOLE,), _nothing if piped else say) as built:
        await built.ground.bell.listening.wait()
        terminal = Terminal(
            built.house.inbox.accept,
            built.house.transcripts,
            built.ground.words,
            Author(getpass.getuser(), getpass.getuser(), time_zone=_time_zone(), locale=language()),
            language(),
            console,
            built.ground.data_dir / "chat-history",
            sys.stdin if piped else None,
        )
        return await terminal.talk()


async def migrate(settings: Settings, say: Say) -> int:
    """Bring the tables up to date."""
    async with opened(settings, say) as ground:
        await migrated(ground.url)
    say("The tables are up to date.")
    return 0


async def doctor(settings: Settings, say: Say) -> int:
    """Look at every part; the exit code is 1 where something is wrong."""
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(opened(settings, say))
        checks = await _checks(settings, ground, stack, say)
        wrong = await report(examine(checks, ground.words, language()), Console())
    return 1 if wrong else 0


async def setup(settings: Settings) -> int:
    """Ask for the settings, one section after the other."""
    raise NotImplementedError


async def _checks(
    settings: Settings, ground: Ground, stack: AsyncExitStack, say: Say
) -> list[tuple[str, Checks]]:
    tongue = language()
    checks: list[tuple[str, Checks]] = [("database", DatabaseCheck(ground, tongue))]
    for backend in hosted_backends(settings.model):
        stack.push_async_callback(backend.close)
        checks.append((f"model {backend.name}", backend))
    if not settings.model.hosted:
        say("Starting the model on board …")
        on_board = on_board_backend(settings.model, ground)
        stack.push_async_callback(on_board.close)
        await on_board.open()
        checks.append((f"model {on_board.name}", on_board))
    slack = slack_adapter(settings.slack, ground.words)
    shelf = HistoryShelf(ground.database, ground.counter)
    discord = discord_adapter(settings.discord, shelf)
    for name, adapter in (("Slack", slack), ("Discord", discord)):
        if adapter is not None:
            stack.push_async_callback(adapter.close)
            checks.append((name, adapter))
    checks.append(("disk", Disk(ground.data_dir, ground.words, tongue)))
    return checks


def language() -> str:
    """Tell the language of this terminal, as a BCP 47 tag."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name, "").split(".")[0]:
            return value.replace("_", "-")
    return (locale.getlocale()[0] or "en").replace("_", "-")


def _time_zone() -> str:
    """Find the machine's time zone by its IANA name, where the system tells it."""
    if zone := os.environ.get("TZ", "").lstrip(":"):
        return zone
    target = os.path.realpath("/etc/localtime")
    _, found, name = target.partition("zoneinfo/")
    return name if found else ""


def _nothing(_text: str) -> None:
    """Say nothing."""


_ = asyncio, time, Callable
