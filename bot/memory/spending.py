"""What the answers of a day use up, a workspace; all answers of a workspace share the one row."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import structlog

from bot.errors import StoreDown
from bot.memory.database import Database

log = structlog.get_logger()

_SECONDS = 5.0
_KNOWN = 10_000  # conversations whose workspace is known by heart


class Spending:
    """
    Counts tokens and dollars, and writes them down all together when told to.

    A row that every answer wrote would make them wait for each other's commits. What was counted since the
    last `settle` is lost with a process that is killed.
    """

    def __init__(self, database: Database) -> None:
        """Nothing was counted yet."""
        self._database = database
        self._owed: dict[int, tuple[int, Decimal]] = {}
        self._workspaces: dict[int, tuple[str, str]] = {}

    async def today(self, conversation_id: int) -> int:
        """Say how many tokens the conversation's workspace has used since midnight UTC, as far as we know."""
        rows = await self._database.run(_SPENT, conversation=conversation_id)
        if not rows:
            return 0
        here = rows[0]["platform"], rows[0]["workspace"]
        if len(self._workspaces) >= _KNOWN:
            self._workspaces.clear()
        self._workspaces[conversation_id] = here
        owed = (tokens for one, (tokens, _) in self._owed.items() if self._workspaces.get(one) == here)
        return int(rows[0]["tokens"]) + sum(owed)

    def add(self, conversation_id: int, tokens: int, cost: Decimal | None = None) -> None:
        """Count to the workspace's day, whoever holds the conversation."""
        known_tokens, known_cost = self._owed.get(conversation_id, (0, Decimal(0)))
        self._owed[conversation_id] = (known_tokens + tokens, known_cost + (cost or 0))

    async def settle(self) -> None:
        """Write down what was counted; where the database is away it stays for the next time."""
        owed, self._owed = self._owed, {}
        if not owed:
            return
        try:
            async with asyncio.timeout(_SECONDS):
                await self._write(owed)
        except (StoreDown, TimeoutError) as error:
            log.warning("tokens_not_counted", conversations=len(owed), kind=type(error).__name__)
            for conversation_id, (tokens, cost) in owed.items():
                self.add(conversation_id, tokens, cost)

    async def _write(self, owed: Mapping[int, tuple[int, Decimal]]) -> None:
        tokens, costs = zip(*owed.values(), strict=True)
        await self._database.run(_SPEND, conversations=list(owed), tokens=list(tokens), costs=list(costs))


_SPENT = """
SELECT platform, workspace, coalesce(spending.tokens, 0) AS tokens
FROM (SELECT platform, workspace FROM conversations WHERE id = %(conversation)s) AS here
LEFT JOIN (SELECT * FROM spending WHERE day = (now() AT TIME ZONE 'UTC')::date) AS spending
    USING (platform, workspace)
"""

# In the workspaces' order, so that two processes that write at once cannot wait for each other in a ring.
_SPEND = """
INSERT INTO spending AS known (platform, workspace, day, tokens, cost)
SELECT platform, workspace, (now() AT TIME ZONE 'UTC')::date, sum(owed.tokens), sum(owed.cost)
FROM unnest(%(conversations)s::bigint[], %(tokens)s::bigint[], %(costs)s::numeric[])
    AS owed (id, tokens, cost)
JOIN conversations USING (id)
GROUP BY platform, workspace ORDER BY platform, workspace
ON CONFLICT (platform, workspace, day) DO UPDATE
SET tokens = known.tokens + excluded.tokens, cost = known.cost + excluded.cost
"""
