"""What was written while nobody listened, read from Slack's history within a budget of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.adapters.slack.budgets import Budget
from bot.adapters.slack.web import Busy, Refused, Web
from bot.errors import PermissionMissing, PlatformDown, PostRefused

log = structlog.get_logger()

# Slack's tier 3 is about 50 a minute for each method; answering reads threads by the same methods.
PER_MINUTE, BURST = 30, 10
PAGE = 500
FEW = 15  # no page of an app that is sold but not listed is longer, and such an app has one call a minute
MOST = 1_000  # messages of one channel or thread, the newest
THREADS = 20  # of one channel that are older than what was read of it
KINDS = ("public_channel", "private_channel", "mpim", "im")
LONGEST_PAUSE = 30.0

_GONE = frozenset({"thread_not_found", "message_not_found"})

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel; `kind` is Slack's channel type, `roots` are its threads that the record knows of late."""

    id: str
    kind: str = ""
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """What is newer than `since`, in a channel and in threads that began after `back`; in Slack's time."""

    since: float
    back: float


class Missed:
    """Asks for it however long Slack does not answer, and waits where Slack says so."""

    def __init__(self, web: Web, budget: Budget | None = None) -> None:
        """`budget` is for all calls together."""
        self._web = web
        self._budget = budget or Budget(PER_MINUTE, BURST)

    async def spots(self) -> list[Spot]:
        """List the channels that the bot is in, as far as its scopes allow; raises `TokenRefused`."""
        found: list[Spot] = []
        for kind in KINDS:
            try:
                arguments = {"types": kind, "exclude_archived": True}
                async for page in self._pages("users.conversations", **arguments):
                    found += [Spot(item["id"], _kind(item)) for item in _items(page, "channels", "id")]
            except PermissionMissing as error:
                log.warning("slack_gaps_channels_unknown", kind=kind, reason=str(error))
        return found

    async def written(self, spot: Spot, window: Window) -> list[dict[str, Any]]:
        """
        Read what is new in a channel and its threads, as the events that would have told of it, oldest first.

        Empty where the bot may not read. Raises `TokenRefused`.
        """
        try:
            items = await self._top(spot, window)
            for root in _threads(spot, items, window):
                for item in await self._replies(spot, root, window):
                    items.setdefault(item["ts"], item)
        except PostRefused as error:
            log.info("slack_gap_unreadable", channel=spot.id, reason=str(error))
            return []
        except PermissionMissing as error:
            log.warning("slack_gap_unreadable", channel=spot.id, reason=str(error))
            return []
        return _as_events(spot, items.values(), window)

    async def replies(self, spot: Spot, root: str, ts: str) -> list[dict[str, Any]]:
        """Read what follows a message in its thread, as `written` does."""
        window = Window(_number(ts), _number(ts))
        try:
            return _as_events(spot, await self._replies(spot, root, window), window)
        except (PostRefused, PermissionMissing) as error:
            log.info("slack_gap_unreadable", channel=spot.id, reason=str(error))
            return []

    async def stands(self, channel: str, root: str, ts: str) -> bool:
        """Say whether a message is still there; where that cannot be told, it is."""
        method, thread = _method(root if root != ts else "")
        one = {"oldest": ts, "latest": ts, "inclusive": True, "limit": 2}
        try:
            answer = await self._ask(method, channel=channel, **thread, **one)
        except Refused as error:
            return error.code not in _GONE
        except (PostRefused, PermissionMissing):
            return True
        found = _items(answer, "messages", "ts")
        return any(item["ts"] == ts and item.get("subtype") != "tombstone" for item in found)

    async def _top(self, spot: Spot, window: Window) -> dict[str, Item]:
        """Read a channel from its newest message back; a thread's first message tells of its newest."""
        items: dict[str, Item] = {}
        async for page in self._pages("conversations.history", channel=spot.id, oldest=_stamp(window.back)):
            found = _items(page, "messages", "ts")
            items |= {item["ts"]: item for item in found}
            if len(items) >= MOST:
                log.warning("slack_gap_bounded", channel=spot.id, messages=len(items))
                break
            if len(found) <= FEW and found and min(map(_sent_at, found)) <= window.since:
                break  # of what is older only the threads would be told, at a call a minute
        return items

    async def _replies(self, spot: Spot, root: str, window: Window) -> list[Item]:
        items: list[Item] = []
        given = {"channel": spot.id, "ts": root, "oldest": _stamp(window.since)}
        try:
            async for page in self._pages("conversations.replies", **given):
                items += _items(page, "messages", "ts")
                if len(items) >= MOST:
                    log.warning("slack_gap_bounded", channel=spot.id, messages=len(items))
                    break
        except Refused as error:
            if error.code not in _GONE:
                raise
        return items

    async def _pages(self, method: str, **arguments: Any) -> AsyncIterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            page = await self._ask(method, limit=PAGE, cursor=cursor, **arguments)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def _ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        tried = 0
        while True:
            await self._budget.wait()
            try:
                return await self._web.ask(method, **arguments)
            except Busy as busy:
                log.info("slack_gaps_paced", method=method, seconds=busy.retry_after)
                self._budget.rest(busy.retry_after)
            except PlatformDown as error:
                tried += 1
                log.warning("slack_gaps_wait", method=method, reason=str(error), tried=tried)
                await asyncio.sleep(min(LONGEST_PAUSE, 0.25 * 2**tried))


def _threads(spot: Spot, items: Mapping[str, Item], window: Window) -> Sequence[str]:
    """Name the threads with new replies, and those of the record that began before what was read."""
    active = [ts for ts, item in items.items() if _number(item.get("latest_reply")) > window.since]
    older = [root for root in spot.roots if root and root not in items]
    return [*active, *older[:THREADS]]


def _as_events(spot: Spot, items: Iterable[Item], window: Window) -> list[dict[str, Any]]:
    told = {"type": "message", "channel": spot.id, "channel_type": spot.kind}
    new = [item for item in items if _changed_at(item) > window.since]
    return [{**item, **told} for item in sorted(new, key=_sent_at)]


def _items(page: Mapping[str, Any], name: str, key: str) -> list[Item]:
    found = page.get(name)
    listed: Iterable[Any] = found if isinstance(found, list) else ()
    return [item for item in listed if isinstance(item, Mapping) and isinstance(item.get(key), str)]


def _kind(item: Item) -> str:
    """Say the channel's type as events do."""
    if item.get("is_im"):
        return "im"
    if item.get("is_mpim"):
        return "mpim"
    return "group" if item.get("is_private") else "channel"


def _method(root: str) -> tuple[str, dict[str, str]]:
    return ("conversations.replies", {"ts": root}) if root else ("conversations.history", {})


def _changed_at(item: Item) -> float:
    edited = item.get("edited")
    return max(_sent_at(item), _number(edited.get("ts")) if isinstance(edited, Mapping) else 0.0)


def _sent_at(item: Item) -> float:
    return _number(item.get("ts"))


def _number(stamp: object) -> float:
    try:
        return float(stamp) if isinstance(stamp, str) else 0.0
    except ValueError:
        return 0.0


def _stamp(seconds: float) -> str:
    return f"{max(0.0, seconds):.6f}"
