"""REST calls over the wire: tried again where that is safe, in time, with our errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable

import pytest

from bot.adapters.discord.rest import Rest
from bot.adapters.posting import PostGone
from bot.errors import PlatformDown, TokenRefused
from tests.doubles.discord import DiscordDouble, Place

MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
async def rest(discord: DiscordDouble) -> AsyncIterator[Rest]:
    made = Rest(discord.token, discord.api_url, call_seconds=0.3)
    yield made
    await made.close()


@pytest.fixture
def place(discord: DiscordDouble) -> Place:
    return discord.channel("general")


async def test_a_call_that_hangs_is_given_up_in_time_and_made_again(
    rest: Rest, discord: DiscordDouble, place: Place
) -> None:
    released = discord.hang_next("POST", "/messages")
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    await rest.call("POST", MESSAGES, payload=body, channel_id=place.id)
    released.set()

    assert discord.answers(place) == ["once"]


async def test_a_discord_that_does_not_serve_is_asked_again(
    rest: Rest, discord: DiscordDouble, place: Place
) -> None:
    discord.refuse("GET", "/messages", 503, count=2)

    assert await rest.call("GET", MESSAGES, channel_id=place.id) == []


async def test_each_further_try_of_a_guarded_call_is_told(discord: DiscordDouble, place: Place) -> None:
    told: list[str] = []
    rest = Rest(discord.token, discord.api_url, call_seconds=0.3, retried=lambda: told.append("again"))
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    discord.limit_next("POST", "/messages", 0.05)  # discord.py waits this one out
    await rest.call("POST", MESSAGES, payload=body, channel_id=place.id, guard=_open)
    assert told == ["again"]
    discord.refuse("POST", "/messages", 503)  # and this one we do
    await rest.call("POST", MESSAGES, payload=body, channel_id=place.id, guard=_open)
    discord.refuse("GET", "/messages", 503)
    await rest.call("GET", MESSAGES, channel_id=place.id)  # reads are not posts
    assert told == ["again"] * 2
    await rest.close()


async def test_a_guard_stops_a_call_before_the_wire(rest: Rest, discord: DiscordDouble, place: Place) -> None:
    async def guard() -> None:
        raise PlatformDown("the lease ran out")

    await rest.my_id()
    with pytest.raises(PlatformDown, match="lease"):
        await rest.call("GET", MESSAGES, channel_id=place.id, guard=guard)
    assert discord.calls("GET", "/messages") == []


async def test_a_message_that_is_gone_has_an_error_of_its_own(rest: Rest, place: Place) -> None:
    with pytest.raises(PostGone):
        await rest.call("GET", MESSAGES + "/{message_id}", channel_id=place.id, message_id="1")


async def test_a_token_revoked_later_is_told(rest: Rest, discord: DiscordDouble, place: Place) -> None:
    await rest.my_id()
    discord.refuse("GET", "/messages", 401)
    with pytest.raises(TokenRefused):
        await rest.call("GET", MESSAGES, channel_id=place.id)


async def test_a_login_that_failed_is_tried_at_the_next_call(
    rest: Rest, discord: DiscordDouble, place: Place
) -> None:
    discord.refuse("GET", "/oauth2/applications/@me", 503)
    with pytest.raises(PlatformDown):
        await rest.call("GET", MESSAGES, channel_id=place.id)

    assert await rest.call("GET", MESSAGES, channel_id=place.id) == []


async def test_no_server_at_all_is_platform_down() -> None:
    async with DiscordDouble() as gone:
        url = gone.api_url
    rest = Rest("token", url)
    with pytest.raises(PlatformDown):
        await rest.my_id()
    await rest.close()


async def test_processes_that_share_a_token_keep_within_its_limit_together(
    discord: DiscordDouble, place: Place
) -> None:
    discord.rest.a_second = 50
    both = [Rest(discord.token, discord.api_url, processes=lambda: 2) for _ in range(2)]
    calls = [rest.call("GET", MESSAGES, channel_id=place.id) for rest in both for _ in range(24)]
    await asyncio.gather(*calls)
    for rest in both:
        await rest.close()

    assert discord.rest.limited_globally == 0
    assert len(discord.calls("GET", "/messages")) == 48


async def test_a_limit_of_all_calls_is_waited_out_and_the_guard_asked_again(
    rest: Rest, discord: DiscordDouble, place: Place
) -> None:
    await rest.my_id()
    discord.limit_next("GET", "/messages", 0.4, everywhere=True)
    asked: list[float] = []

    async def noted() -> None:
        asked.append(time.monotonic())

    calls = [
        rest.call("GET", MESSAGES, channel_id=place.id, guard=noted),
        _after(0.2, rest.call("GET", "/channels/{channel_id}", channel_id=place.id)),
    ]
    await asyncio.gather(*calls)

    first, again = asked
    assert again - first >= 0.4
    assert discord.calls("GET", f"/channels/{place.id}")[0].at - first >= 0.4


async def test_a_lease_that_ran_out_during_a_limit_lets_nothing_on_the_wire(
    rest: Rest, discord: DiscordDouble, place: Place
) -> None:
    await rest.my_id()
    discord.limit_next("POST", "/messages", 0.3)
    until = time.monotonic() + 0.2

    async def guard() -> None:
        if time.monotonic() > until:
            raise PlatformDown("the lease ran out")

    with pytest.raises(PlatformDown, match="lease"):
        await rest.call("POST", MESSAGES, payload={"content": "late"}, channel_id=place.id, guard=guard)
    assert discord.answers(place) == []


@pytest.mark.parametrize("status", [500, 502])
async def test_an_error_of_discords_is_tried_again(
    rest: Rest, discord: DiscordDouble, place: Place, status: int
) -> None:
    discord.refuse("GET", "/messages", status)

    assert await rest.call("GET", MESSAGES, channel_id=place.id) == []


async def _after(seconds: float, call: Awaitable[object]) -> object:
    await asyncio.sleep(seconds)
    return await call


async def _open() -> None:
    """Let everything pass."""
