"""What is known of whole workspaces: how answers shall stand there, in what language, and that we left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Channel, Platform
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.models import workspaces

log = structlog.get_logger()

_FRESH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What a workspace chose: where answers stand ("" for the platform's own way), and its language."""

    answers: str = ""
    language: str = ""


class Workspaces:
    """The workspaces' choices."""

    def __init__(self, database: Database) -> None:
        """What another process changed is seen after half a minute at the latest."""
        self._database = database
        self._known: dict[tuple[Platform, str], tuple[float, WorkspaceSettings]] = {}

    async def settings(self, platform: Platform, workspace: str) -> WorkspaceSettings:
        """Tell what a workspace chose."""
        read_at, known = self._known.get((platform, workspace), (0.0, WorkspaceSettings()))
        if read_at and time.monotonic() - read_at < _FRESH_SECONDS:
            return known
        found = sa.select(workspaces.c.answers, workspaces.c.language).where(_is(platform, workspace))
        async with self._database.transaction() as connection:
            row = (await connection.execute(found)).first()
        known = WorkspaceSettings(*row) if row is not None else WorkspaceSettings()
        self._known[platform, workspace] = (time.monotonic(), known)
        return known

    async def change(
        self, platform: Platform, workspace: str, *, answers: str | None = None, language: str | None = None
    ) -> WorkspaceSettings:
        """Keep what a workspace chooses; what is None stays as it is."""
        given = {"answers": answers, "language": language}
        chosen = {name: value for name, value in given.items() if value is not None}
        async with self._database.transaction() as connection:
            await _upsert(connection, platform, workspace, chosen)
        self._known.pop((platform, workspace), None)
        return await self.settings(platform, workspace)

    async def left(self, platform: Platform, workspace: str) -> None:
        """Note that the bot was removed from a workspace; said twice, the first time counts."""
        moment = sa.func.coalesce(workspaces.c.left_at, sa.func.now())
        async with self._database.transaction() as connection:
            await _upsert(connection, platform, workspace, {"left_at": sa.func.now()}, {"left_at": moment})
        log.info("workspace_left", platform=str(platform), workspace=workspace)


async def returned(run: Run, channel: Channel) -> None:
    """Note that the bot is in a workspace again, so that its data is kept."""
    here = {"platform": channel.platform, "workspace": channel.workspace}
    await run(_RETURNED, **here)
    log.info("workspace_returned", platform=str(channel.platform), workspace=channel.workspace)


_RETURNED = """
UPDATE workspaces SET left_at = NULL WHERE platform = %(platform)s AND workspace = %(workspace)s
"""


def _is(platform: Platform, workspace: str) -> sa.ColumnElement[bool]:
    return (workspaces.c.platform == platform) & (workspaces.c.workspace == workspace)


async def _upsert(
    connection: AsyncConnection,
    platform: Platform,
    workspace: str,
    values: Mapping[str, object],
    changed: Mapping[str, object] | None = None,
) -> None:
    if not values:
        return
    statement = insert(workspaces).values(platform=platform, workspace=workspace, **values)
    names = ["platform", "workspace"]
    await connection.execute(
        statement.on_conflict_do_update(index_elements=names, set_=dict(changed or values))
    )
