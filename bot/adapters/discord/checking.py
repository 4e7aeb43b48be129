"""Checking: token, intents, guilds and permissions, as `bot doctor` shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import discord

from bot.adapters.discord.rest import Rest
from bot.dialogue import Finding
from bot.errors import PlatformError, TokenRefused

_PORTAL = "https://discord.com/developers/applications"
_NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
)


def invite_link(application_id: str) -> str:
    """Make the link that invites the bot into a guild with all that it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={_NEEDED.value}"
    )


async def check(rest: Rest) -> AsyncIterator[Finding]:
    """Look at the token, then at what it may do; a wrong token ends the look."""
    try:
        me = await rest.call("GET", "/users/@me")
        application = await rest.call("GET", "/applications/@me")
        guilds = await rest.call("GET", "/users/@me/guilds")
    except TokenRefused:
        cure = f"Set BOT_DISCORD__TOKEN to the token from {_PORTAL} (Bot, Reset Token)."
        yield Finding("Discord token", False, "Discord does not know this token", cure)
        return
    except PlatformError as error:
        cure = (
            "Look at the network, at BOT_DISCORD__API_URL and at https://discordstatus.com, then try again."
        )
        yield Finding("Discord", False, str(error), cure)
        return
    yield Finding("Discord token", True, f"it belongs to {me['username']}")
    yield _intent(application)
    link = invite_link(str(application["id"]))
    for guild in guilds:
        yield _permissions(guild, link)
    if not guilds:
        yield Finding("Discord servers", False, "the bot is in none", f"Invite it: {link}")
    yield Finding("Discord invite link", True, link)


def _intent(application: Mapping[str, Any]) -> Finding:
    flags = discord.ApplicationFlags._from_value(int(application.get("flags") or 0))
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Finding("Discord message content intent", True, "it is on")
    lost = "it is off: only mentions, replies that ping and direct messages can be read, no other follow-ups"
    cure = f"Turn on Message Content Intent at {_PORTAL} (Bot, Privileged Gateway Intents)."
    return Finding("Discord message content intent", False, lost, cure)


def _permissions(guild: Mapping[str, Any], link: str) -> Finding:
    has = discord.Permissions(int(guild["permissions"]))
    subject = f"Discord server {guild['name']}"
    missing = [name for name, needed in _NEEDED if needed and not getattr(has, name)]
    if not missing or has.administrator:
        return Finding(subject, True, "the bot may read and write there (channels may differ)")
    shown = ", ".join(name.replace("_", " ") for name in missing)
    return Finding(subject, False, f"permissions are missing: {shown}", f"Invite it anew: {link}")
