"""Who is heard at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.attention import AccessList
from bot.dialogue import Author, Channel, ChannelKind, Message, Platform
from tests.fakes import a_message

OPEN = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.OPEN, "general")
THREAD = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.THREAD, "general")
DIRECT = Channel(Platform.SLACK, "T1", "D1", kind=ChannelKind.DIRECT)
ANN = Author("U1", "Ann", roles=("R1", "Support"))


def heard(channel: Channel = OPEN, *, mentioned: bool = True, others: bool = False) -> Message:
    return a_message("Hi", channel=channel, author=ANN, mentions_bot=mentioned, mentions_others=others)


def admitted(channel: Channel = OPEN, **lists: set[str]) -> bool:
    access = AccessList(**{name: frozenset(entries) for name, entries in lists.items()})
    one = heard(channel)
    return access.admits(one.author, one.channel)


def test_without_lists_everybody_is_heard_everywhere() -> None:
    assert admitted()
    assert admitted(DIRECT)


@pytest.mark.parametrize("entry", ["U1", "Ann"])
def test_a_user_is_named_by_id_or_by_name(entry: str) -> None:
    assert admitted(allow_users={entry})
    assert not admitted(block_users={entry})


@pytest.mark.parametrize("entry", ["R1", "Support"])
def test_a_role_is_named_by_id_or_by_name(entry: str) -> None:
    assert admitted(allow_roles={entry})
    assert not admitted(block_roles={entry})


@pytest.mark.parametrize("name", ["general", "#general"])
@pytest.mark.parametrize("entry", ["C1", "general", "#general"])
def test_a_channel_is_named_by_id_or_by_name_with_or_without_its_mark(name: str, entry: str) -> None:
    channel = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.OPEN, name)
    assert admitted(channel, allow_channels={entry})
    assert not admitted(channel, block_channels={entry})


def test_who_is_on_no_allow_list_is_not_heard() -> None:
    assert not admitted(allow_users={"Bob"})
    assert not admitted(allow_roles={"Boss"})
    assert not admitted(allow_channels={"random"})


def test_an_allowed_user_or_an_allowed_role_is_enough() -> None:
    assert admitted(allow_users={"Ann"}, allow_roles={"Boss"})
    assert admitted(allow_users={"Bob"}, allow_roles={"Support"})


def test_an_allowed_person_is_not_heard_in_a_channel_that_is_not_allowed() -> None:
    assert not admitted(allow_users={"Ann"}, allow_channels={"random"})


def test_a_block_wins_over_an_allowance() -> None:
    assert not admitted(allow_users={"Ann"}, block_users={"U1"})
    assert not admitted(allow_users={"Ann"}, block_roles={"Support"})
    assert not admitted(allow_channels={"general"}, block_channels={"C1"})


def test_channel_lists_do_not_count_in_a_direct_message_but_those_of_people_do() -> None:
    assert admitted(DIRECT, allow_channels={"general"}, block_channels={"D1"})
    assert not admitted(DIRECT, block_users={"Ann"})
    assert not admitted(DIRECT, allow_users={"Bob"})


def test_an_unnamed_channel_is_not_taken_for_another() -> None:
    nameless = Channel(Platform.SLACK, "T1", "C9", "1.0")
    assert not admitted(nameless, allow_channels={"general"})
    assert admitted(nameless, block_channels={"general"})


@pytest.mark.parametrize("entry", ["P1", "#help", "Help", "K1", "support desk"])
def test_a_list_that_names_a_parent_reaches_the_threads_below_it(entry: str) -> None:
    thread = replace(THREAD, id="T9", name="a thread", parents=("P1", "help", "K1", "Support Desk"))
    assert admitted(thread, allow_channels={entry})
    assert not admitted(thread, block_channels={entry})
    assert not admitted(thread, allow_channels={"random"})


def test_where_a_place_stands_does_not_make_it_another_place() -> None:
    assert replace(THREAD, parents=("P1",)) == THREAD


@pytest.mark.parametrize("entry", ["ann", "@Ann", "ANN", " @ann "])
def test_a_person_is_named_with_or_without_the_mark_in_any_case(entry: str) -> None:
    assert admitted(allow_users={entry})
    assert not admitted(block_users={entry})


@pytest.mark.parametrize("entry", ["support", "@support", "SUPPORT"])
def test_a_role_is_named_with_or_without_the_mark_in_any_case(entry: str) -> None:
    assert admitted(allow_roles={entry})
    assert not admitted(block_roles={entry})


@pytest.mark.parametrize("entry", ["General", "#GENERAL"])
def test_a_channel_is_named_in_any_case(entry: str) -> None:
    assert admitted(allow_channels={entry})
    assert not admitted(block_channels={entry})


@pytest.mark.parametrize("number", ["U0ADMIN99", "1234567890123456789"])
def test_nobody_gets_in_by_taking_somebody_s_id_for_a_name(number: str) -> None:
    access = AccessList(allow_users=frozenset({number}))
    assert not access.admits(Author("U2", number), OPEN)
    assert access.admits(Author(number, "Ann"), OPEN)


def test_an_entry_that_says_nothing_names_nobody() -> None:
    nameless = a_message("Hi", channel=replace(OPEN, name=""), author=Author("U2", ""))
    assert not AccessList(allow_users=frozenset({"@"})).admits(nameless.author, nameless.channel)
    assert AccessList(block_channels=frozenset({"#"})).admits(nameless.author, nameless.channel)
