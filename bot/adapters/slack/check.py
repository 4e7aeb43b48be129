"""What `bot doctor` looks at on Slack: the tokens, the scopes, and how Slack delivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.adapters.slack.signed import PATH
from bot.adapters.slack.web import Refused, Web
from bot.dialogue import Finding
from bot.errors import PermissionMissing, PlatformError, TokenRefused
from bot.ports import Tell

# What the manifest in `deploy/` asks for, and what is lost without each, as the catalogue tells it.
SCOPES = {
    "app_mentions:read": "check-slack-lost-mentions",
    "assistant:write": "check-slack-lost-status",
    "channels:history": "check-slack-lost-public",
    "channels:read": "check-slack-lost-channel-names",
    "chat:write": "check-slack-lost-answers",
    "commands": "check-slack-lost-commands",
    "files:read": "check-slack-lost-files",
    "groups:history": "check-slack-lost-private",
    "groups:read": "check-slack-lost-private-names",
    "im:history": "check-slack-lost-direct",
    "im:read": "check-slack-lost-direct-gaps",
    "mpim:history": "check-slack-lost-group",
    "mpim:read": "check-slack-lost-group-gaps",
    "users:read": "check-slack-lost-people",
}

# Asked for by the manifest too, but missed only where roles are let in or kept out.
ROLE_SCOPES = {"usergroups:read": "check-slack-lost-roles"}

_MANIFEST = "deploy/slack-manifest.yaml"


async def look(web: Web, tell: Tell, *, roles: bool = False) -> AsyncIterator[Finding]:
    """Look at the token in the settings, with `roles` at what they need too; raises nothing."""
    subject = tell("check-slack-token")
    try:
        answer = await web.read("auth.test")
    except TokenRefused as error:
        yield Finding(subject, False, str(error), tell("check-slack-token-cure"))
        return
    except PlatformError as error:
        yield Finding(subject, False, str(error), tell("check-slack-away-cure"))
        return
    yield Finding(subject, True, f"@{answer.get('user')} · {answer.get('team')}")
    scopes = needed_scopes(roles)
    missing = missing_scopes(answer, scopes)
    subject = tell("check-slack-scopes")
    if not missing:
        yield Finding(subject, True, tell("check-slack-scopes-well"))
    for scope in missing:
        text = tell("check-slack-scope-missing", scope=scope, lost=tell(scopes[scope]))
        yield Finding(subject, False, text, tell("check-slack-scope-cure", scope=scope, manifest=_MANIFEST))


async def look_at_delivery(web: Web, app_token: str, tell: Tell) -> Finding:
    """Look how Slack delivers; without an app-level token over HTTP, which can only be tried from outside."""
    if app_token:
        return await _socket(web, app_token, tell)
    return Finding(tell("check-slack-http"), True, tell("check-slack-http-well", path=PATH))


def needed_scopes(roles: bool) -> Mapping[str, str]:
    """Say which scopes are needed, and what is lost without each; with `roles` for those too."""
    return SCOPES | ROLE_SCOPES if roles else SCOPES


def missing_scopes(answer: Mapping[str, Any], scopes: Mapping[str, str]) -> list[str]:
    """Say which of the scopes an answer of Slack's does not name as granted."""
    granted = {scope.strip() for scope in str(answer["_headers"].get("x-oauth-scopes", "")).split(",")}
    return [scope for scope in scopes if scope not in granted]


async def _socket(web: Web, app_token: str, tell: Tell) -> Finding:
    subject = tell("check-slack-socket")
    try:
        await web.as_app(app_token, "apps.connections.open")
    except TokenRefused as error:
        return Finding(subject, False, str(error), tell("check-slack-app-token-cure"))
    except PermissionMissing as error:
        return Finding(subject, False, str(error), tell("check-slack-app-scope-cure"))
    except Refused as error:
        return Finding(subject, False, str(error), tell("check-slack-socket-cure"))
    except PlatformError as error:
        return Finding(subject, False, str(error), tell("check-slack-away-cure"))
    return Finding(subject, True, tell("check-slack-socket-well"))
