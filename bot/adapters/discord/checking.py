"""Checking: token, intents, guilds and permissions, as `bot doctor` shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import discord

from bot.adapters.discord.commands import Command, registered, same
from bot.adapters.discord.rest import Rest
from bot.dialogue import Finding
from bot.errors import PlatformError, TokenRefused
from bot.ports import Tell

_PORTAL = "https://discord.com/developers/applications"
_NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
    create_public_threads=True,
    attach_files=True,
)


def invite_link(application_id: str) -> str:
    """Make the link that invites the bot into a guild with all that it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={_NEEDED.value}"
    )


async def check(rest: Rest, wanted: Sequence[Command], tell: Tell) -> AsyncIterator[Finding]:
    """Look at the token, then at what it may do; a wrong token ends the look."""
    subject = tell("check-discord-token")
    try:
        me = await rest.call("GET", "/users/@me")
        application = await rest.call("GET", "/applications/@me")
        guilds = await rest.call("GET", "/users/@me/guilds")
    except TokenRefused as error:
        yield Finding(subject, False, str(error), tell("check-discord-token-cure", portal=_PORTAL))
        return
    except PlatformError as error:
        yield Finding("Discord", False, str(error), tell("check-discord-away-cure"))
        return
    yield Finding(subject, True, tell("check-discord-token-well", name=me["username"]))
    yield _intent(application, tell)
    link = invite_link(str(application["id"]))
    yield await _commands(rest, wanted, link, tell)
    for guild in guilds:
        yield _permissions(guild, link, tell)
    if not guilds:
        text, cure = tell("check-discord-no-servers"), tell("check-discord-invite-cure", link=link)
        yield Finding(tell("check-discord-servers"), False, text, cure)
    yield Finding(tell("check-discord-invite"), True, link)


async def _commands(rest: Rest, wanted: Sequence[Command], link: str, tell: Tell) -> Finding:
    subject, cure = tell("check-discord-commands"), tell("check-discord-commands-cure", link=link)
    try:
        known = await registered(rest)
    except PlatformError as error:
        return Finding(subject, False, str(error), cure)
    if not known:
        return Finding(subject, True, tell("check-discord-commands-none"))
    if same(known, wanted):
        return Finding(subject, True, tell("check-discord-commands-well", count=len(known)))
    return Finding(subject, False, tell("check-discord-commands-old"), cure)


def _intent(application: Mapping[str, Any], tell: Tell) -> Finding:
    subject = tell("check-discord-intent")
    flags = discord.ApplicationFlags._from_value(int(application.get("flags") or 0))
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return Finding(subject, True, tell("check-discord-intent-well"))
    cure = tell("check-discord-intent-cure", portal=_PORTAL)
    return Finding(subject, False, tell("check-discord-intent-off"), cure)


def _permissions(guild: Mapping[str, Any], link: str, tell: Tell) -> Finding:
    has = discord.Permissions(int(guild["permissions"]))
    subject = tell("check-discord-server", name=guild["name"])
    missing = [name for name, needed in _NEEDED if needed and not getattr(has, name)]
    if not missing or has.administrator:
        return Finding(subject, True, tell("check-discord-server-well"))
    text = tell("check-discord-server-missing", permissions=", ".join(missing).replace("_", " "))
    return Finding(subject, False, text, tell("check-discord-invite-cure", link=link))
