"""Each connection has a seat: without one it stands by, and one that is lost closes it."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.seated import CONNECTIONS, KIND, serve_seated, until_one_ends
from bot.errors import TokenRefused
from tests.adapters.slack.talk import DIRECT, listening
from tests.adapters.slack.together import FakeMarks, FakeSeats, together
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor, FakeWords


class Serving:
    """Counts the connections that are served."""

    def __init__(self) -> None:
        self.now = 0
        self.changed = asyncio.Condition()

    async def serve(self) -> None:
        await self._count(1)
        try:
            await asyncio.Event().wait()
        finally:
            await self._count(-1)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: self.now == count)

    async def _count(self, more: int) -> None:
        async with self.changed:
            self.now += more
            self.changed.notify_all()


async def test_as_many_connections_are_served_as_there_are_seats() -> None:
    serving, seats = Serving(), FakeSeats()
    seats.free[KIND] = asyncio.Semaphore(2)
    task = asyncio.create_task(serve_seated(serving.serve, seats, 3))
    await serving.until(2)
    assert seats.asked == [(KIND, CONNECTIONS, 3)] * 3
    seats.free[KIND].release()  # another process ended
    await serving.until(3)
    task.cancel()
    await asyncio.wait({task})
    assert (serving.now, seats.held) == (0, [])


async def test_a_lost_seat_closes_its_connection_and_a_new_one_is_taken() -> None:
    serving, seats = Serving(), FakeSeats()
    seats.free[KIND] = asyncio.Semaphore(1)
    task = asyncio.create_task(serve_seated(serving.serve, seats, 1))
    await serving.until(1)
    (seat,) = seats.held
    seat.lost.set()
    await serving.until(0)
    await serving.until(1)
    assert seats.held != [seat]
    task.cancel()
    await asyncio.wait({task})


async def test_what_ends_one_connection_for_good_ends_all_and_is_raised() -> None:
    async def refused() -> None:
        raise TokenRefused("no")

    seats = FakeSeats()
    with pytest.raises(TokenRefused):
        await serve_seated(refused, seats, 2)
    assert seats.held == []


async def test_several_sockets_of_one_process_hear_each_message_once(slack: SlackDouble) -> None:
    make = partial(SlackAdapter, slack.bot_token, slack.app_token, slack.api_url, FakeWords())
    adapter = make(together=together(FakeMarks(), sockets=3))
    inbox = FakeDoor()
    async with listening(slack, adapter, inbox):
        await slack.until(lambda: len(slack.sockets.open) == 3)
        await slack.say("U0ANN", DIRECT, "hello")
        await slack.sockets.open[0].close()
        await slack.until(lambda: slack.sockets.connections == 4)
        await slack.say("U0ANN", DIRECT, "still there?")
        await slack.until(lambda: len(inbox.messages) == 2)
    assert [message.text for message in inbox.messages] == ["hello", "still there?"]
    await adapter.close()


async def test_where_one_of_two_fails_both_end_and_it_is_told() -> None:
    serving = Serving()

    async def fails() -> None:
        await serving.until(1)
        raise ValueError("a fault of ours")

    with pytest.raises(ValueError, match="a fault"):
        await until_one_ends(serving.serve(), fails())
    assert serving.now == 0
