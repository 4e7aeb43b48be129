"""Questions at a real terminal, a pseudo one, as a person would see them."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="pseudo-terminals are for Unix")
import termios

PROGRAM = """
import os
os.open(os.ttyname(0), os.O_RDWR)  # what a session's first process opens becomes its terminal
from rich.console import Console
from bot.setup import Terminal
ask = Terminal(Console(width=70))
print(repr(("!", ask.secret("Token"), ask.text("Name", "small"), ask.choice("Choose", ["one", "two"], 1))))
"""


class Screen:
    """The other side of a program's terminal."""

    def __init__(self, terminal: int) -> None:
        self.terminal, self.shown, self.seen = terminal, "", 0
        self.deadline = time.monotonic() + 60

    def answer(self, question: str, answer: str, hidden: bool = False) -> None:
        while question not in self.shown[self.seen :]:
            assert self.read(), self.shown
        self.seen = self.shown.index(question, self.seen) + len(question)
        while hidden and termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            assert time.monotonic() < self.deadline
            time.sleep(0.01)
        os.write(self.terminal, answer.encode() + b"\n")

    def read(self) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], max(0.0, self.deadline - time.monotonic()))
        try:
            part = os.read(self.terminal, 4096) if ready else b""
        except OSError:  # Linux says so when the other end is closed
            part = b""
        self.shown += part.decode()
        return bool(part)


def test_a_secret_is_not_echoed_and_enter_gives_the_default() -> None:
    ours, theirs = os.openpty()
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(theirs)
    screen = Screen(ours)
    try:
        screen.answer("Token: ", "hush", hidden=True)
        screen.answer("Name [small]: ", "")
        screen.answer("Choose [2]: ", "7")
        screen.answer("Choose [2]: ", "1")
        while screen.read():
            pass
    finally:
        os.close(ours)
        child.terminate()
        child.wait()
    assert "('!', 'hush', 'small', 0)" in screen.shown
    assert screen.shown.count("hush") == 1
    assert "1  one" in screen.shown
