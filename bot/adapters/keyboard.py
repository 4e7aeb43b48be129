"""What is typed: the prompt with its history, the lines of a pipe, and Ctrl-C while an answer comes."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def prompt(history: Path | None) -> PromptSession[str]:
    """Ask with Enter to send and Alt-Enter for a new line; pasted lines stay together."""
    keys = KeyBindings()

    @keys.add("enter")
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        HTML("<ansicyan><b>› </b></ansicyan>"),
        history=_kept(history),
        key_bindings=keys,
        multiline=True,
        prompt_continuation="  ",
    )


async def next_text(session: PromptSession[str]) -> str | None:
    """Ask for the next text; Ctrl-C drops the line, Ctrl-D and /quit return None."""
    while True:
        try:
            text = await session.prompt_async()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return None
        return None if text.strip() in {"/quit", "/exit"} else text


async def lines(source: TextIO) -> AsyncIterator[str]:
    """
    Read lines in a thread of its own, since files and pipes cannot be awaited alike.

    A daemon, so that a pipe which never ends does not hold the program.
    """
    loop = asyncio.get_running_loop()
    arrivals: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in source:
            loop.call_soon_threadsafe(arrivals.put_nowait, line)
        loop.call_soon_threadsafe(arrivals.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await arrivals.get()) is not None:
        yield line


@contextmanager
def cancelled_by_ctrl_c(task: asyncio.Task[Any]) -> Iterator[None]:
    """Let Ctrl-C end the wait for an answer, not the program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(task.cancel))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        task.cancel()


def _kept(history: Path | None) -> History:
    if history is None:
        return InMemoryHistory()
    history.parent.mkdir(parents=True, exist_ok=True)
    history.touch(mode=0o600)
    return FileHistory(str(history))
