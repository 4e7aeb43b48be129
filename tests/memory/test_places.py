"""Which conversation a message belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.dialogue import Channel, ChannelKind, Message, Piece, Platform
from bot.memory.arrivals import look
from bot.memory.eras import era_of
from bot.memory.places import branches, key_of
from tests.memory.conftest import BEN, DIRECT, OPEN, PAGE, THREAD, Open, Record, done, message


async def key(record: Record, one: Message) -> str:
    async with record.database.statements() as run:
        seen = await look(run, one, create=True)
        rows = await run("SELECT key FROM conversations WHERE id = %(number)s", number=seen.conversation)
    return str(rows[0]["key"])


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (THREAD, "slack:T1:C1:100.1"),
        (DIRECT, "slack:T1:D1:new0"),
        (replace(DIRECT, root="5.5"), "slack:T1:D1:5.5"),
        (OPEN, "discord:G1:500:77"),
        (replace(OPEN, kind=ChannelKind.THREAD), "discord:G1:500:"),
        (replace(OPEN, workspace="", kind=ChannelKind.DIRECT), "discord::500:new0"),
        (PAGE, "web:local:page:new0"),
    ],
)
async def test_each_place_has_its_conversation(record: Record, channel: Channel, expected: str) -> None:
    assert await key(record, message(channel=channel, id="77")) == expected


async def test_new_begins_another_conversation_in_that_channel_alone(record: Record) -> None:
    other = replace(DIRECT, id="D2")
    first = await record.asked("hello", channel=DIRECT)
    await record.begun_anew(DIRECT)
    await record.begun_anew(DIRECT)
    assert await record.asked("hello", channel=DIRECT) != first
    assert await key(record, message(channel=DIRECT)) == "slack:T1:D1:new2"
    assert await key(record, message(channel=other)) == "slack:T1:D2:new0"
    assert await key(record, message(channel=replace(DIRECT, root="5.5"))) == "slack:T1:D1:5.5"
    async with record.database.transaction() as connection:
        assert [await era_of(connection, channel) for channel in (DIRECT, other)] == [2, 0]


async def test_a_reply_belongs_to_the_chain_of_what_it_replies_to(record: Record) -> None:
    turn = await record.claimed(message("root", OPEN, id="11"), channel=OPEN)
    receipts = record.outbox.receipts(turn, Open())
    await receipts.sending(Piece(0, "answer"))
    await receipts.sent(Piece(0, "answer"), "21")
    await record.turns.finish(turn, done("answer"))
    to_ours = await record.asked(message("more", OPEN, id="12", reply_to="21"))
    to_theirs = await record.asked(message("else", OPEN, BEN, id="13", reply_to="12"))
    another = await record.asked(message("root", OPEN, id="14"))
    assert to_ours == to_theirs == turn.conversation.id != another
    links = await record.rows("SELECT platform_id, parent_id, parent_turn_id FROM messages WHERE NOT said")
    ids = {row["platform_id"]: row["id"] for row in await record.rows("SELECT id, platform_id FROM messages")}
    assert {row["platform_id"]: (row["parent_id"], row["parent_turn_id"]) for row in links} == {
        "11": (None, None),
        "12": (None, turn.id),
        "13": (ids["12"], None),
        "14": (None, None),
    }


async def test_replies_to_the_same_unknown_message_are_one_chain(record: Record) -> None:
    first = await record.asked(message("one", OPEN, reply_to="9"))
    assert await record.asked(message("two", OPEN, BEN, reply_to="9")) == first


async def test_the_same_id_in_another_channel_is_another_message(record: Record) -> None:
    await record.asked(message("one", OPEN, id="11"))
    elsewhere = message("two", replace(OPEN, id="501"), BEN, reply_to="11")
    assert await key(record, elsewhere) == "discord:G1:501:11"


def test_only_open_discord_channels_branch() -> None:
    assert branches(OPEN)
    assert not branches(replace(OPEN, kind=ChannelKind.THREAD))
    assert not branches(replace(THREAD, kind=ChannelKind.OPEN))


def test_a_key_is_the_message_s_own() -> None:
    one = message(channel=Channel(Platform.SLACK, "T", "C", "1.1"), id="2.2")
    assert key_of(one.channel, "2.2") == one.key == "slack:T:C:2.2"
