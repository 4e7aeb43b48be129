"""Slack's Web API, as far as the adapter uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.doubles.slack_blocks import check_blocks, check_view, text_of
from tests.doubles.slack_rules import SlackRefuses, check_text
from tests.doubles.slack_state import BOT_ID, BOT_USER, TEAM, Post, Workspace

Arguments = dict[str, Any]


class WebApi:
    """The methods; each takes the arguments and returns the answer, or raises `SlackRefuses`."""

    def __init__(self, workspace: Workspace, team: str = TEAM, name: str = "Example") -> None:
        self._space = workspace
        self._team, self._name = team, name
        self.page = 1_000  # what the app's kind allows at most
        self.methods: dict[str, Callable[[Arguments], Arguments]] = {
            "auth.test": self._auth,
            "users.info": self._user,
            "usergroups.list": self._groups,
            "bots.info": self._bot,
            "conversations.info": self._channel,
            "users.conversations": self._mine,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "chat.postEphemeral": self._whisper,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.startStream": self._start,
            "chat.appendStream": self._append,
            "chat.stopStream": self._stop,
            "agents.sessions.setStatus": self._session,
            "assistant.threads.setStatus": self._status,
            "assistant.threads.setSuggestedPrompts": self._suggest,
            "views.open": self._window,
            "views.publish": self._home,
        }

    def _auth(self, _: Arguments) -> Arguments:
        return {
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "team_id": self._team,
            "user": "frontdesk",
            "team": self._name,
            "url": "https://example.slack.com/",
        }

    def _user(self, given: Arguments) -> Arguments:
        if given["user"] not in self._space.people:
            raise SlackRefuses("user_not_found")
        return {"user": self._space.people[given["user"]]}

    def _groups(self, given: Arguments) -> Arguments:
        told = str(given.get("include_users", "")) in ("1", "True", "true")
        return {
            "usergroups": [
                {"id": group, "name": handle.title(), "handle": handle, **({"users": users} if told else {})}
                for group, (handle, users) in self._space.groups.items()
            ]
        }

    def _bot(self, given: Arguments) -> Arguments:
        return {"bot": {"id": given["bot"], "name": f"Bot {given['bot']}"}}

    def _channel(self, given: Arguments) -> Arguments:
        place = self._space.place(given["channel"])
        kind = {
            "is_channel": place.kind == "channel",
            "is_private": place.kind != "channel",
            "is_im": place.kind == "im",
            "is_mpim": place.kind == "mpim",
        }
        return {"channel": {"id": place.id, "name": place.name, **kind}}

    def _mine(self, given: Arguments) -> Arguments:
        """The channels that the bot is in."""
        kinds = {"channel": "public_channel", "group": "private_channel"}
        asked = str(given.get("types") or "public_channel").split(",")
        found = [
            self._channel({"channel": place.id})["channel"]
            for place in self._space.places.values()
            if kinds.get(place.kind, place.kind) in asked and place.id not in self._space.members_only
        ]
        return self._pages("channels", found, given)

    def _replies(self, given: Arguments) -> Arguments:
        thread = self._space.place(given["channel"]).thread(given["ts"])
        if not thread:
            raise SlackRefuses("thread_not_found")
        return self._page(thread[:1] + _between(thread[1:], given), given)

    def _history(self, given: Arguments) -> Arguments:
        top = self._space.place(given["channel"]).top()
        found = self._page(list(reversed(_between(top, given))), given)
        for told in found["messages"]:
            replies = self._space.place(given["channel"]).thread(told["ts"])[1:]
            if replies:
                newest = {"latest_reply": replies[-1].ts, "reply_count": len(replies)}
                told.update(newest, thread_ts=told["ts"])
        return found

    def _page(self, posts: list[Post], given: Arguments) -> Arguments:
        metadata = str(given.get("include_all_metadata", "")) in ("1", "True", "true")
        return self._pages("messages", [post.told(metadata) for post in posts], given)

    def _pages(self, name: str, found: list[dict[str, Any]], given: Arguments) -> Arguments:
        start = int(given.get("cursor") or 0)
        end = start + min(int(given.get("limit") or 100), self.page)
        more = {"response_metadata": {"next_cursor": str(end)}} if end < len(found) else {}
        return {name: found[start:end], "has_more": bool(more), **more}

    def _post(self, given: Arguments) -> Arguments:
        place = self._space.addressed(given["channel"])
        held = _held(given)
        post = Post(
            self._space.stamp(),
            BOT_USER,
            thread=given.get("thread_ts", ""),
            metadata=_metadata(given),
            bot_id=BOT_ID,
            **held,
        )
        self._space.put(place, post)
        return {"channel": place, "ts": post.ts, "message": post.told()}

    def _whisper(self, given: Arguments) -> Arguments:
        self._space.whisper(given["channel"], given["user"], given.get("thread_ts", ""), _held(given))
        return {"message_ts": self._space.stamp()}

    def _update(self, given: Arguments) -> Arguments:
        post = self._space.own(given["channel"], given["ts"])
        self._space.change(post, metadata=_metadata(given), **_held(given))
        return {"channel": given["channel"], "ts": post.ts, "text": post.text}

    def _delete(self, given: Arguments) -> Arguments:
        post = self._space.own(given["channel"], given["ts"])
        del self._space.place(given["channel"]).posts[post.ts]
        return {"channel": given["channel"], "ts": given["ts"]}

    def _start(self, given: Arguments) -> Arguments:
        place = self._space.place(given["channel"])
        if not given.get("thread_ts"):
            raise SlackRefuses("invalid_thread_ts")
        if place.kind != "im" and not given.get("recipient_team_id"):
            raise SlackRefuses("missing_recipient_team_id")
        if place.kind != "im" and not given.get("recipient_user_id"):
            raise SlackRefuses("missing_recipient_user_id")
        if given.get("recipient_user_id") not in self._space.people:
            raise SlackRefuses("user_not_found")
        post = Post(
            self._space.stamp(),
            BOT_USER,
            check_text(given),
            thread=given["thread_ts"],
            form="markdown",
            streaming=True,
            was_streamed=True,
            bot_id=BOT_ID,
        )
        self._space.put(given["channel"], post)
        if self._space.agent:
            self._space.statuses[given["channel"], post.thread] = "processing"
        return {"channel": given["channel"], "ts": post.ts}

    def _append(self, given: Arguments) -> Arguments:
        post = self._space.own(given["channel"], given["ts"])
        self._space.append(post, check_text(given))
        return {"channel": given["channel"], "ts": post.ts}

    def _stop(self, given: Arguments) -> Arguments:
        post = self._space.own(given["channel"], given["ts"])
        if not post.streaming:
            raise SlackRefuses("message_not_in_streaming_state")
        if given.get("markdown_text"):  # here it stands beside blocks, which are shown below it
            self._space.append(post, check_text({"markdown_text": given["markdown_text"]}))
        if given.get("blocks"):
            check_blocks(given["blocks"])
            post.blocks = given["blocks"]
        post.streaming = False
        if self._space.agent:
            self._space.statuses[given["channel"], post.thread] = ""
        return {"channel": given["channel"], "ts": post.ts, "message": post.told()}

    def _session(self, given: Arguments) -> Arguments:
        if not self._space.agent:
            raise SlackRefuses("not_authorized")
        self._space.place(given["channel_id"])
        if not given.get("thread_ts"):
            raise SlackRefuses("thread_ts_required")
        if given["status"] not in ("active", "processing", "suspended", "closed"):
            raise SlackRefuses("invalid_status")
        place = (given["channel_id"], given["thread_ts"])
        self._space.titles.setdefault(place, given.get("title", ""))
        self._space.statuses[place] = "" if given["status"] == "active" else given["status"]
        return {"status": given["status"]}

    def _suggest(self, given: Arguments) -> Arguments:
        self._space.place(given["channel_id"])
        if not 0 < len(given["prompts"]) <= 4 or any(
            set(p) != {"title", "message"} for p in given["prompts"]
        ):
            raise SlackRefuses("invalid_arguments")
        self._space.suggested[given["channel_id"]] = given
        return {}

    def _window(self, given: Arguments) -> Arguments:
        if given.get("trigger_id") not in self._space.triggers:
            raise SlackRefuses("invalid_trigger_id")
        self._space.triggers.discard(given["trigger_id"])
        check_view(given["view"])
        self._space.windows.append(given["view"])
        return {"view": {**given["view"], "id": f"V{len(self._space.windows)}"}}

    def _home(self, given: Arguments) -> Arguments:
        check_view(given["view"])
        self._space.homes[given["user_id"]] = given["view"]
        return {"view": given["view"]}

    def _status(self, given: Arguments) -> Arguments:
        self._space.place(given["channel_id"])
        self._space.statuses[given["channel_id"], given["thread_ts"]] = given["status"]
        return {}


def _between(posts: list[Post], given: Arguments) -> list[Post]:
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
    inclusive = str(given.get("inclusive", "")) in ("1", "True", "true")
    if inclusive:
        return [post for post in posts if oldest <= float(post.ts) <= latest]
    return [post for post in posts if oldest < float(post.ts) < latest]


def _held(given: Arguments) -> dict[str, Any]:
    """What a message holds after a call: text, form, blocks and what stands for them elsewhere."""
    blocks = given.get("blocks")
    if not blocks:
        text = check_text(given)
        return {
            "text": text,
            "form": "mrkdwn" if given.get("text") else "markdown",
            "blocks": [],
            "fallback": "",
        }
    fallback = check_text({**given, "blocks": blocks})
    check_blocks(blocks)
    form = "markdown" if any(block["type"] == "markdown" for block in blocks) else "mrkdwn"
    return {"text": text_of(blocks), "form": form, "blocks": blocks, "fallback": fallback}


def _metadata(given: Arguments) -> dict[str, Any] | None:
    found = given.get("metadata")
    parsed: dict[str, Any] | None = json.loads(found) if isinstance(found, str) else found
    if parsed is not None and set(parsed) != {"event_type", "event_payload"}:
        raise SlackRefuses("invalid_metadata_format")
    return parsed
