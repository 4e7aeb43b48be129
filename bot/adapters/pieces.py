"""Cuts Markdown into texts that fit a post each, without breaking code fences or changing its mind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.adapters.fences import TEXT, Fence, State, states

Measure = Callable[[str], int]

# How good a place is for a cut, best last. Within one kind the last place that fits is taken.
_AFTER_HEADING, _CODE_LINE, _CODE_BLANK, _LINE, _PARAGRAPH = range(1, 6)

_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_SENTENCE = re.compile(r"[.!?…][\"')\]”’*_]*(?=\s)|[。！？…；][」』”’）)】]*")
_GAP = re.compile(r"(?<=\S)(?=\s)|(?<=[，、：,])(?=[^\x00-\x7f])")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_CODE_GAP = re.compile(r"(?:[ \t\r]*\n)+|[ \t\r]*")
_SPACE = re.compile(r"\s*")
_INK = re.compile(r"\S")


def cut(markdown: str, limit: int, measure: Measure = len) -> list[str]:
    """
    Cut Markdown into texts that each measure at most `limit`.

    Cuts stand at paragraph ends where the window has one, else at line ends, sentence ends, spaces, and
    last between any two letters. An open code fence is closed and opened again with its info string. Only
    whitespace at the cuts is dropped. For a text that grows, every piece but the last is final.

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
        self._at = 0
        self._fence: Fence | None = None
        self._final: list[str] = []

    def feed(self, text_so_far: str) -> list[str]:
        """Return what `cut` returns for the whole text so far; another text begins anew."""
        if not text_so_far.startswith(self._text):
            self._forget()
        self._text = text_so_far
        while True:
            window = _Window(text_so_far, self._at, self._fence, self._limit, self._measure)
            if not window.inked:
                return list(self._final)
            over = window.overflow()
            if over is None:
                return [*self._final, window.render(len(text_so_far))]
            at = window.boundary(over)
            piece = window.render(at)
            if piece.strip():
                self._final.append(piece)
            self._at, self._fence = at, window.state_at(at).fence

    def _forget(self) -> None:
        self._at, self._fence = 0, None
        self._final.clear()


class _Window:
    """
    One piece in the making: the text from a cut on, and the places where it could end.

    The window overflows at the first prefix that does not fit. What is decided is decided from that prefix
    alone, so that text that comes later can change nothing.
    """

    def __init__(self, text: str, at: int, fence: Fence | None, limit: int, measure: Measure) -> None:
        self._text, self._limit, self._measure = text, limit, measure
        self._head = f"{fence.reopen(limit, measure)}\n" if fence else ""
        self._first = State(fence, 2) if fence else TEXT
        self._start, self._hang = _begin(text, at, fence)
        self._dented: list[tuple[int, int]] = []
        self._segments: list[tuple[int, State]] = []
        self._ends: list[tuple[int, int]] = []
        self.inked = _INK.search(text, self._start) is not None

    def overflow(self) -> int | None:
        """Return the end of the first prefix that does not fit; None if all of the text fits."""
        checked, stride = self._start, self._limit // 8
        pending = self._first
        last = self._start
        for end, state in self._scan():
            self._segments.append((end, state))
            if state != pending or last - checked > stride:
                over = self._first_over(checked, last, pending)
                if over is not None:
                    return over
                checked, pending = last, state
            last = end
        return self._first_over(checked, last, pending)

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
        return _within_line(self._text, floor, over)

    def state_at(self, at: int) -> State:
        """Say whether a fence is open where the text is cut."""
        return next((state for end, state in self._segments if end >= at), TEXT)

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

    def _scan(self) -> Iterator[tuple[int, State]]:
        """Yield stretches of one state each, line by line, noting where the text could be cut."""
        at, state, after_heading = self._start, self._first, False
        while at < len(self._text):
            newline = self._text.find("\n", at)
            end = newline if newline >= 0 else len(self._text)
            origin = at - self._hang if at == self._start and not state.fence else at
            line = self._text[origin:end]
            self._dent(line, at, state)
            before = state
            for length, state in states(line, before.fence, self._affordable):
                yield origin + length, state
            if newline < 0:
                return
            if line.strip() and before.fence is None and state.fence is None:
                after_heading = _HEADING.match(line.lstrip()) is not None
            rank = _rank(line, before, state, after_heading)
            if rank:
                self._ends.append((rank, end))
            at = end + 1
            state = replace(state, room=2) if state.fence else state
            yield at, state

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


def _within_line(text: str, floor: int, over: int) -> int:
    """Return where to cut a stretch without a line end: after a sentence, at a space, between letters."""
    for pattern in (_SENTENCE, _GAP):
        places = [match.end() for match in pattern.finditer(text, floor, over) if match.end() < over]
        while places and (places[-1] <= floor or not _may_part(text, places[-1])):
            places.pop()
        if places:
            return places[-1]
    latest = max(over - 1, floor + 1)
    for at in range(latest, max(floor, latest - 64), -1):
        if _may_part(text, at):
            return at
    return latest


def _may_part(text: str, at: int) -> bool:
    """Say whether the letters on both sides belong to different signs, and none opens or closes code."""
    before, after = text[at - 1], text[at : at + 1]
    if not after:
        return True
    if before in "\r\\\u200d" or after in "`~\u200d" or unicodedata.category(after)[0] == "M":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\udc00" <= after <= "\udfff":
        return False
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return not (flags % 2 and "\U0001f1e6" <= after <= "\U0001f1ff")
