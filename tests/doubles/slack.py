"""A Slack workspace on loopback: Web API and Socket Mode over the wire, and what people would see."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.doubles.slack_acts import Acts, Delivers
from tests.doubles.slack_blocks import text_of
from tests.doubles.slack_files import FileStore
from tests.doubles.slack_rules import SlackRefuses, faults
from tests.doubles.slack_socket import Sockets
from tests.doubles.slack_state import BOT_USER, Post, Whisper
from tests.doubles.slack_teams import Directory

BOT_TOKEN = "xoxb-double"
APP_TOKEN = "xapp-double"
SCOPES = (
    "app_mentions:read,assistant:write,channels:history,channels:read,chat:write,commands,files:read,"
    "groups:history,groups:read,im:history,im:read,mpim:history,mpim:read,users:read"
)


@dataclass(frozen=True)
class Call:
    """One request to the Web API."""

    method: str
    arguments: dict[str, Any]
    token: str = ""


@dataclass(frozen=True)
class Fault:
    """
    What happens to a call instead of its answer.

    `error` is Slack's name for a refusal; `status` an HTTP status; `lost` carries the call out and cuts
    the connection; `dropped` only cuts; `hold` waits for the event before the call is carried out.
    """

    error: str = ""
    needed: str = ""
    status: int = 200
    retry_after: int | None = None
    lost: bool = False
    dropped: bool = False
    hold: asyncio.Event | None = None


class SlackDouble:
    """
    `async with SlackDouble() as slack:` then point the adapter at `slack.api_url`.

    Channels C0GENERAL and D0ANN (Ann's direct messages), people U0ANN and U0BEA are there; the bot is
    `slack.bot`. Arguments that Slack's documentation does not know fail the test at the end.
    """

    bot = BOT_USER
    bot_token = BOT_TOKEN
    app_token = APP_TOKEN

    def __init__(self) -> None:
        self.directory = Directory(BOT_TOKEN)
        self.space, self.web = self.directory.first.space, self.directory.first.web
        self.files = FileStore(self.space, BOT_TOKEN)
        self.web.methods |= {
            "files.info": self.files.info,
            "conversations.members": self.files.members,
            "users.list": self.files.people,
        }
        self.sockets = Sockets()
        self.way: Delivers = self.sockets  # or signed HTTP
        self.calls: list[Call] = []
        self.scopes = SCOPES
        self.api_url = ""
        self.socket_error = ""
        self.violations: list[str] = []
        # Told of each call that changes something, before and after; True: whoever calls is dead.
        self.watch: Callable[[str, bool], bool] = lambda method, done: False
        self._faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._answer)
        app.router.add_get("/oauth/v2/authorize", self.directory.ask)
        app.router.add_get("/socket/{ticket}", self.sockets.handle)
        app.router.add_post("/respond/{user}", self._respond)
        app.router.add_get("/files/{number}/{name}", self.files.serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await self._site.start()
        port = self._runner.addresses[0][1]
        self._address = f"127.0.0.1:{port}"
        self.files.address = self._address
        self.api_url = f"http://{self._address}/api/"
        self._acts = Acts(self.space, f"http://{self._address}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._site.stop()  # first, or a bot that is dropped comes back while everything is closed
        await self.sockets.close()
        await self._runner.cleanup()
        if kind is None:
            assert not self.violations, self.violations

    # What people do.

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread: str | None = None,
        files: tuple[str | dict[str, Any], ...] = (),
    ) -> str:
        """A person writes; the app gets each event that it subscribed to. Returns the message's ts."""
        return await self.directory.first.say(self.way, user, channel, text, thread, files)

    async def rewrite(self, channel: str, ts: str, text: str) -> Any:
        """A person edits a message."""
        post = self.space.place(channel).posts[ts]
        before = post.told()
        post.text, post.edited = text, self.space.stamp()
        event = {
            "type": "message",
            "subtype": "message_changed",
            "channel": channel,
            "channel_type": self.space.place(channel).kind,
            "message": post.told(),
            "previous_message": before,
            "ts": self.space.stamp(),
            "hidden": True,
        }
        return await self.way.deliver(event)

    async def press(self, user: str, post: Post, label: str, channel: str = "C0GENERAL") -> Any:
        """A person presses a button under a message."""
        return await self._acts.press(self.way, user, channel, post.ts, label)

    async def choose(self, user: str, label: str) -> Any:
        """A person chooses something in their home tab."""
        return await self._acts.choose(self.way, user, label)

    async def pick(self, user: str, channel: str, ts: str) -> Any:
        """A person picks "Ask about this" from a message's menu."""
        return await self._acts.pick(self.way, user, channel, ts)

    async def submit(self, user: str, text: str = "") -> Any:
        """A person fills in the window that was opened last."""
        return await self._acts.submit(self.way, user, text)

    async def command(self, user: str, channel: str, text: str) -> Any:
        """A person types `/ask` and a question."""
        return await self._acts.command(self.way, user, channel, text)

    async def open_home(self, user: str, tab: str = "home", channel: str = "D0ANN") -> Any:
        """A person opens a tab of the bot's own page."""
        return await self._acts.open_home(self.way, user, tab, channel)

    async def stop(self, user: str, channel: str, thread: str) -> Any:
        """A person presses Slack's own stop button."""
        return await self._acts.stop(self.way, user, channel, thread)

    async def delete(self, channel: str, ts: str) -> Any:
        """A person deletes a message."""
        return await self._acts.delete(self.way, channel, ts)

    # What people see.

    def whispers(self, user: str) -> list[str]:
        """What one person alone was told, in order."""
        return [whisper.text for whisper in self.space.whispers if whisper.user == user]

    def thread(self, channel: str, ts: str) -> list[Post]:
        """A thread as a person sees it, oldest first."""
        return self.space.place(channel).thread(ts)

    def answers(self, channel: str, ts: str = "") -> list[Post]:
        """The bot's posts in a thread, or outside threads where no ts is given."""
        posts = self.thread(channel, ts) if ts else self.space.place(channel).top()
        return [post for post in posts if post.user == BOT_USER]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of each call of a method, in order."""
        return [call.arguments for call in self.calls if call.method == method]

    # What goes wrong.

    def fail(self, method: str, times: int = 1, **fault: Any) -> None:
        """Let the next calls of a method go wrong; see `Fault`."""
        self._faults[method] += [Fault(**fault)] * times

    def heal(self, method: str) -> None:
        """Let nothing more go wrong with a method."""
        self._faults[method].clear()

    async def until(self, predicate: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something holds; fails the test after so many seconds."""
        async with asyncio.timeout(seconds):
            while not predicate():
                try:
                    async with asyncio.timeout(0.05), self._changed:
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(Call(method, arguments, token))
        fault = self._faults[method].pop(0) if self._faults[method] else Fault()
        if fault.hold is not None:
            await fault.hold.wait()
        if fault.dropped or self._dies(method, done=False):
            return _cut(request)
        if fault.status != 200 or fault.error:
            return _refusal(fault)
        response = self._carry_out(request, method, arguments)
        async with self._changed:
            self._changed.notify_all()
        return _cut(request) if fault.lost or self._dies(method, done=True) else response

    async def _respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.calls.append(Call("response_url", body))
        if body.get("response_type") != "ephemeral" or body.get("replace_original") is not False:
            self.violations.append("response_url would be seen by all")
        shown = text_of(body.get("blocks") or []) or str(body.get("text"))
        self.space.whispers.append(Whisper(request.match_info["user"], "", "", shown))
        async with self._changed:
            self._changed.notify_all()
        return web.Response(text="ok")

    def _dies(self, method: str, *, done: bool) -> bool:
        return method.startswith(("chat.", "assistant.", "agents.")) and self.watch(method, done)

    def _carry_out(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            answer = self._called(method, arguments, token)
        except SlackRefuses as refusal:
            return web.json_response({"ok": False, "error": refusal.error, **refusal.more})
        return web.json_response({"ok": True, **answer}, headers={"X-OAuth-Scopes": self.scopes})

    def _called(self, method: str, arguments: dict[str, Any], token: str) -> dict[str, Any]:
        if method == "apps.connections.open":
            if token != APP_TOKEN or self.socket_error:
                raise SlackRefuses(self.socket_error or "invalid_auth")
            return {"url": f"ws://{self._address}/socket/{self.sockets.ticket()}"}
        if method == "oauth.v2.access":
            answer, wrong = self.directory.redeem(token, arguments)
            self.violations += wrong
            return answer
        methods = self.directory.team_of(token).web.methods
        if method not in methods:
            raise SlackRefuses("unknown_method")
        self.violations += faults(method, arguments)
        return methods[method](arguments)


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    if request.content_type == "application/json":
        return dict(await request.json())
    return dict(await request.post())


def _refusal(fault: Fault) -> web.Response:
    status = 429 if fault.error == "ratelimited" else fault.status
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    told = {"ok": False, "error": fault.error or "internal_error", "needed": fault.needed}
    return web.json_response(told, status=status, headers=headers)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
