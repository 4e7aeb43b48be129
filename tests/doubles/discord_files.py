"""Files of the Discord double at addresses that run out, and the server as REST describes it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.doubles.discord_state import State, snowflake

_UNSET = (
    "description", "home_header", "splash", "discovery_splash", "banner", "application_id", "afk_channel_id",
    "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code", "rules_channel_id",
    "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data",
)  # fmt: skip


class FileStore:
    """Hands files out as Discord's CDN does: to anybody who has an address that still holds."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[dict[str, Any], bytes]] = {}
        self._version = 0
        self.address = ""
        self.fetched: list[str] = []

    def share(self, name: str, data: bytes, media_type: str = "", **more: Any) -> dict[str, Any]:
        """Make a file that a post may hold; it is described anew whenever it is told."""
        number = snowflake()
        told = {"id": number, "filename": name, "size": len(data), "content_type": media_type, **more}
        self._files[number] = (told, data)
        return told

    def run_out(self) -> None:
        """Let all addresses that were told until now hold no longer."""
        self._version += 1

    def told(self, file: dict[str, Any], channel_id: str) -> dict[str, Any]:
        """Describe a file as messages do."""
        path = f"attachments/{channel_id}/{file['id']}/{file['filename']}"
        url = f"http://{self.address}/{path}?ex={self._version}"
        return {**file, "url": url, "proxy_url": url}

    async def serve(self, request: web.Request) -> web.Response:
        """Hand a file out."""
        told, data = self._files.get(request.match_info["number"], ({}, b""))
        if not told or request.query.get("ex") != str(self._version):
            raise web.HTTPNotFound(text="This content is no longer available.")
        self.fetched.append(str(told["filename"]))
        return web.Response(body=data, content_type=str(told["content_type"]) or "application/octet-stream")


def described(state: State, guild_id: str) -> dict[str, Any]:
    """Describe the server as `GET /guilds/{guild_id}` does."""
    known = (
        "id", "name", "icon", "owner_id", "emojis", "stickers", "afk_timeout", "verification_level",
        "default_message_notifications", "explicit_content_filter", "mfa_level", "premium_tier", "nsfw_level",
        "preferred_locale", "system_channel_flags", "features",
    )  # fmt: skip
    guild = state.guild(guild_id)
    roles = [
        role | {"icon": None, "unicode_emoji": None, "description": None, "colors": _COLORS}
        for role in guild["roles"]
    ]
    more = {
        "roles": roles,
        "region": "deprecated",
        "widget_enabled": False,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
    }
    return {name: guild[name] for name in known} | dict.fromkeys(_UNSET) | more


_COLORS = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
