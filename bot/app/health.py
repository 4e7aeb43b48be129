"""What `bot doctor` sees of the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import sqlalchemy as sa

from bot.app.ground import Ground
from bot.dialogue import Finding
from bot.errors import SchemaBehind, StoreDown
from bot.memory import migrations


class DatabaseCheck:
    """Looks whether the database answers, and whether its tables are what the program expects."""

    def __init__(self, ground: Ground, language: str) -> None:
        """The findings are told in `language`."""
        self._ground = ground
        self._language = language

    async def check(self) -> AsyncIterator[Finding]:
        """Look at the connection, then at the revision of the tables."""
        words, language = self._ground.words, self._language
        subject = words.say("doctor-database", language)
        begun = time.monotonic()
        try:
            async with self._ground.database.transaction() as connection:
                version = await connection.scalar(sa.text("SHOW server_version"))
        except StoreDown as error:
            cure = words.say("doctor-database-cure", language)
            yield Finding(subject, False, str(error), cure)
            return
        milliseconds = round((time.monotonic() - begun) * 1000)
        text = words.say("doctor-database-well", language, version=version, milliseconds=milliseconds)
        yield Finding(subject, True, text)
        yield await self._tables()

    async def _tables(self) -> Finding:
        words, language = self._ground.words, self._language
        subject = words.say("doctor-tables", language)
        try:
            await asyncio.to_thread(migrations.check, self._ground.url)
        except SchemaBehind as error:
            return Finding(subject, False, str(error), words.say("doctor-tables-cure", language))
        return Finding(subject, True, words.say("doctor-tables-well", language))
