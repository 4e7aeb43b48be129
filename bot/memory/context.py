"""Chooses what a model reads within a budget of counted tokens; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.dialogue import Span, SummarySpan

# How much of the room beside the question summaries may take; the newest messages get the rest.
_SUMMARY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Weighed:
    """A stored message as trimming sees it: where it stands, what it costs, and all up to it together."""

    position: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Block:
    """A live summary block as trimming sees it."""

    id: int
    version: int
    first: int
    last: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What goes in: whole messages from some position on, and blocks for older ones, oldest first."""

    whole: tuple[Weighed, ...]
    blocks: tuple[Block, ...]
    tokens: int


def fit(earlier: Sequence[Weighed], blocks: Sequence[Block], older: int, room: int) -> Fitted:
    """
    Fit the newest messages and the summaries of older ones into `room` tokens.

    `earlier` are the newest messages before the question, oldest first, and `older` is what all messages
    before those weigh together. Where everything fits, no summary is read. Messages go in without a
    gap, newest first; blocks that tell nothing but what went in whole are left away.
    """
    total = sum(message.tokens for message in earlier)
    if older == 0 and total <= room:
        return Fitted(tuple(earlier), (), total)
    reserve = min(int(room * _SUMMARY_SHARE), sum(block.tokens for block in blocks))
    whole = _newest(earlier, room - reserve) or _newest(earlier, room)
    start = whole[0].position if whole else _after(earlier)
    spent = sum(message.tokens for message in whole)
    told = _newest_blocks([block for block in blocks if block.first < start], room - spent)
    return Fitted(whole, told, spent + sum(block.tokens for block in told))


def spans(messages: Sequence[Weighed]) -> tuple[Span, ...]:
    """Tell messages, in order of position, as ranges without gaps."""
    found: list[Span] = []
    for message in messages:
        if found and found[-1].last + 1 == message.position:
            last = found.pop()
            found.append(Span(last.first, message.position, last.tokens + message.tokens))
        else:
            found.append(Span(message.position, message.position, message.tokens))
    return tuple(found)


def summary_spans(blocks: Sequence[Block], start: int) -> tuple[SummarySpan, ...]:
    """Tell blocks as the manifest has them: each stands only for messages before those that are whole."""
    return tuple(SummarySpan(b.id, b.version, b.first, min(b.last, start - 1), b.tokens) for b in blocks)


def uncovered(first: int, start: int, blocks: Sequence[Block]) -> tuple[tuple[int, int], ...]:
    """Tell which positions from `first` up to before `start` no block stands for, as inclusive ranges."""
    gaps: list[tuple[int, int]] = []
    at = first
    for block in sorted(blocks, key=lambda block: block.first):
        if block.first > at:
            gaps.append((at, min(block.first, start) - 1))
        at = max(at, block.last + 1)
    if at < start:
        gaps.append((at, start - 1))
    return tuple(gap for gap in gaps if gap[0] <= gap[1])


def without(ranges: Sequence[tuple[int, int]], positions: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Take single positions, in order, out of inclusive ranges."""
    left: list[tuple[int, int]] = []
    for first, last in ranges:
        at = first
        for position in positions:
            if at <= position <= last:
                left.append((at, position - 1))
                at = position + 1
        left.append((at, last))
    return tuple(one for one in left if one[0] <= one[1])


def _newest(messages: Sequence[Weighed], room: int) -> tuple[Weighed, ...]:
    left = room
    at = len(messages)
    while at and messages[at - 1].tokens <= left:
        at -= 1
        left -= messages[at].tokens
    return tuple(messages[at:])


def _newest_blocks(blocks: Sequence[Block], room: int) -> tuple[Block, ...]:
    left, chosen = room, []
    for block in sorted(blocks, key=lambda block: block.first, reverse=True):
        if block.tokens > left:
            break
        left -= block.tokens
        chosen.append(block)
    return tuple(reversed(chosen))


def _after(messages: Sequence[Weighed]) -> int:
    return messages[-1].position + 1 if messages else 0
