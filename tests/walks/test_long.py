"""Walks through a long conversation: what no longer fits is told shortly, and the record says so."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.dialogue import Author, Channel, ChannelKind, Message, Platform, Reading
from tests.doubles.model import ModelDouble
from tests.walks.conftest import Opener, Record

PLACE = Channel(Platform.WEB, "local", "long", kind=ChannelKind.DIRECT)
SMALL = {"BOT_MODEL__CONTEXT_TOKENS": "1500", "BOT_MODEL__ANSWER_TOKENS": "200"}
FACT = "My sister Wilhelmina lives in Reykjavik. "


def reply(body: dict[str, object]) -> str:
    """Summarise when asked to, else talk."""
    asked = str(body["messages"])
    return "Wilhelmina lives in Reykjavik." if "Summarise this part" in asked else "I see. " * 20


async def test_what_no_longer_fits_is_told_shortly_and_stays_in_the_record(
    model: ModelDouble, house: Opener, record: Record
) -> None:
    model.reply = reply
    async with house(**SMALL) as built:
        for number in range(14):
            text = (FACT if number == 0 else "") + f"Message {number}: " + "word " * 60
            message = Message(f"m{number}", PLACE, Author("ann", "Ann"), text, datetime.now(UTC))
            await built.house.inbox.accept(message)
            assert len(await record.turns_of(number + 1)) == number + 1
        await record.until("SELECT count(*) > 0 FROM summary_blocks")
        await built.house.inbox.accept(
            Message("last", PLACE, Author("ann", "Ann"), "Where does my sister live?", datetime.now(UTC))
        )
        await record.turns_of(15)
        turn = await built.house.transcripts.turn_of(PLACE)
        why = await built.house.transcripts.why(turn)
    asked = [request for request in model.requests if "Where does my sister" in request.question]
    system = asked[-1].messages[0]["content"]
    assert "Wilhelmina lives in Reykjavik." in system
    assert FACT not in str(asked[-1].messages[1:])
    assert why is not None
    assert {reason.reading for reason in why.reasons} >= {Reading.SUMMARY, Reading.WHOLE}
    assert why.manifest.tokens <= why.manifest.budget
    kept = await record.rows("SELECT count(*), count(*) FILTER (WHERE said) FROM messages")
    assert kept == [(30, 15)]
