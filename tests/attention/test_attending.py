"""What becomes of a message: answered, kept, or passed over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.attention import AccessList, Attender
from bot.dialogue import Attention, Author, Channel, ChannelKind, Message, Platform, Scene, Spoken
from tests.fakes import a_message

OPEN = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.OPEN, "general")
THREAD = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.THREAD, "general")
DIRECT = Channel(Platform.SLACK, "T1", "D1", kind=ChannelKind.DIRECT)
ANN = Author("U1", "Ann", roles=("R1", "Support"))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANSWERED = Scene(
    (Spoken("U1", "Ann", "How?", NOON, asked=True), Spoken("B1", "Acme", "So.", NOON, True, "U1"))
)


def heard(
    channel: Channel = OPEN, text: str = "And then?", *, mentioned: bool = True, others: bool = False
) -> Message:
    return a_message(text, channel=channel, author=ANN, mentions_bot=mentioned, mentions_others=others)


def test_a_direct_message_is_for_the_bot() -> None:
    assert Attender()(heard(DIRECT, mentioned=False), None) is Attention.ANSWER


@pytest.mark.parametrize("channel", [OPEN, THREAD])
@pytest.mark.parametrize("others", [False, True])
def test_a_mention_is_for_the_bot_whoever_else_is_mentioned(channel: Channel, others: bool) -> None:
    assert Attender()(heard(channel, others=others), None) is Attention.ANSWER


@pytest.mark.parametrize("channel", [OPEN, THREAD])
def test_what_names_nobody_where_the_bot_takes_no_part_is_nothing_to_it(channel: Channel) -> None:
    assert Attender()(heard(channel, mentioned=False), None) is Attention.IGNORE


def test_a_follow_up_in_its_thread_needs_no_mention() -> None:
    assert Attender()(heard(THREAD, mentioned=False), Scene()) is Attention.ANSWER


def test_a_follow_up_that_addresses_somebody_else_is_only_kept() -> None:
    assert Attender()(heard(THREAD, mentioned=False, others=True), Scene()) is Attention.KEEP


def test_in_an_open_channel_only_what_names_the_bot_is_answered() -> None:
    assert Attender()(heard(OPEN, mentioned=False), Scene()) is Attention.KEEP


def test_each_platform_has_its_own_list_and_one_without_is_open() -> None:
    attend = Attender({Platform.SLACK: AccessList(block_users=frozenset({"Ann"}))})
    on_discord = Channel(Platform.DISCORD, "G1", "C1")
    assert attend(heard(OPEN), None) is Attention.IGNORE
    assert attend(heard(DIRECT, mentioned=False), Scene()) is Attention.IGNORE
    assert attend(heard(on_discord), None) is Attention.ANSWER


def test_a_direct_message_is_for_the_bot_whatever_it_says() -> None:
    assert Attender()(heard(DIRECT, "thanks!", mentioned=False), ANSWERED) is Attention.ANSWER


def test_the_scene_decides_in_a_thread() -> None:
    assert Attender()(heard(THREAD, "And then?", mentioned=False), ANSWERED) is Attention.ANSWER
    assert Attender()(heard(THREAD, "thanks!", mentioned=False), ANSWERED) is Attention.KEEP


@pytest.mark.parametrize("text", ["Helpdesk, and then?", "acme, and then?", "@helpdesk and then?"])
def test_the_bot_goes_by_the_names_it_is_given_and_the_one_it_speaks_under(text: str) -> None:
    attend = Attender(names=["Helpdesk"])
    quiet = Scene(ANSWERED.lately, quiet=True)
    assert attend(heard(THREAD, text, mentioned=False), quiet) is Attention.ANSWER
    assert attend(heard(THREAD, "and then?", mentioned=False), quiet) is Attention.KEEP
    assert attend(heard(OPEN, text, mentioned=False), ANSWERED) is Attention.ANSWER


def test_the_bot_goes_by_what_it_is_called_in_a_place() -> None:
    attend = Attender(also=lambda channel: ("", "Deskbot") if channel.workspace == "T1" else ())
    quiet = Scene(ANSWERED.lately, quiet=True)
    elsewhere = Channel(Platform.SLACK, "T2", "C1", "1.0", ChannelKind.THREAD)
    text = "Deskbot, and then?"
    assert attend(heard(THREAD, text, mentioned=False), quiet) is Attention.ANSWER
    assert attend(heard(THREAD, "and then?", mentioned=False), quiet) is Attention.KEEP
    assert attend(heard(elsewhere, text, mentioned=False), quiet) is Attention.KEEP
