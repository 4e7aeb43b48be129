"""Slack's roles: the user groups that people are in, looked up once in a while."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import structlog

from bot.adapters.slack.web import Web
from bot.errors import PlatformError

log = structlog.get_logger()

# Together with the look-up of names less than the three seconds in which Slack wants its ack.
PATIENCE_SECONDS = 0.9
KEPT_SECONDS = 600.0
FAILED_SECONDS = 60.0


class Groups:
    """
    Who is in which user group, asked for all at once and kept for ten minutes.

    A look-up that fails or takes too long is logged and not tried again for a minute; what was known
    before stays. Without any, messages go on as of people without roles: a list of roles that are let in
    keeps closed then, and one of roles that are kept out keeps nobody out.
    """

    def __init__(self, web: Web, patience: float = PATIENCE_SECONDS, kept: float = KEPT_SECONDS) -> None:
        """Nothing is asked before the first message; `kept` is in seconds."""
        self._web = web
        self._patience = patience
        self._kept = kept
        self._roles: Mapping[str, tuple[str, ...]] = {}
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    async def roles_of(self, user: str) -> tuple[str, ...]:
        """Name the groups a person is in, each by its id and its handle."""
        async with self._asking:
            if _now() >= self._good_until:
                await self._ask()
        return self._roles.get(user, ())

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._web.read("usergroups.list", include_users=True)
        except (PlatformError, TimeoutError) as error:
            log.warning("slack_groups_unknown", error=type(error).__name__)
            self._good_until = _now() + FAILED_SECONDS
        else:
            self._roles = _roles(answer.get("usergroups"))
            self._good_until = _now() + self._kept


def _roles(groups: Any) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for group in groups if isinstance(groups, list) else ():
        names = tuple(str(group[name]) for name in ("id", "handle") if group.get(name))
        for user in group.get("users") or ():
            found[str(user)] += names
    return dict(found)


def _now() -> float:
    return asyncio.get_running_loop().time()
