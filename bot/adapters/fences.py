"""Reads code fences line by line: which is open where, and what closes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OPENER = re.compile(r"(?P<lead>(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<mark>`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence; `indent` is how far its code may be indented without meaning it."""

    lead: str
    mark: str
    info: str
    indent: int

    @property
    def close(self) -> str:
        """The line that closes it."""
        return self.lead + self.mark

    def reopen(self, limit: int, measure: Callable[[str], int]) -> str:
        """Return the line that opens it again, without its info string where that takes too much room."""
        named = self.close + self.info
        return named if measure(named) <= limit // 3 else self.close


@dataclass(frozen=True, slots=True)
class State:
    """
    Whether a fence is open, and how many closing lines to keep room for.

    Room for two within code: while a closing line is being written, its first letters are code still, and
    must not push the whole line into the next piece.
    """

    fence: Fence | None = None
    room: int = 0

    @property
    def reserve(self) -> str:
        """What has to fit after the text."""
        return f"\n{self.fence.close}" * self.room if self.fence else ""


TEXT = State()


def states(
    line: str, fence: Fence | None, affordable: Callable[[Fence], bool]
) -> Iterator[tuple[int, State]]:
    """Yield the stretches of a line, each by its length from the line's start and the state in it."""
    if fence is not None and (">" not in fence.lead or line.lstrip().startswith(">")):
        yield from _states_in_code(line, fence)
    else:
        yield from _states_in_text(line, affordable)


def _states_in_text(line: str, affordable: Callable[[Fence], bool]) -> Iterator[tuple[int, State]]:
    opener = _OPENER.match(line) if "```" in line or "~~~" in line else None
    if opener is None:
        yield len(line), TEXT
        return
    begin, end = opener.span("mark")
    info = line[end:].rstrip()
    inline = line.find("`", end) if line[begin] == "`" else -1
    yield begin + 2, TEXT
    state = TEXT
    for length in range(3, end - begin + 1):
        fence = _opened(opener["lead"], line[begin] * length, info)
        state = State(fence, 2) if affordable(fence) else TEXT
        yield begin + length, state
        if state == TEXT:
            break
    if inline >= 0:
        yield inline, state
        state = TEXT
    yield len(line), state


def _opened(lead: str, mark: str, info: str) -> Fence:
    if ">" in lead:
        return Fence(lead[: lead.rindex(">") + 1].lstrip() + " ", mark, info, 0)
    return Fence("", mark, info, len(lead))


def _states_in_code(line: str, fence: Fence) -> Iterator[tuple[int, State]]:
    inside = State(fence, 2)
    begin = len(line) - len(line.lstrip(" \t>" if fence.lead else " \t"))
    after = line[begin:].lstrip(fence.mark[0])
    run = len(line) - begin - len(after)
    if run:
        yield begin, inside
        yield begin + min(run, len(fence.mark) - 1), State(fence, 1)
    if run >= len(fence.mark):
        yield len(line) - len(after.lstrip()), TEXT
        after = after.lstrip()
    if after or not run:
        yield len(line), inside
