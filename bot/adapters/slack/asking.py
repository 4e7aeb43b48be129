"""Questions that are asked by a command or from a message's menu: posted for the asker, then kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.adapters.slack.enclosed import read_along
from bot.adapters.slack.forms import form
from bot.adapters.slack.history import pages
from bot.adapters.slack.messages import QUESTION_TYPE, SKEW
from bot.adapters.slack.mrkdwn import people_in, places_in, read_text
from bot.adapters.slack.people import People, Somebody
from bot.adapters.slack.reading import Wanted, moment
from bot.adapters.slack.web import Unsure, Web
from bot.dialogue import Accepted, Channel, ChannelKind, File, Message, Platform
from bot.errors import PlatformError
from bot.ports import Door, Words

log = structlog.get_logger()

SHOWN_CHARACTERS = 3_000  # of what is asked; the model reads all of it
LOOK_BACK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Ask:
    """
    A question on its way: where it is to stand, as text of Slack's, and by whom.

    `nonce` is the same when Slack delivers it again, and `again` says that it does.
    """

    team: str
    channel: str
    user: str
    text: str
    nonce: str
    again: bool = False


class Asking:
    """Makes a question of what no person's message is."""

    def __init__(self, web: Web, people: People, door: Door, words: Words) -> None:
        """All goes to the door."""
        self._web = web
        self._people = people
        self._door = door
        self._words = words

    async def openly(self, ask: Ask, asker: Somebody, language: str) -> bool:
        """
        Post the question where all can read it, to be answered beneath; False where it is not heard.

        Raises a `PlatformError` where it cannot be posted.
        """
        known = await self._people.known(Wanted(people_in(ask.text), (ask.channel, *places_in(ask.text))))
        text = read_text(ask.text, known)
        place, ts = await self._post(ask, f"{self._named(asker, language)}\n\n{_quote(_cut(text))}")
        if place.startswith("D"):
            channel = Channel(Platform.SLACK, ask.team, place, "", ChannelKind.DIRECT)
        else:
            name = known.places.get(place, "")
            channel = Channel(Platform.SLACK, ask.team, place, ts, ChannelKind.OPEN, name)
        return await self._accept(channel, ts, asker, text)

    async def privately(self, ask: Ask, asker: Somebody, language: str, about: Mapping[str, str]) -> bool:
        """Post the question with the message that it is about to the asker alone, to be answered beneath."""
        quoted = await self._quoted(about, language)
        question = ask.text or self._words.say("slack-about-default", language)
        shown = f"{self._named(asker, language)}\n\n{_cut(question)}\n\n{_cut(quoted)}"
        place, ts = await self._post(ask, shown)
        channel = Channel(Platform.SLACK, ask.team, place, ts, ChannelKind.DIRECT)
        files = read_along(about.get("files", ""))
        return await self._accept(channel, ts, asker, f"{question}\n\n{quoted}", files)

    async def _accept(
        self, channel: Channel, ts: str, asker: Somebody, text: str, files: tuple[File, ...] = ()
    ) -> bool:
        message = Message(ts, channel, asker.author, text, moment(ts), mentions_bot=True, files=files)
        if await self._door.accept(message) is not Accepted.IGNORED:
            return True
        await self._web.call("chat.delete", channel=channel.id, ts=ts)
        return False

    async def _post(self, ask: Ask, text: str) -> tuple[str, str]:
        """
        Post once, also where the command comes again or no clear answer came; return channel and ts.

        The post's ts is the question's id, so that memory keeps it once, whichever process hands it over.
        """
        if ask.again and (found := await self._find(ask, ask.channel, LOOK_BACK_SECONDS)):
            return ask.channel, found
        metadata = {"event_type": QUESTION_TYPE, "event_payload": {"nonce": ask.nonce}}
        arguments = {"channel": ask.channel, "unfurl_links": False, **form(text), "metadata": metadata}
        try:
            answer = await self._web.call("chat.postMessage", **arguments)
        except Unsure:
            await asyncio.sleep(0.5)
            if found := await self._find(ask, ask.channel, SKEW.total_seconds()):
                return ask.channel, found
            raise
        place, ts = str(answer.get("channel") or ask.channel), str(answer["ts"])
        return place, await self._first(ask, place, ts) if ask.again else ts

    async def _first(self, ask: Ask, place: str, ts: str) -> str:
        """
        Take our post away where the same question stood there before; return what stands.

        By a person's id their direct messages can be written but not read: only the post tells their channel.
        """
        found = await self._find(ask, place, LOOK_BACK_SECONDS)
        if not found or found == ts:
            return ts
        await self._web.call("chat.delete", channel=place, ts=ts)
        return found

    async def _find(self, ask: Ask, place: str, seconds: float) -> str:
        """Find the oldest post that shows the question."""
        if not place.startswith(("C", "D", "G")):
            return ""
        oldest = f"{datetime.now(UTC).timestamp() - seconds:.6f}"
        found: list[str] = []
        try:
            async for item in pages(self._web, place, "", oldest=oldest, include_all_metadata=True):
                metadata = item.get("metadata") or {}
                if (metadata.get("event_payload") or {}).get("nonce") == ask.nonce:
                    found.append(str(item["ts"]))
        except PlatformError as error:
            log.warning("slack_posts_not_readable", error=str(error))
        return min(found, key=float, default="")

    async def _quoted(self, about: Mapping[str, str], language: str) -> str:
        raw = await self._whole(about)
        author = about.get("user", "")
        wanted = Wanted(tuple(dict.fromkeys((author, *people_in(raw)))) if author else people_in(raw))
        known = await self._people.known(wanted)
        person = known.people.get(author)
        name = person.name if person else about.get("name") or "someone"
        return (
            f"{self._words.say('slack-about-quote', language, name=name)}\n\n{_quote(read_text(raw, known))}"
        )

    async def _whole(self, about: Mapping[str, str]) -> str:
        """Read a message that was too long to be carried along, where the bot may."""
        text = about.get("text", "")
        if not about.get("cut"):
            return text
        ts = about.get("ts", "")
        between: dict[str, Any] = {"oldest": ts, "latest": ts, "inclusive": True}
        try:
            async for item in pages(self._web, about["channel"], about.get("thread") or ts, **between):
                if item.get("ts") == ts:
                    return str(item.get("text") or text)
        except PlatformError as error:
            log.info("slack_message_not_readable", error=str(error))
        return text

    def _named(self, asker: Somebody, language: str) -> str:
        return self._words.say("slack-asked", language, name=f"**{asker.author.name}**")


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
