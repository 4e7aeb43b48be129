"""Looks at every part that can be looked at, and says in a line each what is wrong and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import textwrap
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.dialogue import Finding
from bot.ports import Checks, Tell, Words

PATIENCE = 15.0
GIGABYTE = 1_000_000_000


async def examine(
    checks: Sequence[tuple[str, Checks]], words: Words, language: str, seconds: float = PATIENCE
) -> AsyncIterator[Finding]:
    """
    Run all checks at once and yield what they find in the order given.

    A check that raises, or takes longer than `seconds`, is itself something found to be wrong.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    tell = partial(_told, words, language)
    looks = [_Look(subject, check, tell) for subject, check in checks]
    try:
        for look in looks:
            try:
                while (finding := await look.next_finding(deadline)) is not None:
                    yield finding
            except TimeoutError:
                text = words.say("doctor-silent", language, seconds=round(seconds))
                yield Finding(look.subject, False, text, words.say("doctor-silent-cure", language))
            if (error := look.error()) is not None:
                text = words.say("doctor-crashed", language, error=f"{type(error).__name__}: {error}")
                yield Finding(look.subject, False, text, words.say("doctor-crashed-cure", language))
    finally:
        for look in looks:
            look.task.cancel()


async def report(findings: AsyncIterator[Finding], console: Console) -> int:
    """Print each finding as it comes, what is wrong with its cure below; return how many are wrong."""
    wrong = 0
    async for finding in findings:
        wrong += not finding.well
        mark, style = ("✓", "green") if finding.well else ("✗", "red")
        line = Text.assemble(
            (_plain(console, mark), style), " ", (_capital(_shown(finding.subject)), "bold"), "  "
        )
        console.print(line + Text(_shown(finding.text)), soft_wrap=True)
        if finding.cure:
            cure = Text(
                _indented(_shown(finding.cure), console.width), style="" if finding.well else "yellow"
            )
            console.print(cure, soft_wrap=True)
    return wrong


async def diagnose(
    checks: Sequence[tuple[str, Checks]], words: Words, language: str, console: Console
) -> int:
    """Examine and report with a closing line; return the exit code, 1 where anything is wrong."""
    with console.status(words.say("doctor-looking", language)):
        wrong = await report(examine(checks, words, language), console)
    key = "doctor-wrong" if wrong else "doctor-well"
    console.print(Text(words.say(key, language, count=wrong), style="red" if wrong else "green"))
    return 1 if wrong else 0


class Disk:
    """Looks at the folder where the data lies: whether it can be written to and has room."""

    def __init__(
        self,
        folder: Path,
        needed_bytes: int = GIGABYTE,
        needed_files: int = 10_000,
    ) -> None:
        """A folder that does not exist yet is judged by the nearest one above it that does."""
        self._folder = folder
        self._needed_bytes, self._needed_files = needed_bytes, needed_files

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        """Look at the right to write, the free bytes, and the free inodes where there are any."""
        there = next(folder for folder in (self._folder, *self._folder.absolute().parents) if folder.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                free = shutil.disk_usage(there).free
        except OSError as error:
            reason = error.strerror or str(error)
            yield self._found(tell, "doctor-disk-unwritable", "doctor-disk-unwritable-cure", error=reason)
            return
        files = _free_inodes(there)
        size = f"{free / GIGABYTE:.1f} GB"
        if free < self._needed_bytes:
            needed = f"{self._needed_bytes / GIGABYTE:.1f} GB"
            yield self._found(tell, "doctor-disk-low", "doctor-disk-low-cure", free=size, needed=needed)
        elif files is not None and files < self._needed_files:
            yield self._found(tell, "doctor-disk-inodes", "doctor-disk-inodes-cure", count=files)
        else:
            yield self._found(tell, "doctor-disk-free", free=size)

    def _found(self, tell: Tell, text: str, cure: str = "", **values: object) -> Finding:
        shown = tell(text, folder=self._folder, **values)
        return Finding(
            tell("doctor-disk"), not cure, shown, tell(cure, folder=self._folder, **values) if cure else ""
        )


class _Look:
    """One check at work; what it finds waits here until its turn to be told."""

    def __init__(self, subject: str, check: Checks, tell: Tell) -> None:
        self.subject = subject
        self._found: asyncio.Queue[Finding | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._look(check, tell))
        self.task.add_done_callback(lambda _: self._found.put_nowait(None))

    async def next_finding(self, deadline: float) -> Finding | None:
        """Wait for what it finds next, None at its end; what is there already is told at any time."""
        if not self._found.empty():
            return self._found.get_nowait()
        async with asyncio.timeout_at(deadline):
            return await self._found.get()

    def error(self) -> BaseException | None:
        """What the check raised, though it should not have."""
        if not self.task.done():
            return None
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()

    async def _look(self, check: Checks, tell: Tell) -> None:
        async for finding in check.check(tell):
            await self._found.put(finding)


def _told(words: Words, language: str, key: str, **values: object) -> str:
    return words.say(key, language, **values)


def _free_inodes(folder: Path) -> int | None:
    """Count the files that can still be made; None where the file system has no such limit."""
    if not hasattr(os, "statvfs"):
        return None
    counted = os.statvfs(folder)
    return counted.f_favail if counted.f_files else None


def _shown(text: str) -> str:
    """Make one line of it, without the control characters that a server may have sent."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _indented(text: str, width: int) -> str:
    """Fold between words only: a link has to stay whole."""
    return textwrap.fill(
        text,
        max(width, 40),
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(console: Console, mark: str) -> str:
    """A terminal that cannot show the mark gets a word."""
    return mark if console.encoding.startswith("utf") else {"✓": "ok", "✗": "!!"}[mark]
