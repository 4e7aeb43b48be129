"""The adapter keeps what the ports promise."""

from __future__ import annotations

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.writing import harmless, write_text
from bot.dialogue import Channel, Platform
from bot.ports import Adapter, Named
from tests.adapters.slack.talk import GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor


async def test_it_is_an_adapter(adapter: SlackAdapter) -> None:
    port: Adapter = adapter
    assert port.platform is Platform.SLACK


async def test_it_knows_what_the_bot_is_called_once_it_has_heard_something(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    slack.space.add_person("U0BOT", "Deskbot", "", "")
    place, door = Channel(Platform.SLACK, "T0001", GENERAL), FakeDoor()
    assert isinstance(adapter, Named)
    assert adapter.names(place) == ()
    async with listening(slack, adapter, door):
        await slack.say("U0ANN", GENERAL, "hello")
        await slack.until(lambda: door.messages)
        assert adapter.names(place) == ("frontdesk", "Deskbot")


async def test_every_piece_fits_in_whichever_form_it_is_sent(adapter: SlackAdapter) -> None:
    text = "\n\n".join(
        [
            "Some & more <words> " * 300,
            "```html\n" + "<div class='x'>&amp;</div>\n" * 400 + "```",
            "终于" * 5_000,
            "🎉" * 3_000,
        ]
    )
    pieces = adapter.cutter()(text)
    assert len(pieces) > 5
    for piece in pieces:
        assert len(harmless(piece).encode("utf-16-le")) // 2 <= 3_800
        assert len(write_text(piece)) <= 4_000
