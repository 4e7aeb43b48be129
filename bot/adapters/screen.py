"""An answer on a terminal while it grows: finished blocks are printed once, only the tail is redrawn."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from bot.dialogue import Entry, EntryState

ENDED = frozenset({EntryState.DONE, EntryState.FAILED, EntryState.STOPPED})
SLOW_SECONDS = 20.0
REFRESH_RATE = 10.0  # redraws a second

# What a terminal would obey instead of showing; a model's text must not move the cursor.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BLOCKS = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Screen:
    """Shows answers on a rich console."""

    def __init__(self, console: Console, waiting: str, slow: str, again: str) -> None:
        """Take the words for waiting, for waiting long, and for an answer that began again."""
        self._console = console
        self._waiting = waiting
        self._slow = slow
        self._again = again

    async def show(self, entries: AsyncIterator[Entry]) -> Entry | None:
        """Show one answer's snapshots until it ends; return the last of them."""
        last: Entry | None = None
        spinner = Spinner("dots", Text(self._waiting, style="dim"), style="cyan")
        with Live(spinner, console=self._console, transient=True, refresh_per_second=REFRESH_RATE) as live:
            page = _Page(self._console, self._again)
            slow = asyncio.get_running_loop().call_later(
                SLOW_SECONDS, lambda: spinner.update(text=Text(f"{self._waiting} {self._slow}", style="dim"))
            )
            try:
                async for last in entries:
                    if text := plain(last.text):
                        slow.cancel()
                        live.update(_Block(page.grow(text), cropped=True))
            finally:
                slow.cancel()
                # What stands so far is not wiped away with the live part, whatever ended it.
                live.update(Text(""), refresh=True)
                page.finish(plain(last.text) if last else "")
        return last

    def say(self, markdown: str) -> None:
        """Show words of our own."""
        self._console.print(_formatted(markdown))


def plain(text: str) -> str:
    """Drop the control characters of a text, line ends and tabs apart."""
    return _CONTROL.sub("", text)


class _Page:
    """What of one answer is printed for good."""

    def __init__(self, console: Console, again: str) -> None:
        self._console = console
        self._again = again
        self._printed = ""

    def grow(self, text: str) -> str:
        """Print the blocks that are finished, and return the tail that may still change."""
        if not text.startswith(self._printed):
            self._console.print(_formatted(self._again))
            self._printed = ""
        rest = text[len(self._printed) :]
        end = _last_block(rest)
        if rest[:end].strip():
            self._print(rest[:end])
        return rest[end:]

    def finish(self, text: str) -> None:
        """Print the tail too."""
        tail = self.grow(text)
        if tail.strip():
            self._print(tail)

    def _print(self, part: str) -> None:
        self._console.print(_Block(part))
        self._printed += part


class _Block:
    """
    Formatted Markdown after one blank line; `cropped` to its last lines while it grows.

    More of it than the window holds would scroll, and what has scrolled cannot be drawn again.
    """

    def __init__(self, markdown: str, cropped: bool = False) -> None:
        self._markdown = markdown
        self._cropped = cropped

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = _trimmed(console.render_lines(_formatted(self._markdown), options, pad=False))
        room = max(3, console.height - 3) if self._cropped else len(lines)
        for line in [[], *lines[-room:]]:
            yield from line
            yield Segment.line()


def _trimmed(lines: list[list[Segment]]) -> list[list[Segment]]:
    """Drop the blank lines around; each kind of block has another number of them."""
    filled = [number for number, line in enumerate(lines) if any(part.text.strip() for part in line)]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _formatted(markdown: str) -> Markdown:
    # Colours of the terminal's own palette suit a light window as well as a dark one, and links
    # stand written out, since not every terminal can open them.
    return Markdown(markdown, code_theme="ansi_dark", hyperlinks=False)


def _last_block(text: str) -> int:
    """Find where the last top-level block begins, as an index of the text."""
    starts = [token.map[0] for token in _BLOCKS.parse(text) if token.level == 0 and token.map]
    if not starts:
        return 0
    lines = text.splitlines(keepends=True)
    return sum(len(line) for line in lines[: starts[-1]])
