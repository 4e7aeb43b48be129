"""The home tab shows what concerns a person, in their language."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.views import home_view, prompts
from bot.catalogue import Catalogue
from bot.dialogue import TONGUES, Channel, ChannelKind, Platform, Thread, Wish
from tests.adapters.slack.talk import DIRECT, GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_blocks import check_view, controls, text_of
from tests.fakes import FakeDoor

PLACE = Channel(Platform.SLACK, "T0001", GENERAL, "1763913600.000100", ChannelKind.THREAD, "general")
THREAD = Thread(PLACE, "How do I <reset> it?", datetime(2026, 11, 23, 9, tzinfo=UTC))


async def test_it_lists_ones_threads_with_their_addresses(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    direct = Thread(Channel(Platform.SLACK, "T0001", DIRECT, kind=ChannelKind.DIRECT), "", THREAD.last_at)
    door.threads_of["U0ANN"] = [THREAD, direct]
    async with listening(slack, adapter, door):
        await slack.open_home("U0ANN")
        await slack.until(lambda: "U0ANN" in slack.space.homes)
    shown = text_of(slack.space.homes["U0ANN"]["blocks"])
    address = "https://example.slack.com/archives/C0GENERAL/p1763913600000100"
    assert f"<{address}|How do I &lt;reset&gt; it?>" in shown
    assert "<https://example.slack.com/archives/D0ANN|[en-GB:slack-home-direct]>" in shown


async def test_it_says_so_where_nothing_was_asked(slack: SlackDouble, adapter: SlackAdapter) -> None:
    async with listening(slack, adapter, FakeDoor()):
        await slack.open_home("U0BEA")
        await slack.until(lambda: "U0BEA" in slack.space.homes)
    assert "[zh-CN:slack-home-none]" in text_of(slack.space.homes["U0BEA"]["blocks"])


async def test_a_language_is_chosen_in_it_and_shown_at_once(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.open_home("U0ANN")
        await slack.until(lambda: "U0ANN" in slack.space.homes)
        await slack.choose("U0ANN", "繁體中文")
        await slack.until(lambda: "[zh-TW:slack-home-hello" in str(slack.space.homes["U0ANN"]))
        (select,) = [b["accessory"] for b in slack.space.homes["U0ANN"]["blocks"] if "accessory" in b]
        await slack.choose("U0ANN", "[zh-TW:slack-home-language-auto]")
        await slack.until(lambda: len(door.requests) == 2)
    assert select["initial_option"]["value"] == "zh-TW"
    assert [(request.wish, request.value) for request in door.requests] == [
        (Wish.LANGUAGE, "zh-TW"),
        (Wish.LANGUAGE, ""),
    ]
    assert (door.requests[0].person.id, door.requests[0].channel.workspace) == ("U0ANN", "T0001")


async def test_in_direct_messages_first_questions_are_suggested_once(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    async with listening(slack, adapter, FakeDoor()):
        for _ in range(2):
            await slack.open_home("U0ANN", "messages")
            await slack.until(lambda: DIRECT in slack.space.suggested)
        await slack.open_home("U0ANN")
        await slack.until(lambda: "U0ANN" in slack.space.homes)
    (call,) = slack.called("assistant.threads.setSuggestedPrompts")
    assert "thread_ts" not in call  # in an agent's direct messages it would be passed over in silence
    assert len(call["prompts"]) == 3


async def test_a_home_that_cannot_be_shown_hurts_nobody(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("views.publish", error="not_enabled")
    async with listening(slack, adapter, FakeDoor()):
        await slack.open_home("U0ANN")
        await slack.until(lambda: slack.called("views.publish"))
        await slack.open_home("U0ANN")
        await slack.until(lambda: "U0ANN" in slack.space.homes)


def test_it_fits_into_slack_in_every_language() -> None:
    words = Catalogue()
    long = replace(THREAD, title="很长的标题 " * 60)
    for language in ("en", "zh-CN", "zh-TW"):
        view = home_view(words, language, language, "Ann " * 80, [long] * 30, "https://example.slack.com/")
        check_view(view)
        assert [name for name, _ in controls(view["blocks"])][1:] == list(TONGUES.values())
        suggested = prompts(words, language)["prompts"]
        assert all(item["title"] and item["message"] for item in suggested)
