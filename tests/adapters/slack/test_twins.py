"""A message that comes twice is known the second time."""

from __future__ import annotations

import asyncio

from bot.adapters.slack import twins
from bot.adapters.slack.twins import Twins


async def test_who_waits_goes_on_as_soon_as_the_twin_was_kept() -> None:
    heard = Twins()
    waiting = asyncio.create_task(heard.wait(("C1", "1.0")))
    await asyncio.sleep(0)
    assert not heard.known(("C1", "1.0"))
    heard.heard(("C1", "1.0"))
    async with asyncio.timeout(0.5):
        await waiting
    assert heard.known(("C1", "1.0"))
    assert not heard.known(("C2", "1.0"))


async def test_a_twin_that_never_comes_is_not_waited_for_long() -> None:
    async with asyncio.timeout(twins.TWIN_SECONDS + 2):
        await Twins().wait(("C1", "1.0"))


async def test_only_so_many_are_remembered() -> None:
    heard = Twins()
    for number in range(twins.HEARD + 10):
        heard.heard(("C1", str(number)))
    assert not heard.known(("C1", "0"))
    assert heard.known(("C1", str(twins.HEARD + 9)))
