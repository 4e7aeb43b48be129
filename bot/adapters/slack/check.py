"""What `bot doctor` looks at on Slack: both tokens, the scopes, the socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Finding
from bot.errors import PermissionMissing, PlatformError, TokenRefused

# What the manifest in `deploy/` asks for, and what is lost without each.
SCOPES = {
    "app_mentions:read": "mentions are not heard",
    "assistant:write": "no status is shown while an answer is made",
    "channels:history": "follow-ups and earlier messages in public channels cannot be read",
    "channels:read": "channels have no names",
    "chat:write": "no answer can be posted",
    "groups:history": "follow-ups and earlier messages in private channels cannot be read",
    "groups:read": "private channels have no names",
    "im:history": "direct messages are not heard",
    "mpim:history": "group messages are not heard",
    "users:read": "people have no names and no time zone",
}

# Asked for by the manifest too, but missed only where roles are let in or kept out.
ROLE_SCOPES = {"usergroups:read": "nobody's user groups are known, so lists of roles do not work"}

_MANIFEST = "deploy/slack-manifest.yaml"


async def look(web: Web, app_token: str, *, roles: bool = False) -> AsyncIterator[Finding]:
    """Look at each part, with `roles` at what they need too; nothing is raised for what is wrong."""
    async for finding in _bot_token(web, SCOPES | ROLE_SCOPES if roles else SCOPES):
        yield finding
    yield await _socket(web, app_token)


async def _bot_token(web: Web, scopes: Mapping[str, str]) -> AsyncIterator[Finding]:
    try:
        answer = await web.read("auth.test")
    except TokenRefused as error:
        cure = "Copy the bot token (OAuth & Permissions, it begins with xoxb-) to BOT_SLACK__BOT_TOKEN."
        yield Finding("Slack bot token", False, str(error), cure)
        return
    except PlatformError as error:
        yield Finding("Slack bot token", False, str(error), "Look at the network and at BOT_SLACK__API_URL.")
        return
    yield Finding("Slack bot token", True, f"@{answer.get('user')} in {answer.get('team')}")
    granted = {scope.strip() for scope in str(answer["_headers"].get("x-oauth-scopes", "")).split(",")}
    missing = [scope for scope in scopes if scope not in granted]
    if not missing:
        yield Finding("Slack scopes", True, "all that are needed are granted")
    for scope in missing:
        cure = f"Add {scope} under OAuth & Permissions (or paste {_MANIFEST} again), then reinstall the app."
        yield Finding("Slack scopes", False, f"{scope} is missing: {scopes[scope]}", cure)


async def _socket(web: Web, app_token: str) -> Finding:
    subject = "Slack socket"
    try:
        await web.as_app(app_token, "apps.connections.open")
    except TokenRefused as error:
        cure = "Make an app-level token with connections:write (Basic Information, it begins with xapp-)."
        return Finding(subject, False, str(error), f"{cure} It goes to BOT_SLACK__APP_TOKEN.")
    except PermissionMissing as error:
        cure = "Make an app-level token with the scope connections:write for BOT_SLACK__APP_TOKEN."
        return Finding(subject, False, str(error), cure)
    except Refused as error:
        return Finding(subject, False, str(error), "Switch Socket Mode on in the app's settings.")
    except PlatformError as error:
        return Finding(subject, False, str(error), "Look at the network and at BOT_SLACK__API_URL.")
    return Finding(subject, True, "Socket Mode connects")
