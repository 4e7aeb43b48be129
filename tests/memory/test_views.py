"""What is enclosed with the messages of a context: read in few statements, and only where there is any."""

from __future__ import annotations

from bot.dialogue import Attachment, File
from bot.memory.attachments import Attachments
from bot.memory.question import fitted
from bot.memory.views import Views
from tests.memory.conftest import Record, message, watched

CAT = File("cat.png", "image/png")


async def test_words_alone_cost_no_statement(record: Record) -> None:
    turn = await record.claimed("plain words")
    async with record.database.snapshot() as connection:
        with watched(record) as statements:
            views = Views(connection, 1_000)
            assert await views.of_question(turn) == [{}]
            await views.of_earlier([])
            spoken = views.asked(fitted(turn.question, [{}], 1_000, record.counter))
    assert statements == []
    assert [(one.text, one.pictures, one.files) for one in spoken] == [("plain words", (), ())]


async def test_the_newest_pictures_are_shown_first(record: Record) -> None:
    shelf = Attachments(record.database, record.counter)
    turn = await record.claimed(*(message(f"picture {number}", files=(CAT,)) for number in range(3)))
    for number, unread in enumerate(await shelf.unread(turn)):
        picture = Attachment("cat.png", "image/png", picture=str(number).encode(), tokens=100)
        await shelf.keep(unread.number, {0: picture})
    async with record.database.snapshot() as connection:
        views = Views(connection, 250)
        enclosed = await views.of_question(turn)
        spoken = views.asked(fitted(turn.question, enclosed, 1_000, record.counter))
    assert views.tokens == 200
    assert [[one.data for one in line.pictures] for line in spoken] == [[], [b"1"], [b"2"]]
