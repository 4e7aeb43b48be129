"""Trimming, by properties."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.memory.context import Block, Weighed, fit, spans, summary_spans, uncovered, without


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Weighed], list[Block]]:
    """Draw messages at following positions, and blocks for stretches of their older part."""
    first = draw(st.integers(-20, 5))
    weights = draw(st.lists(st.integers(1, 40), max_size=30))
    messages = [Weighed(first + number, tokens) for number, tokens in enumerate(weights)]
    blocks: list[Block] = []
    at = first
    while at < first + len(weights) and draw(st.booleans()):
        begin = at + draw(st.integers(0, 2))
        end = begin + draw(st.integers(0, 5))
        if end >= first + len(weights):
            break
        blocks.append(Block(len(blocks) + 1, 1, begin, end, draw(st.integers(1, 15))))
        at = end + 1
    return messages, blocks


rooms = st.integers(0, 500)


@given(histories(), rooms, st.integers(0, 30))
def test_the_room_is_never_exceeded(
    history: tuple[list[Weighed], list[Block]], room: int, older: int
) -> None:
    fitted = fit(*history, older, room)
    assert fitted.tokens <= room
    assert fitted.tokens == sum(m.tokens for m in fitted.whole) + sum(b.tokens for b in fitted.blocks)


@given(histories(), rooms, st.integers(0, 30))
def test_the_newest_go_in_whole_without_a_gap(
    history: tuple[list[Weighed], list[Block]], room: int, older: int
) -> None:
    messages, blocks = history
    fitted = fit(messages, blocks, older, room)
    assert list(fitted.whole) == messages[len(messages) - len(fitted.whole) :]
    assert list(fitted.blocks) == sorted(fitted.blocks, key=lambda block: block.first)
    assert set(fitted.blocks) <= set(blocks)


@given(histories())
def test_where_all_fits_all_goes_in_and_no_summary(history: tuple[list[Weighed], list[Block]]) -> None:
    messages, blocks = history
    fitted = fit(messages, blocks, 0, sum(m.tokens for m in messages))
    assert list(fitted.whole) == messages
    assert fitted.blocks == ()


@given(histories(), rooms, st.integers(0, 30))
def test_blocks_only_tell_what_is_not_whole(
    history: tuple[list[Weighed], list[Block]], room: int, older: int
) -> None:
    fitted = fit(*history, older, room)
    for block in fitted.blocks:
        assert not fitted.whole or block.first < fitted.whole[0].position


@given(histories(), rooms)
def test_every_message_is_told_of_exactly_once(history: tuple[list[Weighed], list[Block]], room: int) -> None:
    messages, blocks = history
    fitted = fit(messages, blocks, 0, room)
    if not messages:
        assert fitted.whole == ()
        return
    start = fitted.whole[0].position if fitted.whole else messages[-1].position + 1
    whole = [p for span in spans(fitted.whole) for p in range(span.first, span.last + 1)]
    told = [p for span in summary_spans(fitted.blocks, start) for p in range(span.first, span.last + 1)]
    gaps = uncovered(messages[0].position, start, fitted.blocks)
    left_out = [p for first, last in gaps for p in range(first, last + 1)]
    assert sorted(whole + told + left_out) == [message.position for message in messages]


@given(st.lists(st.integers(0, 30), unique=True).map(sorted))
def test_spans_are_as_long_as_they_can_be(positions: list[int]) -> None:
    found = spans([Weighed(position, position + 1) for position in positions])
    assert [p for span in found for p in range(span.first, span.last + 1)] == positions
    assert sum(span.tokens for span in found) == sum(position + 1 for position in positions)
    assert all(later.first > earlier.last + 1 for earlier, later in pairwise(found))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4),
    st.lists(st.integers(0, 30), unique=True).map(sorted),
)
def test_single_positions_are_taken_out_of_ranges(
    ranges: list[tuple[int, int]], positions: list[int]
) -> None:
    def members(parts: list[tuple[int, int]]) -> list[int]:
        return [p for first, last in parts for p in range(first, last + 1)]

    left = members(list(without(ranges, positions)))
    assert left == [p for p in members(ranges) if p not in positions]


def test_a_quarter_is_kept_for_summaries_of_what_is_older() -> None:
    messages = [Weighed(position, 10) for position in range(1, 11)]
    blocks = [Block(1, 1, -9, 0, 20)]
    fitted = fit(messages, blocks, 100, 100)
    assert [message.position for message in fitted.whole] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert fitted.blocks == tuple(blocks)


def test_the_newest_message_comes_before_any_summary() -> None:
    blocks = [Block(number, 1, number * 10, number * 10 + 9, 10) for number in range(5)]
    fitted = fit([Weighed(50, 70)], blocks, 100, 90)
    assert [block.id for block in fitted.blocks] == [3, 4]
