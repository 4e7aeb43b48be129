"""What concerns one person is told to them alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.slack import SlackAdapter
from bot.dialogue import ChannelKind
from bot.errors import PlatformDown
from bot.ports import Notices
from tests.adapters.slack.talk import DIRECT, GENERAL, asked
from tests.doubles.slack import SlackDouble


async def test_in_a_channel_a_notice_is_seen_by_the_asker_alone(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    assert isinstance(adapter, Notices)
    assert await adapter.notice(await asked(slack), "I may not **post** here.")
    (whisper,) = slack.space.whispers
    assert (whisper.user, whisper.channel, whisper.thread) == ("U0ANN", GENERAL, "")
    assert slack.answers(GENERAL) == []


async def test_in_a_thread_it_stands_in_the_thread(slack: SlackDouble, adapter: SlackAdapter) -> None:
    question = await asked(slack)
    threaded = replace(question, channel=replace(question.channel, kind=ChannelKind.THREAD))
    assert await adapter.notice(threaded, "no")
    assert slack.space.whispers[0].thread == question.channel.root


@pytest.mark.parametrize("obstacle", ["not a member", "archived", "missing scope"])
async def test_where_it_cannot_be_told_it_goes_to_the_direct_messages(
    slack: SlackDouble, adapter: SlackAdapter, obstacle: str
) -> None:
    question = await asked(slack)
    if obstacle == "not a member":
        slack.space.members_only.add(GENERAL)
    elif obstacle == "archived":
        slack.space.place(GENERAL).archived = True
    else:
        slack.fail("chat.postEphemeral", error="missing_scope")
    assert await adapter.notice(question, "Invite me.")
    assert [post.text for post in slack.answers(DIRECT)] == ["Invite me."]


async def test_where_nothing_can_be_told_that_is_said(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.postEphemeral", error="not_in_channel")
    slack.fail("chat.postMessage", error="messages_tab_disabled")
    assert not await adapter.notice(await asked(slack), "no")


async def test_a_slack_that_is_away_is_no_refusal(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.fail("chat.postEphemeral", status=503)
    with pytest.raises(PlatformDown):
        await adapter.notice(await asked(slack), "no")


async def test_a_long_text_is_cut_to_what_slack_takes(slack: SlackDouble, adapter: SlackAdapter) -> None:
    assert await adapter.notice(await asked(slack), "x" * 20_000)
    assert slack.space.whispers[0].text.endswith("x…")
