"""Whom a message is for, and who is heard at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.attention import AccessList, Attender
from bot.dialogue import Attention, Author, Channel, ChannelKind, Message, Platform


def message(
    kind: ChannelKind = ChannelKind.OPEN,
    *,
    platform: Platform = Platform.SLACK,
    mentions_bot: bool = False,
    mentions_others: bool = False,
) -> Message:
    return Message(
        id="1",
        channel=Channel(platform, "T1", "C1", kind=kind, name="#help"),
        author=Author("U1", "ana", roles=("staff",)),
        text="Hello",
        sent_at=datetime(2026, 11, 23, tzinfo=UTC),
        mentions_bot=mentions_bot,
        mentions_others=mentions_others,
    )


@pytest.mark.parametrize("kind", list(ChannelKind))
@pytest.mark.parametrize("taking_part", [False, True])
def test_what_names_the_bot_is_answered_everywhere(kind: ChannelKind, taking_part: bool) -> None:
    asked = message(kind, mentions_bot=True, mentions_others=True)
    assert Attender()(asked, taking_part) is Attention.ANSWER


@pytest.mark.parametrize("mentions_others", [False, True])
def test_a_direct_message_is_always_for_the_bot(mentions_others: bool) -> None:
    asked = message(ChannelKind.DIRECT, mentions_others=mentions_others)
    assert Attender()(asked, False) is Attention.ANSWER


def test_a_follow_up_in_a_thread_it_takes_part_in_needs_no_mention() -> None:
    assert Attender()(message(ChannelKind.THREAD), True) is Attention.ANSWER


def test_a_follow_up_that_addresses_somebody_else_is_kept_and_not_answered() -> None:
    assert Attender()(message(ChannelKind.THREAD, mentions_others=True), True) is Attention.KEEP


@pytest.mark.parametrize("kind", [ChannelKind.OPEN, ChannelKind.THREAD])
def test_what_is_said_where_it_takes_no_part_is_not_kept(kind: ChannelKind) -> None:
    assert Attender()(message(kind), False) is Attention.IGNORE


@pytest.mark.parametrize(
    "listed",
    [
        AccessList(),
        AccessList(allow_users=frozenset({"U1"})),
        AccessList(allow_users=frozenset({"ana"})),
        AccessList(allow_roles=frozenset({"staff"})),
        AccessList(allow_users=frozenset({"U2"}), allow_roles=frozenset({"staff"})),
        AccessList(allow_channels=frozenset({"C1"})),
        AccessList(allow_channels=frozenset({"help"})),
        AccessList(block_users=frozenset({"U2"}), block_roles=frozenset({"guest"})),
    ],
)
def test_who_is_allowed_is_heard(listed: AccessList) -> None:
    assert listed.admits(message())


@pytest.mark.parametrize(
    "listed",
    [
        AccessList(allow_users=frozenset({"U2"})),
        AccessList(allow_roles=frozenset({"guest"})),
        AccessList(allow_channels=frozenset({"C2"})),
        AccessList(allow_users=frozenset({"U1"}), block_users=frozenset({"ana"})),
        AccessList(allow_users=frozenset({"U1"}), block_roles=frozenset({"staff"})),
        AccessList(allow_users=frozenset({"U1"}), allow_channels=frozenset({"C2"})),
        AccessList(allow_channels=frozenset({"C1"}), block_channels=frozenset({"#help"})),
    ],
)
def test_a_block_wins_and_an_allow_list_shuts_out_the_rest(listed: AccessList) -> None:
    assert not listed.admits(message())


def test_lists_of_channels_say_nothing_about_direct_messages() -> None:
    listed = AccessList(allow_channels=frozenset({"C2"}), block_channels=frozenset({"C1"}))
    assert listed.admits(message(ChannelKind.DIRECT))
    assert not AccessList(block_users=frozenset({"U1"})).admits(message(ChannelKind.DIRECT))


def test_each_platform_has_its_own_lists() -> None:
    attend = Attender({Platform.SLACK: AccessList(block_users=frozenset({"U1"}))})
    assert attend(message(mentions_bot=True), True) is Attention.IGNORE
    assert attend(message(platform=Platform.DISCORD, mentions_bot=True), True) is Attention.ANSWER
