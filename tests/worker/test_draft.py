"""The growing answer: what a slow reader sees, what stands in the end, and how a failure reaches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.pieces import Cutter, cut
from bot.dialogue import Piece
from bot.errors import LeaseLost, Superseded
from bot.worker.draft import Draft

ENOUGH = "This is long enough to show. "


def in_tens(text: str) -> list[str]:
    """Cut after every ten characters, so that a growing text changes only its last piece."""
    return [text[at : at + 10] for at in range(0, len(text), 10)]


def whole(text: str) -> list[str]:
    return [text] if text else []


async def following(reader: AsyncIterator[Piece]) -> Piece:
    return await anext(reader)


async def read(draft: Draft) -> list[Piece]:
    return [piece async for piece in draft.pieces()]


def standing(pieces: list[Piece]) -> list[Piece]:
    """Say what stands after these pieces, as a delivery keeps it: a lower ordinal voids the later ones."""
    posts: list[Piece] = []
    for piece in pieces:
        posts[piece.ordinal :] = [piece]
    return posts


async def test_a_slow_reader_gets_the_newest_text_and_not_each_one_in_between() -> None:
    draft = Draft(whole)
    reader = draft.pieces()
    draft.write(ENOUGH)
    assert await anext(reader) == Piece(0, ENOUGH)
    for number in range(100):
        draft.write(ENOUGH + str(number))
    assert await anext(reader) == Piece(0, ENOUGH + "99")
    draft.write(ENOUGH + "the end", done=True)
    assert [piece async for piece in reader] == [Piece(0, ENOUGH + "the end", done=True, last=True)]


async def test_all_pieces_come_in_order_and_are_done_in_the_end() -> None:
    draft = Draft(in_tens)
    draft.write("abcdefghijKLMNOPQRSTuvw", done=True)
    assert await read(draft) == [
        Piece(0, "abcdefghij", done=True),
        Piece(1, "KLMNOPQRST", done=True),
        Piece(2, "uvw", done=True, last=True),
    ]


async def test_a_closed_piece_never_comes_again_while_the_text_grows() -> None:
    draft = Draft(in_tens)
    reader = draft.pieces()
    text = "x" * 25
    draft.write(text)
    seen = [await anext(reader) for _ in range(3)]
    for _ in range(40):
        text += "y"
        draft.write(text)
        seen.append(await anext(reader))
    draft.write(text, done=True)
    seen += [piece async for piece in reader]
    closed = [piece.ordinal for piece in seen if piece.done]
    assert closed == sorted(set(closed)) == list(range(7))


async def test_a_shorter_text_begins_the_pieces_anew() -> None:
    draft = Draft(in_tens)
    reader = draft.pieces()
    draft.write("a" * 25)
    assert [(await anext(reader)).ordinal for _ in range(3)] == [0, 1, 2]
    draft.write("bbb")
    assert await anext(reader) == Piece(0, "bbb")
    draft.write("bbb" + "c" * 10, done=True)
    rest = [piece async for piece in reader]
    assert rest == [Piece(0, "bbb" + "c" * 7, done=True), Piece(1, "ccc", done=True, last=True)]


async def test_a_text_that_shrinks_to_its_first_piece_leaves_no_surplus_piece_standing() -> None:
    draft = Draft(in_tens)
    reader = draft.pieces()
    draft.write("a" * 25)
    seen = [await anext(reader) for _ in range(3)]
    draft.write("a" * 10, done=True)
    seen += [piece async for piece in reader]
    assert standing(seen) == [Piece(0, "a" * 10, done=True, last=True)]


async def test_what_follows_a_changed_piece_comes_again_even_where_it_is_the_same() -> None:
    draft = Draft(in_tens)
    reader = draft.pieces()
    draft.write("a" * 10 + "same tail.")
    seen = [await anext(reader) for _ in range(2)]
    draft.write("b" * 10 + "same tail.", done=True)
    seen += [piece async for piece in reader]
    assert standing(seen) == [Piece(0, "b" * 10, done=True), Piece(1, "same tail.", done=True, last=True)]


async def test_the_first_few_letters_wait_for_more() -> None:
    draft = Draft(whole)
    draft.write("He")
    reader = draft.pieces()
    first = asyncio.create_task(following(reader))
    await asyncio.sleep(0)
    draft.write("Hello, ")
    await asyncio.sleep(0)
    draft.write("Hello, this is an answer.")
    assert await first == Piece(0, "Hello, this is an answer.")


async def test_a_model_that_is_slow_at_first_is_shown_after_a_tenth_of_a_second() -> None:
    draft = Draft(whole)
    begun = time.monotonic()
    draft.write("He")
    assert await anext(draft.pieces()) == Piece(0, "He")
    assert 0.09 <= time.monotonic() - begun < 2


async def test_a_short_whole_answer_does_not_wait() -> None:
    draft = Draft(whole)
    draft.write("42", done=True)
    begun = time.monotonic()
    assert await read(draft) == [Piece(0, "42", done=True, last=True)]
    assert time.monotonic() - begun < 0.09


async def test_white_space_alone_is_not_shown() -> None:
    draft = Draft(whole)
    draft.write(" \n" * 20)
    first = asyncio.create_task(following(draft.pieces()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not first.done()
    draft.write(" \n" * 20 + "Yes.", done=True)
    assert (await first).text.endswith("Yes.")


@pytest.mark.parametrize("text", ["", ENOUGH])
async def test_a_failure_reaches_a_waiting_reader_at_once(text: str) -> None:
    draft = Draft(whole)
    draft.write(text)
    reader = draft.pieces()
    if text:
        await anext(reader)
    waiting = asyncio.create_task(following(reader))
    await asyncio.sleep(0)
    draft.fail(LeaseLost("gone"))
    async with asyncio.timeout(1):
        with pytest.raises(LeaseLost):
            await waiting


async def test_a_failure_reaches_a_reader_between_two_pieces() -> None:
    draft = Draft(in_tens)
    draft.write("a" * 25, done=True)
    reader = draft.pieces()
    await anext(reader)
    draft.fail(Superseded("more is wanted"))
    with pytest.raises(Superseded):
        await anext(reader)


async def test_a_failure_after_the_last_piece_is_not_lost() -> None:
    draft = Draft(whole)
    draft.write("42", done=True)
    reader = draft.pieces()
    await anext(reader)
    draft.fail(LeaseLost("gone"))
    with pytest.raises(LeaseLost):
        await anext(reader)


async def test_the_first_failure_stays_and_a_later_text_does_not_heal_it() -> None:
    draft = Draft(whole)
    draft.fail(LeaseLost("gone"))
    draft.fail(Superseded("more is wanted"))
    draft.write(ENOUGH, done=True)
    with pytest.raises(LeaseLost):
        await read(draft)


async def test_an_empty_text_has_no_pieces() -> None:
    draft = Draft(whole)
    draft.write("", done=True)
    assert await read(draft) == []


writes = st.lists(st.text("ab \n", max_size=40), min_size=1, max_size=12)


@given(grown=writes, starts=st.sets(st.integers(0, 11)), reads=st.lists(st.integers(0, 4), max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_what_stands_in_the_end_is_the_last_text(
    grown: list[str], starts: set[int], reads: list[int]
) -> None:
    texts = [""]
    for number, addition in enumerate(grown):
        texts.append(addition if number in starts else texts[-1] + addition)

    async def talk() -> list[Piece]:
        draft, seen = Draft(in_tens), list[Piece]()

        async def follow() -> None:
            seen.extend([piece async for piece in draft.pieces()])

        reading = asyncio.create_task(follow())
        for number, text in enumerate(texts):
            draft.write(ENOUGH + text)
            for _ in range(reads[number] if number < len(reads) else 0):
                await asyncio.sleep(0)
        draft.write(ENOUGH + texts[-1], done=True)
        async with asyncio.timeout(5):
            await reading
        return seen

    seen = asyncio.run(talk())
    parts = in_tens(ENOUGH + texts[-1])
    assert standing(seen) == [
        Piece(ordinal, text, done=True, last=ordinal == len(parts) - 1) for ordinal, text in enumerate(parts)
    ]


async def test_a_long_answer_that_is_read_at_every_step_costs_little_work() -> None:
    paragraph = "A sentence of the answer, as a model writes it. " * 8 + "\n\n"
    text = (paragraph * 80)[:30_000].rstrip()
    draft = Draft(Cutter(2_000).feed)
    seen: list[Piece] = []

    async def follow() -> None:
        async for piece in draft.pieces():
            seen.append(piece)
            await asyncio.sleep(0)

    reading = asyncio.create_task(follow())
    begun = time.process_time()
    for end in range(10, len(text) + 10, 10):
        draft.write(text[:end], done=end >= len(text))
        await asyncio.sleep(0)
    await reading
    assert time.process_time() - begun < 1.0
    assert len(seen) > 1_000
    assert [piece.text for piece in standing(seen)] == cut(text, 2_000)
