"""Where the bot is installed: a row a workspace, its token encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import structlog
from psycopg.rows import DictRow

from bot.dialogue import Installation, Platform
from bot.errors import TokenRefused
from bot.memory.database import Database
from bot.memory.rows import storable
from bot.memory.sealing import Seal

log = structlog.get_logger()

STATE_SECONDS = 600


class Installations:
    """The workspaces of one platform that installed the bot by OAuth."""

    def __init__(self, database: Database, platform: Platform, seal: Seal) -> None:
        """`seal` encrypts the tokens."""
        self._database = database
        self._platform = platform
        self._seal = seal

    async def find(self, workspace: str) -> Installation | None:
        """
        Find a workspace's installation; None where there is none.

        Raises `TokenRefused` where its token was encrypted with a key that is not set any more.
        """
        rows = await self._database.run(_FIND, platform=self._platform, workspace=workspace)
        return self._read(rows[0]) if rows else None

    async def keep(self, installation: Installation) -> None:
        """Keep an installation in the place of an earlier one; its data is not to be erased any more."""
        told = {"workspace": installation.workspace, "name": storable(installation.name)}
        who = {"user_id": installation.user_id, "bot_id": installation.bot_id}
        seen = {"bot_name": storable(installation.bot_name), "url": storable(installation.url)}
        token = self._seal.close(installation.token)
        await self._database.run(_KEEP, platform=self._platform, token=token, **told, **who, **seen)
        log.info("workspace_installed", platform=str(self._platform), workspace=installation.workspace)

    async def remove(self, workspace: str, at: datetime) -> bool:
        """
        Remove what was installed before that moment; False where it was installed anew since.

        A platform tells of a removal more than once, and perhaps late.
        """
        here = {"platform": self._platform, "workspace": workspace}
        async with self._database.statements() as run:
            await run(_REMOVE, at=at, **here)
            return not await run(_FIND, **here)

    async def workspaces(self) -> Sequence[tuple[str, str]]:
        """List the ids and the names of the workspaces, by their names."""
        rows = await self._database.run(_LIST, platform=self._platform)
        return [(row["workspace"], row["name"]) for row in rows]

    async def close_anew(self) -> int:
        """Encrypt with the first key what was encrypted with an older one; return how many those were."""
        rows = await self._database.run(_TOKENS, platform=self._platform)
        old = [row for row in rows if self._seal.is_old(row["token"])]
        for row in old:
            token = self._seal.close(self._seal.open(row["token"]) or "")
            here = {"platform": self._platform, "workspace": row["workspace"]}
            await self._database.run(_CLOSE, **here, old=row["token"], token=token)
        if old:
            log.info("tokens_encrypted_anew", count=len(old))
        return len(old)

    def invite(self) -> str:
        """Make a state for one installation."""
        return self._seal.mark()

    async def admit(self, state: str) -> bool:
        """Say whether the state is ours, younger than ten minutes and used for the first time."""
        number = self._seal.read_mark(state, STATE_SECONDS)
        return number is not None and bool(await self._database.run(_USE, state=number))

    def _read(self, row: DictRow) -> Installation:
        token = self._seal.open(row["token"])
        if token is None:
            raise TokenRefused(
                f"the token of the workspace {row['workspace']} was encrypted with a key that is not set: "
                "put that key behind the others in BOT_SECRETS__KEY, or install the bot there again"
            )
        names = ("workspace", "name", "user_id", "bot_id", "bot_name", "url")
        return Installation(token=token, **{name: row[name] for name in names})


_FIND: LiteralString = """
SELECT * FROM installations WHERE platform = %(platform)s AND workspace = %(workspace)s
"""

# A workspace that left and is back keeps what is kept of it.
_KEEP: LiteralString = """
WITH back AS (
    UPDATE workspaces SET left_at = NULL WHERE platform = %(platform)s AND workspace = %(workspace)s
)
INSERT INTO installations (platform, workspace, name, token, user_id, bot_id, bot_name, url)
VALUES (%(platform)s, %(workspace)s, %(name)s, %(token)s, %(user_id)s, %(bot_id)s, %(bot_name)s, %(url)s)
ON CONFLICT (platform, workspace) DO UPDATE
SET name = excluded.name, token = excluded.token, user_id = excluded.user_id, bot_id = excluded.bot_id,
    bot_name = excluded.bot_name, url = excluded.url, installed_at = now()
"""

# The platform's clock and ours may differ a little.
_REMOVE: LiteralString = """
DELETE FROM installations WHERE platform = %(platform)s AND workspace = %(workspace)s
AND installed_at <= %(at)s::timestamptz + interval '5 seconds'
"""

_LIST: LiteralString = """
SELECT workspace, name FROM installations WHERE platform = %(platform)s ORDER BY name, workspace
"""

_TOKENS: LiteralString = "SELECT workspace, token FROM installations WHERE platform = %(platform)s"

_CLOSE: LiteralString = """
UPDATE installations SET token = %(token)s
WHERE platform = %(platform)s AND workspace = %(workspace)s AND token = %(old)s
"""

_USE: LiteralString = """
WITH swept AS (DELETE FROM oauth_states WHERE used_at < now() - interval '1 day')
INSERT INTO oauth_states (state) VALUES (%(state)s) ON CONFLICT DO NOTHING RETURNING state
"""
