"""Tells one person something: where only they see it, or in their direct messages."""

from __future__ import annotations

import structlog

from bot.adapters.slack.forms import form
from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Channel, ChannelKind
from bot.errors import PermissionMissing, PlatformError

log = structlog.get_logger()

NOTE_TYPE = "frontdesk_note"
CHARACTERS = 11_000  # of `markdown_text`, whose limit is 12,000


class Whispers:
    """Says things to people that are no answers, and that nobody else shall see."""

    def __init__(self, web: Web) -> None:
        """`web` is the workspace's."""
        self._web = web

    async def tell(self, channel: Channel, user: str, text: str, response_url: str = "") -> bool:
        """
        Tell a person, in the thread if the channel is one; False where it is refused everywhere.

        In a direct message everything is seen by that person alone. A `response_url` also works where the bot
        is no member. Raises `PlatformDown`.
        """
        text = text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"
        if channel.kind is ChannelKind.DIRECT and await self._say(channel.id, text, channel.root):
            return True
        if channel.kind is not ChannelKind.DIRECT and await self._whisper(channel, user, text):
            return True
        if response_url and await self._respond(response_url, text):
            return True
        return await self._say(user, text)

    async def _whisper(self, channel: Channel, user: str, text: str) -> bool:
        # In a thread nobody wrote in yet an ephemeral message would not be seen.
        thread = channel.root if channel.kind is ChannelKind.THREAD else None
        arguments = {"channel": channel.id, "user": user, "thread_ts": thread, **form(text)}
        return await self._tried("chat.postEphemeral", arguments)

    async def _say(self, channel: str, text: str, thread: str = "") -> bool:
        """Write a direct message; for a person's id Slack opens it by itself."""
        note = {"event_type": NOTE_TYPE, "event_payload": {}}
        where = {"channel": channel, "thread_ts": thread or None}
        return await self._tried("chat.postMessage", {**where, **form(text), "metadata": note})

    async def _respond(self, response_url: str, text: str) -> bool:
        try:
            await self._web.respond(response_url, form(text, blocks=True))
        except PlatformError as error:
            log.info("slack_whisper_refused", method="response_url", error=str(error))
            return False
        return True

    async def _tried(self, method: str, arguments: dict[str, object]) -> bool:
        try:
            await self._web.call(method, **arguments)
        except (Refused, PermissionMissing) as error:
            log.info("slack_whisper_refused", method=method, error=str(error))
            return False
        return True
