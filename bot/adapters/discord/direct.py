"""What the bot tells one person in their direct messages."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.adapters.discord.rest import Rest
from bot.dialogue import Channel, ChannelKind, Platform
from bot.errors import PostRefused

log = structlog.get_logger()

_SUPPRESS_EMBEDS = 1 << 2


@dataclass(frozen=True, slots=True)
class DirectPost:
    """A post in somebody's direct messages."""

    channel: Channel
    message_id: str

    @property
    def link(self) -> str:
        """Its address."""
        return link_to("", self.channel.id, self.message_id)


def link_to(guild_id: str, channel_id: str, message_id: str) -> str:
    """Say the address of a message; "" is the guild of direct messages."""
    return f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}/{message_id}"


class Direct:
    """Posts in direct messages, to those who take them."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def post(self, person_id: str, text: str, nonce: str) -> DirectPost | None:
        """
        Post to a person; None where they take none. The same nonce soon after makes no second post.

        Raises `PlatformDown`, `TokenRefused`.
        """
        payload = {
            "content": text[:2_000],
            "nonce": nonce[:25],
            "enforce_nonce": True,
            "flags": _SUPPRESS_EMBEDS,
            "allowed_mentions": {"parse": []},
        }
        try:
            opened = await self._rest.call("POST", "/users/@me/channels", payload={"recipient_id": person_id})
            path = "/channels/{channel_id}/messages"
            made = await self._rest.call("POST", path, payload=payload, channel_id=opened["id"])
        except PostRefused as error:
            log.info("direct_message_refused", reason=str(error))
            return None
        place = Channel(Platform.DISCORD, "", str(opened["id"]), kind=ChannelKind.DIRECT)
        return DirectPost(place, str(made["id"]))
