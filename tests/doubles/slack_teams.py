"""Several workspaces behind one Slack: each with its own token, and the way an app comes into them."""

from __future__ import annotations

import base64
import time
from itertools import count
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.doubles.slack_acts import Delivers
from tests.doubles.slack_rules import SlackRefuses, faults
from tests.doubles.slack_state import BOT_USER, TEAM, Post, Workspace
from tests.doubles.slack_web import WebApi

CLIENT_ID, CLIENT_SECRET = "1234.5678", "client-secret-double"


class Team:
    """One workspace, in which there are the same channels and people, by the same ids, as in every other."""

    def __init__(self, number: str, name: str, token: str) -> None:
        self.id = number
        self.name = name
        self.token = token
        self.gone = ""  # Slack's name for why the token is no good any more
        self.space = Workspace()
        self.web = WebApi(self.space, number, name)

    async def say(
        self,
        way: Delivers,
        user: str,
        channel: str,
        text: str,
        thread: str | None = None,
        files: tuple[str | dict[str, Any], ...] = (),
        ts: str = "",
    ) -> str:
        """A person writes; the app gets each event that it subscribed to. Returns the message's ts."""
        post = Post(ts or self.space.stamp(), user, text, thread=thread or "", files=files)
        if files:
            post.subtype = "file_share"
        self.space.put(channel, post)
        await way.deliver(self._event(channel, post), team_id=self.id)
        if f"<@{BOT_USER}>" in text and self.space.place(channel).kind != "im":
            mention = {**self._event(channel, post), "type": "app_mention"}
            for absent in ("channel_type", "files", "subtype"):
                mention.pop(absent, None)
            await way.deliver(mention, team_id=self.id)
        return post.ts

    def answers(self, channel: str, ts: str) -> list[str]:
        """What the bot said in a thread."""
        return [post.text for post in self.space.place(channel).thread(ts) if post.user == BOT_USER]

    def _event(self, channel: str, post: Post) -> dict[str, Any]:
        kind = self.space.place(channel).kind
        return {**post.told(), "channel": channel, "channel_type": kind, "event_ts": post.ts}


class Directory:
    """All workspaces, and what people choose when Slack asks whether the app may come in."""

    def __init__(self, token: str) -> None:
        self.first = Team(TEAM, "Example", token)
        self.teams = {TEAM: self.first}
        self.chosen = TEAM  # where the next installation goes to; "" for a refusal
        self.granted: dict[str, Any] = {}  # what the next installation tells besides
        self.redirects: set[str] | None = None  # the addresses that the app names, None for any
        self._codes: dict[str, tuple[str, str]] = {}
        self._numbers = count(1)

    def add(self, number: str, name: str) -> Team:
        """A workspace that has not installed the app; its token is given by an installation alone."""
        team = self.teams[number] = Team(number, name, "")
        return team

    def team_of(self, token: str) -> Team:
        """Whose token it is; refuses as Slack does."""
        for team in self.teams.values():
            if token and team.token == token:
                if team.gone:
                    raise SlackRefuses(team.gone)
                return team
        raise SlackRefuses("invalid_auth")

    async def ask(self, request: web.Request) -> web.Response:
        """Slack's page that asks whether the app may come in, with the answer already given."""
        asked = request.query
        if asked["client_id"] != CLIENT_ID or not asked["scope"]:
            return web.Response(status=400, text="invalid_client_id")
        back = {"state": asked["state"]}
        if self.chosen:
            back["code"] = f"code-{next(self._numbers)}"
            self._codes[back["code"]] = (self.chosen, asked["redirect_uri"])
        else:
            back["error"] = "access_denied"
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    def redeem(self, header: str, given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The method `oauth.v2.access`, and what is wrong with its arguments."""
        who = base64.b64decode(header.removeprefix("Basic ")).decode().split(":", 1)
        if who[0] != CLIENT_ID:
            raise SlackRefuses("invalid_client_id")
        if who[1] != CLIENT_SECRET:
            raise SlackRefuses("bad_client_secret")
        if self.redirects is not None and given["redirect_uri"] not in self.redirects:
            raise SlackRefuses("bad_redirect_uri")
        number, address = self._codes.pop(given["code"], ("", ""))
        if not number:
            raise SlackRefuses("invalid_code")
        if address != given["redirect_uri"]:
            raise SlackRefuses("bad_redirect_uri")
        team = self.teams[number]
        if team.gone or not team.token:
            team.token, team.gone = f"xoxb-{number}-{next(self._numbers)}", ""
        told = {
            "access_token": team.token,
            "token_type": "bot",
            "bot_user_id": BOT_USER,
            "app_id": "A0DESK",
            "team": {"id": number, "name": team.name},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U0ANN"},
        }
        return {**told, **self.granted}, faults("oauth.v2.access", given)

    async def remove(self, way: Delivers, number: str, at: float = 0.0) -> None:
        """A workspace removes the app; Slack tells of it in two events."""
        self.teams[number].gone = "account_inactive"
        moment = {"team_id": number, "event_time": int(at or time.time())}
        await way.deliver({"type": "tokens_revoked", "tokens": {"bot": [BOT_USER], "oauth": []}}, **moment)
        await way.deliver({"type": "app_uninstalled"}, **moment)
