"""Posts that are refused for good: told to the asker with the cure, noted, and cleared again."""

from __future__ import annotations

from bot.dialogue import Channel, Message, Platform
from bot.errors import PermissionMissing, PlatformDown, PlatformError, PostRefused, StoreDown
from bot.worker import Caring
from tests.fakes import FakeAdapter, FakeWords, a_turn


class Whispering(FakeAdapter):
    """A platform that can tell one person something."""

    def __init__(self) -> None:
        super().__init__()
        self.whispers: list[tuple[str, str]] = []
        self.deaf = False
        self.failure: PlatformError | None = None

    async def notice(self, question: Message, text: str) -> bool:
        if self.failure is not None:
            raise self.failure
        self.whispers.append((question.author.id, text))
        return not self.deaf


class FakeTroubles:
    """Troubles in memory."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, str]] = []
        self.cleared: list[str] = []
        self.error: StoreDown | None = None

    async def note(self, channel: Channel, kind: str, reason: str) -> None:
        self.noted.append((channel.id, kind, reason))

    async def well(self, channel: Channel) -> None:
        if self.error is not None:
            raise self.error
        self.cleared.append(channel.id)


class House:
    """What cares, with all it needs."""

    def __init__(self, adapter: FakeAdapter | None = None) -> None:
        self.adapter = Whispering()
        self.troubles = FakeTroubles()
        adapters = {Platform.SLACK: adapter or self.adapter}
        self.caring = Caring(adapters, self.troubles, FakeWords())


def cured(error: PlatformError) -> PlatformError:
    error.reason, error.values = "invite-me", {"bot": "Frontdesk"}
    return error


async def test_a_refusal_is_noted_and_its_cure_told_to_the_asker_alone() -> None:
    house = House()
    await house.caring.refused(a_turn("How are you?"), cured(PostRefused("not_in_channel")))
    assert house.troubles.noted == [("C1", "PostRefused", "not_in_channel")]
    assert house.adapter.whispers == [("U1", "[en:invite-me bot=Frontdesk]")]


async def test_a_refusal_without_a_known_cure_is_told_as_the_platform_says_it() -> None:
    house = House()
    await house.caring.refused(a_turn("你好吗？"), PermissionMissing("no_right"))
    assert house.adapter.whispers == [("U1", "[zh:not-posted reason=no_right]")]


async def test_who_cannot_be_told_hinders_nothing() -> None:
    house = House()
    house.adapter.failure = PlatformDown("away")
    await house.caring.refused(a_turn("?"), PostRefused("no"))
    house.adapter.failure, house.adapter.deaf = None, True
    await house.caring.refused(a_turn("?"), PostRefused("no"))
    assert len(house.troubles.noted) == 2
    mute = House(FakeAdapter())
    await mute.caring.refused(a_turn("?"), PostRefused("no"))
    assert len(mute.troubles.noted) == 1


async def test_an_answer_that_stands_clears_its_place() -> None:
    house = House()
    await house.caring.well(a_turn("?"))
    assert house.troubles.cleared == ["C1"]
    house.troubles.error = StoreDown("away")
    await house.caring.well(a_turn("?"))
