"""What everything stands on: the data folder, Postgres, the tables, the token counter, the words."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.catalogue import Catalogue
from bot.catalogue.language import prepare
from bot.config import Settings
from bot.errors import SettingError, StoreDown
from bot.generation.tokens import TiktokenCounter
from bot.memory import migrations
from bot.memory.bell import Bell
from bot.memory.database import Database, plain_url
from bot.memory.server import EmbeddedPostgres

log = structlog.get_logger()

Say = Callable[[str], None]

_PAUSES = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """The opened ground; `url` is the database's address as libpq wants it."""

    data_dir: Path
    url: str
    database: Database
    bell: Bell
    counter: TiktokenCounter
    words: Catalogue


@asynccontextmanager
async def opened(
    settings: Settings, say: Say = lambda _: None, *, looking: bool = False
) -> AsyncIterator[Ground]:
    """
    Open the ground, migrate, and give all back at the end; the last process to leave stops Postgres.

    A given database that does not answer is waited for; `looking` only leaves it alone, since it may be
    what is wrong. `say` is told what takes a moment.
    """
    data_dir = made_folder(settings.data_dir)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(reached(settings, say))
        if not (looking and settings.database_url):
            await migrated(url, say)
        database = Database(url)
        stack.push_async_callback(database.close)
        counter = await asyncio.to_thread(_read, data_dir)
        yield Ground(data_dir, url, database, Bell(url), counter, Catalogue())


@asynccontextmanager
async def reached(settings: Settings, say: Say = lambda _: None) -> AsyncIterator[str]:
    """Give the database's address; where none is set, the embedded one's, which runs at least so long."""
    if settings.database_url:
        yield plain_url(settings.database_url)
        return
    say("Starting the database …")
    server = EmbeddedPostgres(made_folder(settings.data_dir))
    url = await server.start()
    watching = asyncio.create_task(server.watch())
    try:
        yield url
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await server.stop()


def made_folder(folder: Path) -> Path:
    """Make the data folder, readable by us alone; raises `SettingError` where that fails."""
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingError(f"BOT_DATA_DIR: {folder} cannot be made: {reason}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingError(f"BOT_DATA_DIR: {folder} cannot be written to; choose another folder")
    return folder


async def migrated(url: str, say: Say = lambda _: None) -> None:
    """Bring the tables up to date, waiting for a database that does not answer yet."""
    tries = 0
    while True:
        try:
            await asyncio.to_thread(migrations.upgrade_apart, url, say)
        except StoreDown as error:
            if not tries:
                say("The database does not answer; waiting for it (BOT_DATABASE_URL, Ctrl-C gives up) …")
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            log.warning("database_awaited", reason=str(error).split("\n", 1)[0], again_in=pause)
            await asyncio.sleep(pause)
            tries += 1
        else:
            return


def _read(data_dir: Path) -> TiktokenCounter:
    """Read what tells languages and counts tokens; the first start unpacks both, which takes a second."""
    try:
        prepare(data_dir / "languages")
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingError(f"BOT_DATA_DIR: {data_dir} cannot be written ({reason})") from error
    return TiktokenCounter(data_dir / "vocabulary")
