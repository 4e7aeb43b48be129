"""What Slack's events tell beside new messages: deletions, a stop, the bot's removal; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.adapters.slack.reading import Me, moment
from bot.adapters.wishes import read_wish
from bot.dialogue import Channel, ChannelKind, Deletion, Message, Platform, Wish

_GONE = frozenset({"channel_deleted", "group_deleted"})


def deletion(event: Mapping[str, Any], team: str) -> Deletion | None:
    """
    Read which messages, or which channel, people took away; None for any other event.

    The root of a thread is not deleted but becomes a "tombstone". Raises `ValueError` for an event that has
    not the form that Slack's documentation gives.
    """
    if event.get("type") in _GONE:
        return Deletion(_place(event, "", team), (), moment(str(event.get("event_ts") or "")))
    deleted = _deleted(event)
    if not deleted:
        return None
    before = event.get("previous_message")
    body = before if isinstance(before, Mapping) else {}
    thread = str(body.get("thread_ts") or "")
    at = moment(str(event.get("event_ts") or event.get("ts") or ""))
    return Deletion(_place(event, thread, team), (deleted,), at)


def place_of(channel: str, ts: str, thread: str, team: str) -> Channel:
    """Say the place of a message that a press, a stop or a menu is about."""
    if channel.startswith("D"):
        return Channel(Platform.SLACK, team, channel, thread, ChannelKind.DIRECT)
    return Channel(Platform.SLACK, team, channel, thread or ts, ChannelKind.THREAD)


def team_of(body: Mapping[str, Any]) -> str:
    """
    Say in which workspace the app was spoken to; "" where the envelope does not tell.

    In a channel shared with other workspaces the authorisations tell whose installation is meant, and the
    event may be another workspace's ("Events API", "Authorizations" in Slack's documentation).
    """
    view, team, user = _map(body, "view"), body.get("team"), _map(body, "user")
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    found = (
        view.get("app_installed_team_id"),
        team.get("id") if isinstance(team, Mapping) else None,
        first.get("team_id") if isinstance(first, Mapping) else None,
        body.get("team_id"),
        user.get("team_id"),
    )
    return next((one for one in found if isinstance(one, str) and one), "")


def removed(event: Mapping[str, Any]) -> bool:
    """Say whether the bot was removed from the workspace."""
    if event.get("type") == "app_uninstalled":
        return True
    tokens = event.get("tokens")
    return event.get("type") == "tokens_revoked" and isinstance(tokens, Mapping) and bool(tokens.get("bot"))


def word_of_command(event: Mapping[str, Any], message: Message, me: Me) -> tuple[Wish, str] | None:
    """Read the wish that a new message to the bot is, if it is one."""
    meant = message.mentions_bot or message.channel.kind is ChannelKind.DIRECT
    if not meant or message.mentions_others or message.files or event.get("subtype") == "message_changed":
        return None
    raw = str(event.get("text") or "")
    words = re.sub(rf"<@{re.escape(me.user_id)}(?:\|[^<>]*)?>", " ", raw)
    return read_wish(words.strip(" :,"), message.mentions_bot)


def _map(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _deleted(event: Mapping[str, Any]) -> str:
    if event.get("subtype") == "message_deleted":
        return str(event.get("deleted_ts") or "")
    changed = event.get("message")
    if event.get("subtype") == "message_changed" and isinstance(changed, Mapping):
        return str(changed.get("ts") or "") if changed.get("subtype") == "tombstone" else ""
    return ""


def _place(event: Mapping[str, Any], root: str, team: str) -> Channel:
    channel = event.get("channel")
    if not isinstance(channel, str) or not channel:
        raise ValueError("no channel")
    if event.get("channel_type") == "im" or channel.startswith("D"):
        return Channel(Platform.SLACK, team, channel, root, ChannelKind.DIRECT)
    kind = ChannelKind.THREAD if root else ChannelKind.OPEN
    return Channel(Platform.SLACK, team, channel, root or _deleted(event), kind)
