"""Slack's events become messages; pure, names are looked up before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.adapters.slack.enclosed import read_files
from bot.adapters.slack.mrkdwn import Known, people_in, places_in, read_text, without_greeting
from bot.dialogue import Author, Channel, ChannelKind, Message, Platform

_STAMP = re.compile(r"\d{1,11}(?:\.\d{1,9})?", re.ASCII)
# A message of any other subtype is Slack talking about the channel (joins, topics), not a person.
_WRITTEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is, and where its workspace's messages have their addresses, as `auth.test` tells."""

    user_id: str
    bot_id: str
    team_id: str
    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ids that have to be looked up before an event can be read well."""

    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def wanted(event: Mapping[str, Any]) -> Wanted:
    """Say whose names the event needs."""
    body = _body(event)
    text = str(body.get("text") or "")
    author = str(body.get("user") or "")
    channel = str(event.get("channel") or "")
    named = channel.startswith(("C", "G")) and event.get("channel_type") != "mpim"
    people = dict.fromkeys((author, *people_in(text)) if author else people_in(text))
    places = dict.fromkeys((channel, *places_in(text)) if named else places_in(text))
    return Wanted(tuple(people), tuple(places))


def read_message(event: Mapping[str, Any], team: str, me: Me, known: Known) -> Message | None:
    """
    Normalise an event of type `message` or `app_mention`.

    None where nobody wrote it: bots, the bot itself, joins and the like, and changes that are not a
    person's edit (Slack also reports an unfurled link as a change). Raises `ValueError` where the event
    has not the form that Slack's documentation gives.
    """
    body = _body(event)
    if not _is_persons(event, body, me):
        return None
    message = compose(body, place(event, team, known), me, known)
    if event.get("subtype") == "message_changed" and _lost_files(event, body):
        # Slack does not call it an edit: the moment of the event is that of the change.
        message = replace(message, edited_at=moment(str(event.get("ts"))))
    return message


def compose(body: Mapping[str, Any], channel: Channel, me: Me, known: Known) -> Message:
    """Make a message of what Slack tells of one, in an event or in a channel's history."""
    raw = str(body.get("text") or "")
    others = [person for person in people_in(raw) if person != me.user_id]
    edited = body.get("edited")
    return Message(
        id=_stamp(body),
        channel=channel,
        author=_author(body, known),
        text=read_text(without_greeting(raw, me.user_id), known),
        sent_at=moment(_stamp(body)),
        mentions_bot=me.user_id in people_in(raw),
        mentions_others=bool(others),
        said=is_ours(body, me),
        edited_at=moment(str(edited.get("ts"))) if isinstance(edited, Mapping) else None,
        files=tuple(read_files(body)),
    )


def is_ours(body: Mapping[str, Any], me: Me) -> bool:
    """Say whether the bot itself wrote it."""
    return body.get("user") == me.user_id or (bool(me.bot_id) and body.get("bot_id") == me.bot_id)


def place(event: Mapping[str, Any], team: str, known: Known) -> Channel:
    """Say where a message stands; the root of a channel's message is itself until it is answered."""
    channel_id = event.get("channel")
    if not isinstance(channel_id, str) or not channel_id:
        raise ValueError("no channel")
    body = _body(event)
    stamp = _stamp(body)
    thread = str(body.get("thread_ts") or "")
    if event.get("channel_type") == "im" or channel_id.startswith("D"):
        return Channel(Platform.SLACK, team, channel_id, thread, ChannelKind.DIRECT)
    kind = ChannelKind.THREAD if thread and thread != stamp else ChannelKind.OPEN
    return Channel(Platform.SLACK, team, channel_id, thread or stamp, kind, known.places.get(channel_id, ""))


def moment(stamp: str) -> datetime:
    """Read Slack's time, seconds with a fraction in a string; raises `ValueError`."""
    try:
        return datetime.fromtimestamp(float(stamp), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("no time") from error


def _body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    if event.get("subtype") != "message_changed":
        return event
    changed = event.get("message")
    return changed if isinstance(changed, Mapping) else {}


def _is_persons(event: Mapping[str, Any], body: Mapping[str, Any], me: Me) -> bool:
    if body.get("bot_id") or body.get("bot_profile") or is_ours(body, me) or not body.get("user"):
        return False
    if str(body.get("subtype") or "") not in _WRITTEN or body.get("user") == "USLACKBOT":
        return False
    changed = event.get("subtype") == "message_changed"
    return not changed or _was_edited(event, body) or _lost_files(event, body)


def _was_edited(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    before = event.get("previous_message")
    earlier = before.get("edited") if isinstance(before, Mapping) else None
    return isinstance(body.get("edited"), Mapping) and body.get("edited") != earlier


def _lost_files(event: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Say whether a person deleted a file of the message; Slack leaves a tombstone in its place."""
    before = event.get("previous_message")
    return isinstance(before, Mapping) and len(read_files(body)) < len(read_files(before))


def _stamp(body: Mapping[str, Any]) -> str:
    stamp = body.get("ts")
    if not isinstance(stamp, str) or not _STAMP.fullmatch(stamp):
        raise ValueError("no ts")
    return stamp


def _author(body: Mapping[str, Any], known: Known) -> Author:
    user = str(body.get("user") or body.get("bot_id") or "")
    person = known.people.get(user)
    if person is not None:
        return Author(user, person.name, time_zone=person.time_zone, locale=person.locale)
    profile = body.get("bot_profile")
    named = str(profile.get("name") or "") if isinstance(profile, Mapping) else ""
    return Author(user, str(body.get("username") or "") or named or "someone")
