"""Who asks too much is told so alone, once, after the message was kept."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from bot.dialogue import Message, Platform
from bot.errors import PlatformDown, PlatformError
from bot.ports import Adapter
from bot.reception import Courtesy
from tests.fakes import FakeAdapter, FakeWords, a_message


class FakeRates:
    """Knows in memory who was told."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    async def first_told(self, message: Message) -> bool:
        first = message.author.id not in self.told
        self.told.add(message.author.id)
        return first


class Whispering(FakeAdapter):
    """A platform that can tell one person something."""

    def __init__(self) -> None:
        super().__init__()
        self.whispers: list[str] = []
        self.failure: PlatformError | None = None

    async def notice(self, question: Message, text: str) -> bool:
        if self.failure is not None:
            raise self.failure
        self.whispers.append(text)
        return True


def courtesy(adapter: Adapter) -> Courtesy:
    adapters: Mapping[Platform, Adapter] = {Platform.SLACK: adapter}
    return Courtesy(adapters, FakeRates(), FakeWords())


async def test_a_person_is_told_once_in_their_language() -> None:
    adapter = Whispering()
    telling = courtesy(adapter)
    for _ in range(3):
        telling.tell(a_message("How are you?"))
    await telling.close()
    assert adapter.whispers == ["[en:rate-limited]"]


async def test_where_nobody_can_be_told_alone_nothing_is_said() -> None:
    telling = courtesy(adapter := FakeAdapter())
    telling.tell(a_message("How are you?"))
    await telling.close()
    assert adapter.room.seen == []


@pytest.mark.parametrize("failure", [PlatformDown("away")])
async def test_a_platform_that_is_away_harms_nothing(failure: PlatformError) -> None:
    adapter = Whispering()
    adapter.failure = failure
    telling = courtesy(adapter)
    with capture_logs() as logs:
        telling.tell(a_message("How are you?"))
        await telling.close()
    assert [line["event"] for line in logs] == ["person_not_told"]
