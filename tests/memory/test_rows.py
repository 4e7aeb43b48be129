"""Messages to rows and back."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Author, File
from bot.generation.tokens import TiktokenCounter
from bot.memory.quoting import told
from bot.memory.rows import OVERHEAD, cleaned, message_of, storable, weigh
from bot.memory.turns import _question
from tests.memory.conftest import THREAD, Record, Words, edited, message


@given(st.text(st.characters(), max_size=50))
def test_whatever_was_written_can_be_stored(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    kept.encode("utf-8")
    assert storable(kept) == kept
    assert kept == text or "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def test_names_and_files_are_made_storable_too() -> None:
    dirty = message("a\x00", author=Author("U1", "A\x00da"), files=(File("\x00b"),))
    clean = cleaned(dirty)
    assert (clean.text, clean.author.name, clean.files) == ("a", "Ada", (File("b"),))
    assert clean.key == dirty.key


def test_a_message_weighs_what_is_read_of_it() -> None:
    plain = message("two words")
    assert weigh(Words(), plain) == 3 + OVERHEAD
    assert weigh(Words(), replace(plain, files=(File("a.txt"), File("b.txt")))) == 7 + OVERHEAD
    assert weigh(Words(), replace(plain, text="")) == 1 + OVERHEAD


@given(st.text(max_size=200), st.lists(st.text(max_size=10), max_size=3))
def test_no_line_costs_more_than_was_counted(tokens: TiktokenCounter, text: str, files: list[str]) -> None:
    one = message(text, files=tuple(map(File, files)))
    line = f"{one.author.name}: {told(one.text, one.files, {})}"
    assert tokens.count(line) <= weigh(tokens, one) - OVERHEAD


async def test_a_message_comes_back_as_it_was(record: Record) -> None:
    author = Author("U9", "Zoë", time_zone="Europe/Berlin", locale="de-DE")
    one = message("hello", THREAD, author, id="7.7", files=(File("a.txt"),))
    one = edited(one, "hello again")
    turn = await record.claimed(one, channel=THREAD)
    (back,) = turn.question
    assert back == replace(one, mentions_bot=False, channel=turn.conversation.channel)
    rows = await record.rows("SELECT * FROM messages")
    assert rows[0]["platform_id"] == "7.7"
    assert message_of.__doc__
    async with record.database.transaction() as connection:
        assert await _question(connection, turn.id, turn.conversation) == turn.question
