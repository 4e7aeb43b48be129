"""What the program's other commands do: chat, migrate, doctor, setup."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bot.adapters.person import language_here, person_here
from bot.adapters.terminal import Terminal
from bot.app.ground import Ground, migrated, opened
from bot.app.health import DatabaseCheck, ProcessesCheck, TroublesCheck
from bot.app.installing import installing
from bot.app.parts import discord_adapter, hosted_backends, on_board_backend, slack_adapter
from bot.app.roles import Role
from bot.app.running import Say, standing
from bot.app.trying import tried
from bot.catalogue import Catalogue
from bot.config import Settings
from bot.dialogue import Platform
from bot.doctor import Disk, diagnose
from bot.errors import SettingError
from bot.memory.erasing import Erasing
from bot.memory.history import HistoryShelf
from bot.memory.workspaces import Workspaces
from bot.ports import Checks
from bot.setup import EnvFile, Setup
from bot.setup import Terminal as AskTerminal


async def chat(settings: Settings, say: Say) -> int:
    """Talk in this terminal; answers by itself, and together with a `bot run` that is at work."""
    piped = not sys.stdin.isatty()
    console = Console()
    async with standing(settings, (Platform.CONSOLE,), say, roles=[Role.WORKER]) as built:
        await built.ground.bell.listening.wait()
        terminal = Terminal(
            built.house.door,
            built.house.transcripts,
            built.ground.words,
            person_here(os.environ),
            language_here(os.environ),
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
        ground = await stack.enter_async_context(opened(settings, say, looking=True))
        checks = await _checks(settings, ground, stack, say)
        return await diagnose(checks, ground.words, language_here(os.environ), Console())


async def erase(settings: Settings, say: Say, platform: str, workspace: str) -> int:
    """Erase all that is kept of a workspace, at once; the exit code is 1 where nothing is known of it."""
    try:
        chosen = Platform(platform.lower())
    except ValueError:
        names = ", ".join(known for known in Platform)
        raise SettingError(f"There is no platform {platform!r}; those there are: {names}") from None
    async with opened(settings, say) as ground:
        erased = await Erasing(ground.database).workspace(chosen, workspace)
    if erased is None:
        say(f"Nothing is kept of a workspace {workspace!r} on {chosen.capitalize()}.")
        return 1
    say(
        f"Erased for good: {erased.conversations} conversations with {erased.messages} messages "
        f"and {erased.answers} answers."
    )
    return 0


def setup() -> int:
    """
    Ask for the settings, one section after the other, and write `.env`.

    It reads no settings itself: a broken file is what it is there to mend.
    """
    console = Console()
    language = language_here(os.environ)
    ask = AskTerminal(console)
    return Setup(EnvFile(Path(".env")), tried, ask, Catalogue(), language, console, os.environ).run()


async def _checks(
    settings: Settings, ground: Ground, stack: AsyncExitStack, say: Say
) -> list[tuple[str, Checks]]:
    checks: list[tuple[str, Checks]] = [("database", DatabaseCheck(ground))]
    for backend in hosted_backends(settings.model):
        stack.push_async_callback(backend.close)
        checks.append((f"model {backend.name}", backend))
    if not settings.model.hosted:
        say("Starting the model on board …")
        on_board = on_board_backend(settings.model, ground.data_dir)
        stack.push_async_callback(on_board.close)
        await on_board.open()
        checks.append((f"model {on_board.name}", on_board))
    slack = slack_adapter(settings.slack, ground.words, installing=installing(settings, ground))
    shelf = HistoryShelf(ground.database, ground.counter)
    discord = discord_adapter(settings.discord, shelf, ground.words, Workspaces(ground.database))
    for name, adapter in (("Slack", slack), ("Discord", discord)):
        if adapter is not None:
            stack.push_async_callback(adapter.close)
            checks.append((name, adapter))
    checks.append(("posts", TroublesCheck(ground)))
    checks.append(("processes", ProcessesCheck(ground)))
    checks.append(("disk", Disk(ground.data_dir)))
    return checks
