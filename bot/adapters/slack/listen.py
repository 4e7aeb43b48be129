"""Slack's events come in: each is kept before it is acknowledged, in the workspace that it belongs to."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.adapters.slack.absences import Absences
from bot.adapters.slack.errands import Errands
from bot.adapters.slack.events import removed, team_of
from bot.adapters.slack.hearing import Hearing, shown
from bot.adapters.slack.reading import moment
from bot.adapters.slack.teams import NotInstalled, Team, Teams
from bot.adapters.slack.web import Web, quiet
from bot.dialogue import Platform
from bot.errors import PlatformError, StoreError
from bot.ports import Door, Words

log = structlog.get_logger()

REMOVALS = frozenset({"app_uninstalled", "tokens_revoked"})


class Listener:
    """
    What Bolt calls for every envelope.

    Bolt acknowledges before its listeners run, so the work is done in the middleware that stands before
    its authorisation: a response of 200 becomes the ack, any other answer or an error leaves the
    envelope without one, and Slack delivers it again.
    """

    def __init__(
        self, web: Web, teams: Teams, door: Door, words: Words, gaps: Absences | None = None
    ) -> None:
        """All goes to the door, in each channel after what was missed there."""
        self._gaps = gaps
        self._teams = teams
        self._door = door
        self._words = words
        self._errands = Errands()
        self._hearings: weakref.WeakKeyDictionary[Team, Hearing] = weakref.WeakKeyDictionary()
        self.app = AsyncApp(
            client=web.client(),
            authorize=_nobody,
            logger=quiet("bolt"),
            before_authorize=self.keep,
            request_verification_enabled=False,
            ssl_check_enabled=False,
        )

    async def keep(
        self,
        body: dict[str, Any],
        request: AsyncBoltRequest,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        """Keep what the envelope tells; the parameters' names are Bolt's."""
        event = body.get("event")
        try:
            if isinstance(event, Mapping):
                await self._hear(event, body)
            else:
                hearing = await self._hearing(team_of(body))
                hearing.interact(body, "x-slack-retry-num" in request.headers)
        except ValueError:
            log.warning("slack_event_malformed", type=shown(_map(event).get("type")))
        except NotInstalled as error:
            # Acknowledged all the same: nobody could answer it, and Slack would only send it again.
            log.warning("slack_workspace_unknown", reason=str(error))
        except (StoreError, PlatformError) as error:
            log.warning("slack_message_not_kept", error=type(error).__name__, reason=str(error))
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def close(self) -> None:
        """Let what was begun after its acknowledgement come to its end."""
        await self._errands.finish()

    async def _hear(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        team = team_of(body)
        if removed(event):
            await self._leave(team, body)
        elif str(event.get("type")) not in REMOVALS:
            hearing = await self._hearing(team)
            await hearing.hear(event, team or hearing.team)

    async def _leave(self, team: str, body: Mapping[str, Any]) -> None:
        """Note that the bot was removed; the word of it may come late, when it is back already."""
        told = body.get("event_time")
        at = moment(str(told)) if told else datetime.now(UTC)
        if await self._teams.removed(team, at):
            await self._door.left(Platform.SLACK, team)
        else:
            log.info("slack_removal_outdated", workspace=team)

    async def _hearing(self, workspace: str) -> Hearing:
        team = await self._teams.of(workspace)
        hearing = self._hearings.get(team)
        if hearing is None:
            people = await team.people()
            gaps = await self._gaps.of(team) if self._gaps is not None else None
            hearing = Hearing(team.web, people, self._door, self._words, self._errands, gaps)
            self._hearings[team] = hearing
        return hearing


async def _nobody() -> AuthorizeResult:
    """Bolt wants to know who authorises; nothing goes on to where it would ask."""
    raise BoltError("nothing is authorised here")


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
