"""Puts questions to a person at a terminal; what is secret is not echoed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.text import Text


class Ask(Protocol):
    """Somebody who answers; raises `EOFError` or `KeyboardInterrupt` where nobody wants to."""

    def text(self, question: str, default: str = "") -> str:
        """Ask for a line; Enter gives the default, which is shown."""
        ...

    def secret(self, question: str) -> str:
        """Ask for a line that nobody looking on may read; Enter gives ""."""
        ...

    def choice(self, question: str, options: Sequence[str], default: int) -> int:
        """Ask for one of the options and return its index."""
        ...


class Terminal:
    """Asks the person who sits at this console."""

    def __init__(self, console: Console) -> None:
        """Both questions and answers go through the console's terminal."""
        self._console = console

    def text(self, question: str, default: str = "") -> str:
        """Ask for a line, its default in brackets."""
        shown = f" [{default}]" if default else ""
        return self._read(f"{question}{shown}: ") or default

    def secret(self, question: str) -> str:
        """Ask without echo."""
        return self._read(f"{question}: ", hidden=True)

    def choice(self, question: str, options: Sequence[str], default: int) -> int:
        """List the options by number and ask until one is named."""
        for number, option in enumerate(options, 1):
            self._console.print(Text(f"  {number}  {option}"), soft_wrap=True)
        while True:
            answer = self._read(f"{question} [{default + 1}]: ") or str(default + 1)
            if answer.isdecimal() and 1 <= int(answer) <= len(options):
                return int(answer) - 1

    def _read(self, prompt: str, hidden: bool = False) -> str:
        return self._console.input(Text(prompt, style="bold"), password=hidden).strip()
