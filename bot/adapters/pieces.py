"""Cuts Markdown into texts that fit a post each, without breaking code fences or changing its mind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.adapters.cuts import cut_within
from bot.adapters.fences import TEXT, Fence, State, states

Measure = Callable[[str], int]

# How good a place is for a cut, best last. Within one kind the last place that fits is taken.
_AFTER_HEADING, _CODE_LINE, _CODE_BLANK, _LINE, _PARAGRAPH = range(1, 6)

_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_CODE_GAP = re.compile(r"(?:[ \t\r]*\n)+|[ \t\r]*")
_SPACE = re.compile(r"\s*")
_SEPARATOR = re.compile(r"\|[ \t:|-]*-[ \t:|-]*")
_INK = re.compile(r"\S")


def cut(markdown: str, limit: int, measure: Measure = len) -> list[str]:
    """
    Cut Markdown into texts that each measure at most `limit`.

    Cuts stand at paragraph ends where the window has one, else at line ends, sentence ends, spaces, and
    last between any two letters. An open code fence is closed and opened again with its info string, a
    table goes on under its header. Only whitespace at the cuts is dropped. For a text that grows, every
    piece but the last is final.

    `measure` must never shrink when text is appended. A single letter that measures more than `limit`
    still becomes a piece.
    """
    return Cutter(limit, measure).feed(markdown)


class Cutter:
    """Cuts a text that grows: keeps the final pieces and looks again only at the tail."""

    def __init__(self, limit: int, measure: Measure = len) -> None:
        """`measure` counts what the platform counts; see `cut`."""
        if limit < 1:
            raise ValueError("a piece needs room for at least one letter")
        self._limit = limit
        self._measure = measure
        self._text = ""
        self._final: list[str] = []
        self._window = self._opened(0, None)

    def feed(self, text_so_far: str) -> list[str]:
        """Return what `cut` returns for the whole text so far; another text begins anew."""
        if not text_so_far.startswith(self._text):
            self._final.clear()
            self._window = self._opened(0, None)
        self._text = text_so_far
        while True:
            if not self._window.begin(text_so_far):
                return list(self._final)
            over = self._window.overflow(text_so_far)
            if over is None:
                return [*self._final, self._window.tail]
            at = self._window.boundary(over)
            piece = self._window.render(at)
            if piece.strip():
                self._final.append(piece)
            fence = self._window.state_at(at).fence
            self._window = self._opened(at, fence, "" if fence else self._window.header_at(at))

    def _opened(self, at: int, fence: Fence | None, header: str = "") -> _Window:
        return _Window(at, fence, header, self._limit, self._measure)


class _Window:
    """
    One piece in the making: the text from a cut on, and the places where it could end.

    The window overflows at the first prefix that does not fit. What is decided is decided from that prefix
    alone, so that text that comes later can change nothing. Lines that were read whole are not read again
    when the text has grown.
    """

    def __init__(self, at: int, fence: Fence | None, header: str, limit: int, measure: Measure) -> None:
        self._limit, self._measure = limit, measure
        self._header = header
        self._rows = 0
        self._fence, self._text = fence, ""
        self.tail = ""
        self._head = f"{fence.reopen(limit, measure)}\n" if fence else ""
        self._start = self._at = at
        self._state = self._pending = State(fence, 2) if fence else TEXT
        self._inked = False
        self._hang = self._checked = self._last = 0
        self._after_heading = False
        self._dented: list[tuple[int, int]] = []
        self._segments: list[tuple[int, State]] = []
        self._ends: list[tuple[int, int]] = []

    def begin(self, text: str) -> bool:
        """Pass over the gap that the cut left; return whether anything follows it."""
        if self._inked:
            return True
        start, self._hang = _begin(text, self._at, self._fence)
        if _INK.search(text, start) is None:
            return False
        self._inked = True
        if self._header and text[start] == "|" and text.count("\n", self._at, start) == 1:
            self._head = f"{self._header}\n"
            self._rows = 2
        self._start = self._at = self._checked = self._last = start
        return True

    def overflow(self, text: str) -> int | None:
        """Return the end of the first prefix that does not fit; None if all fits, and `tail` holds it."""
        self._text = text
        while self._at < len(text):
            newline = text.find("\n", self._at)
            if newline < 0:
                return self._overflow_of_last_line()
            over = self._read_line(newline, whole=True)
            if over is not None:
                return over
            self._at = newline + 1
        return self._overflow_at_end()

    def _overflow_of_last_line(self) -> int | None:
        """Read a line that may still grow, and forget it again if it fits."""
        known = (self._state, self._pending, self._checked, self._last, self._hang)
        segments, dented = len(self._segments), len(self._dented)
        over = self._read_line(len(self._text), whole=False)
        if over is None:
            over = self._overflow_at_end()
        if over is None:
            del self._segments[segments:], self._dented[dented:]
            self._state, self._pending, self._checked, self._last, self._hang = known
        return over

    def _overflow_at_end(self) -> int | None:
        over = self._first_over(self._checked, self._last, self._pending)
        if over is None:
            self.tail = self.render(len(self._text))
        return over

    def boundary(self, over: int) -> int:
        """Return the best place to cut in a window that overflows at `over`."""
        known = [(rank, at) for rank, at in self._ends if at < over]
        if known:
            return max(known)[1]
        floor = self._start
        for end, _ in self._segments:
            if end >= over - 1:
                break
            floor = end
        if floor >= over - 1:
            floor = self._start
        return cut_within(self._text, floor, over)

    def state_at(self, at: int) -> State:
        """Say whether a fence is open where the text is cut."""
        return next((state for end, state in self._segments if end >= at), TEXT)

    def header_at(self, at: int) -> str:
        """Return the header of the table that the cut stands in, if it may take room in the next piece."""
        rows: list[str] = []
        while at > self._start:
            begin = max(self._text.rfind("\n", self._start, at) + 1, self._start)
            row = self._text[begin:at].strip()
            if not row.startswith("|"):
                break
            rows.append(row)
            at = begin - 1
        if at <= self._start and self._head and not self._fence:
            rows += reversed(self._head.rstrip("\n").split("\n"))
        if len(rows) < 3 or not _SEPARATOR.fullmatch(rows[-2]):
            return ""
        header = f"{rows[-1]}\n{rows[-2]}"
        return header if self._measure(header) <= self._limit // 3 else ""

    def render(self, end: int) -> str:
        """Return the piece that ends here, its fences opened and closed."""
        fence = self.state_at(end).fence
        return self._shown(end) + (f"\n{fence.close}" if fence else "")

    def _shown(self, end: int) -> str:
        if not self._dented:
            return (self._head + self._text[self._start : end]).rstrip()
        parts, at = [self._head], self._start
        for first, after in self._dented:
            if first >= end:
                break
            parts.append(self._text[at:first])
            at = after
        parts.append(self._text[at:end])
        return "".join(parts).rstrip()

    def _fits(self, end: int, state: State) -> bool:
        return self._measure(self._shown(end) + state.reserve) <= self._limit

    def _first_over(self, fitting: int, end: int, state: State) -> int | None:
        """Find the overflow in a stretch of one state, where what is measured only grows."""
        while fitting < end:
            probe = min(end, fitting + self._limit)
            if not self._fits(probe, state):
                break
            fitting = probe
        else:
            return None
        while probe - fitting > 1:
            middle = (fitting + probe) // 2
            if self._fits(middle, state):
                fitting = middle
            else:
                probe = middle
        return probe

    def _read_line(self, end: int, whole: bool) -> int | None:
        """Note the states in the line and what its end is worth for a cut; return an overflow in it."""
        at, before, state = self._at, self._state, self._state
        origin = at - self._hang if at == self._start and not before.fence else at
        line = self._text[origin:end]
        self._dent(line, at, before)
        for length, state in states(line, before.fence, self._affordable):
            if (over := self._stretch(origin + length, state)) is not None:
                return over
        if not whole:
            return None
        if line.strip() and before.fence is None and state.fence is None:
            self._after_heading = _HEADING.match(line.lstrip()) is not None
        self._rows = self._rows + 1 if line.lstrip().startswith("|") and state.fence is None else 0
        within_head = 0 < self._rows <= 2
        rank = _rank(line, before, state, self._after_heading or within_head)
        if rank:
            self._ends.append((rank, end))
        self._state = replace(state, room=2) if state.fence else state
        return self._stretch(end + 1, self._state)

    def _stretch(self, end: int, state: State) -> int | None:
        """Add a stretch of one state; what is measured in stretches of one state only grows."""
        self._segments.append((end, state))
        if state != self._pending or self._last - self._checked > self._limit // 8:
            over = self._first_over(self._checked, self._last, self._pending)
            if over is not None:
                return over
            self._checked, self._pending = self._last, state
        self._last = end
        return None

    def _dent(self, line: str, at: int, state: State) -> None:
        """Take from a line what its place in a list, now in an earlier piece, had indented it by."""
        if not self._hang or (at == self._start and not state.fence):
            return
        indent = len(line) - len(line.lstrip(" \t"))
        if state.fence is None and line.strip():
            self._hang = min(self._hang, indent)
        if indent and self._hang:
            self._dented.append((at, at + min(indent, self._hang)))

    def _affordable(self, fence: Fence) -> bool:
        return self._measure("\n".join([fence.close] * 4)) <= self._limit // 2


def _begin(text: str, at: int, fence: Fence | None) -> tuple[int, int]:
    """Return where the piece begins after a cut, and by how much its lines were indented there."""
    gap = _CODE_GAP if fence else _SPACE if at else _BLANK_LINES
    match = gap.match(text, at)
    start = match.end() if match else at
    if fence:
        return start, fence.indent
    newline = text.rfind("\n", at, start)
    return start, start - newline - 1 if at and newline >= 0 else 0


def _rank(line: str, before: State, after: State, after_heading: bool) -> int:
    """Say how good a place the end of this line is for a cut; 0 where there must be none."""
    if after.fence:
        if before.fence is None:
            return 0
        return _CODE_LINE if line.strip() else _CODE_BLANK
    if before.fence:
        return _PARAGRAPH
    if after_heading:
        return _AFTER_HEADING
    return _LINE if line.strip() else _PARAGRAPH
