"""What people press, choose, type as a command and pick from a menu; done after the acknowledgement."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from bot.adapters.slack.asking import Ask, Asking
from bot.adapters.slack.buttons import pressed
from bot.adapters.slack.enclosed import write_along
from bot.adapters.slack.events import place_of, team_of
from bot.adapters.slack.home import Home
from bot.adapters.slack.people import People, Somebody
from bot.adapters.slack.reading import moment
from bot.adapters.slack.refusals import told
from bot.adapters.slack.views import ABOUT, METADATA_CHARACTERS, REASON, about_view, reason_view, written
from bot.adapters.slack.web import Web
from bot.adapters.slack.whispers import Whispers
from bot.adapters.wishes import read_wish
from bot.dialogue import Channel, ChannelKind, Platform, Request, Wish
from bot.errors import PlatformError, StoreError
from bot.ports import Door, Words

log = structlog.get_logger()

Json = Mapping[str, Any]


class Interactions:
    """
    Carries out one payload each, whatever its kind.

    They are outside the promise: what goes wrong is told to the person, who may do it again.
    """

    def __init__(self, web: Web, people: People, door: Door, words: Words, home: Home) -> None:
        """`home` is shown anew where a choice was made in it."""
        self._web = web
        self._people = people
        self._door = door
        self._words = words
        self._home = home
        self._whispers = Whispers(web)
        self._asking = Asking(web, people, door, words)
        self._kinds: Mapping[str, Callable[[Json, bool], Awaitable[None]]] = {
            "block_actions": self._pressed,
            "message_action": self._picked,
            "view_submission": self._submitted,
        }

    def name(self, body: Json) -> str | None:
        """Name what is done, the same when it is delivered again; None for what is not ours to do."""
        if "command" in body:
            return f"command {body.get('trigger_id') or ''}"
        view = body.get("view")
        if body.get("type") == "view_submission" and isinstance(view, Mapping):
            return f"view {view.get('id') or ''}"
        return f"press {body.get('trigger_id') or ''}" if body.get("type") in self._kinds else None

    async def carry_out(self, body: Json, again: bool) -> None:
        """Do what the payload asks for; `again` says that Slack delivers it again."""
        if "command" in body:
            await self._commanded(body, again)
        else:
            await self._kinds[str(body.get("type"))](body, again)

    async def _pressed(self, body: Json, again: bool) -> None:
        for action in body.get("actions") or ():
            wish = pressed(action) if isinstance(action, Mapping) else None
            if wish is None:
                continue
            if wish[0] is Wish.LANGUAGE:
                await self._home.choose(team_of(body), _user(body), wish[1])
            else:
                await self._wished(body, *wish, _moment(action))

    async def _wished(self, body: Json, wish: Wish, value: str, asked_at: datetime | None) -> None:
        container = _map(body, "container")
        ts = str(container.get("message_ts") or "")
        thread = str(container.get("thread_ts") or _map(body, "message").get("thread_ts") or "")
        place = str(container.get("channel_id") or _map(body, "channel").get("id") or "")
        if not (place and ts and _user(body)):
            return
        channel = place_of(place, ts, thread, team_of(body))
        asked = False
        if wish is Wish.VOTE and value == "down":
            # Slack opens a window only within three seconds of the press: so before all else.
            asked = await self._ask_reason(body, {"channel": place, "ts": ts, "thread": thread})
        person = await self._people.somebody(_user(body))
        moderator = person.moderator
        request = Request(wish, person.author, channel, ts, value, moderator=moderator, asked_at=asked_at)
        await self._request(request, str(body.get("response_url") or ""), quiet=asked)

    async def _ask_reason(self, body: Json, about: Mapping[str, str]) -> bool:
        language = await self._home.language(team_of(body), _user(body))
        view = reason_view(self._words, language, about)
        try:
            await self._web.call("views.open", trigger_id=body.get("trigger_id"), view=view)
        except PlatformError as error:
            log.info("slack_window_refused", error=str(error))
            return False  # the vote counts without its reason
        return True

    async def _submitted(self, body: Json, again: bool) -> None:
        view = _map(body, "view")
        name = view.get("callback_id")
        if name not in (ABOUT, REASON):
            return
        about, text = written(view)
        person = await self._people.somebody(_user(body))
        if name == ABOUT:
            ask = Ask(
                team_of(body), person.author.id, person.author.id, text, str(view.get("id") or ""), again
            )
            await self._ask_about(ask, person, about)
        elif text:
            channel = place_of(about["channel"], about["ts"], about.get("thread", ""), team_of(body))
            request = Request(Wish.VOTE, person.author, channel, about["ts"], "down", text)
            await self._request(request, "")

    async def _picked(self, body: Json, again: bool) -> None:
        """Open a window for a question about the message whose menu it was."""
        message, place = _map(body, "message"), str(_map(body, "channel").get("id") or "")
        about = {
            "channel": place,
            "ts": str(message.get("ts") or body.get("message_ts") or ""),
            "thread": str(message.get("thread_ts") or ""),
            "user": str(message.get("user") or message.get("bot_id") or ""),
            "name": str(message.get("username") or ""),
            "files": write_along(message),
        }
        language = await self._home.language(team_of(body), _user(body))
        view = about_view(self._words, language, _carried(about, str(message.get("text") or "")))
        await self._web.call("views.open", trigger_id=body.get("trigger_id"), view=view)

    async def _ask_about(self, ask: Ask, person: Somebody, about: Mapping[str, str]) -> None:
        language = await self._home.language(ask.team, ask.user)
        channel = place_of(about["channel"], about["ts"], about.get("thread", ""), ask.team)
        try:
            heard = await self._asking.privately(ask, person, language, about)
        except (PlatformError, StoreError) as error:
            text = told(error, self._words, language)
        else:
            text = self._words.say("slack-about-sent" if heard else "slack-not-heard", language)
        await self._whispers.tell(channel, ask.user, text)

    async def _commanded(self, body: Json, again: bool) -> None:
        team, user = team_of(body), str(body.get("user_id") or "")
        person = await self._people.somebody(user)
        language = await self._home.language(team, user)
        text, place = str(body.get("text") or "").strip(), str(body.get("channel_id") or "")
        problem = ""
        if not text or read_wish(text) == (Wish.HELP, ""):
            problem = self._words.say("slack-ask-usage", language)
        else:
            ask = Ask(team, place, user, text, str(body.get("trigger_id") or ""), again)
            try:
                heard = await self._asking.openly(ask, person, language)
                problem = "" if heard else self._words.say("slack-not-heard", language)
            except (PlatformError, StoreError) as error:
                problem = told(error, self._words, language)
        if problem:
            direct = place.startswith("D")
            kind = ChannelKind.DIRECT if direct else ChannelKind.OPEN
            channel = Channel(Platform.SLACK, team, place, kind=kind)
            await self._whispers.tell(channel, user, problem, str(body.get("response_url") or ""))

    async def _request(self, request: Request, response_url: str, *, quiet: bool = False) -> None:
        """Hand a wish to the door and tell what came of it; if `quiet`, only what was refused."""
        try:
            reply = await self._door.request(request)
            text = "" if quiet and reply.done else reply.text
        except StoreError as error:
            language = await self._home.language(request.channel.workspace, request.person.id)
            text = told(error, self._words, language)
        if text:
            await self._whispers.tell(request.channel, request.person.id, text, response_url)


def _carried(about: dict[str, str], text: str) -> dict[str, str]:
    """Put as much of the text along as a window's metadata can hold."""
    room = METADATA_CHARACTERS - len(json.dumps(about, ensure_ascii=False)) - 40
    # A letter may become six characters in JSON (a quote or a line break two, a control character six).
    whole = about | {"text": text}
    if _weight(text) <= room:
        return whole
    while _weight(text) > room:
        text = text[: len(text) * 3 // 4]
    return about | {"text": text, "cut": "1"}


def _weight(text: str) -> int:
    return sum(1 if letter.isprintable() and letter not in '"\\' else 6 for letter in text)


def _moment(action: Json) -> datetime | None:
    try:
        return moment(str(action.get("action_ts") or ""))
    except ValueError:
        return None


def _map(body: Json, name: str) -> Json:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _user(body: Json) -> str:
    return str(_map(body, "user").get("id") or "")
