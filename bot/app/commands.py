"""What the program's other commands do: chat, setup, doctor, erase, and the care for the database."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bot import __version__
from bot.adapters.person import language_here, person_here
from bot.adapters.terminal import Terminal
from bot.app.ground import Ground, migrated, opened, reached
from bot.app.health import AsideCheck, DatabaseCheck, ProcessesCheck, TroublesCheck
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
from bot.memory import migrations
from bot.memory.backups import back_up, restore
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
    async with reached(settings, say) as url:
        await migrated(url, say)
    say("The tables are up to date.")
    return 0


async def migrate_check(settings: Settings, say: Say) -> int:
    """
    Say whether the tables are up to date, and change nothing.

    The exit code is 0 where they are, 1 where revisions are pending, 2 where they are newer than this program
    or cannot be reached.
    """
    async with reached(settings, say) as url:
        schema = await asyncio.to_thread(migrations.look, url)
    if schema.newer:
        newest = migrations.newest()
        say(f"The tables are at revision {schema.current}; this program knows none after {newest}.")
        return 2
    if schema.pending:
        there = f"at revision {schema.current}" if schema.current else "not there yet"
        say(f"The tables are {there}. Pending: {', '.join(schema.pending)}. Run `bot migrate`.")
        return 1
    say(f"The tables are up to date ({schema.current}).")
    return 0


async def backup(settings: Settings, say: Say, path: Path) -> int:
    """Write a backup, while the bot goes on."""
    async with reached(settings, say) as url:
        rows = await asyncio.to_thread(back_up, url, path, __version__)
    say(f"{rows:,} rows are in {path}.")
    return 0


async def restored(settings: Settings, say: Say, path: Path, replace: bool) -> int:
    """Put a backup into the database; the bot has to be stopped."""
    async with reached(settings, say) as url:
        label = await asyncio.to_thread(restore, url, path, replace=replace, tell=say)
    say(f"Restored what Frontdesk {label.version} kept at {label.taken_at}.")
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
    checks.append(("aside", AsideCheck(ground)))
    checks.append(("disk", Disk(ground.data_dir)))
    return checks
