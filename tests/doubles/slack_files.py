"""Files of the Slack double, and who belongs where: what `url_private` and the lists of members give."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.doubles.slack_rules import SlackRefuses
from tests.doubles.slack_state import BOT_USER, Workspace


class FileStore:
    """Serves files to who has the token and, unless `scoped` is False, the scope files:read."""

    def __init__(self, space: Workspace, token: str) -> None:
        self._space = space
        self._token = token
        self._files: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.address = ""
        self.scoped = True
        self.fetched: list[str] = []
        self.tokens_seen: list[str] = []

    def share(self, name: str, data: bytes, media_type: str = "", **more: Any) -> dict[str, Any]:
        """Make a file that a message may hold, as events describe it."""
        number = f"F{len(self._files) + 1:04}"
        told: dict[str, Any] = {
            "id": number,
            "name": name,
            "title": name,
            "mimetype": media_type,
            "size": len(data),
            "mode": "hosted",
            "url_private": f"http://{self.address}/files/{number}/{name}",
            **more,
        }
        self._files[number] = (told, data)
        if told.get("file_access") == "check_file_info":
            return {"id": number, "file_access": "check_file_info"}
        return told

    def info(self, given: dict[str, Any]) -> dict[str, Any]:
        """The method `files.info`."""
        if not self.scoped:
            raise SlackRefuses("missing_scope", needed="files:read")
        if given["file"] not in self._files:
            raise SlackRefuses("file_not_found")
        return {"file": self._files[given["file"]][0]}

    async def serve(self, request: web.Request) -> web.Response:
        """Hand a file out, or show the login page as Slack does."""
        self.tokens_seen.append(request.headers.get("Authorization", ""))
        if self.tokens_seen[-1] != f"Bearer {self._token}" or not self.scoped:
            raise web.HTTPFound("https://example.slack.com/?redir=%2Ffiles-pri%2FT-F")
        told, data = self._files.get(request.match_info["number"], ({}, b""))
        if not told:
            raise web.HTTPNotFound
        self.fetched.append(str(told["name"]))
        return web.Response(body=data, content_type=str(told["mimetype"]) or "application/octet-stream")

    def members(self, given: dict[str, Any]) -> dict[str, Any]:
        """The method `conversations.members`; a place without a list of its own has everybody."""
        place = self._space.place(given["channel"])
        if BOT_USER not in (found := list(place.members or self._space.people)):
            raise SlackRefuses("channel_not_found")
        return {"members": found}

    def people(self, given: dict[str, Any]) -> dict[str, Any]:
        """The method `users.list`."""
        return {"members": list(self._space.people.values())}
