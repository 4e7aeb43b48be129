"""`bot run` as a process of its own, that can be killed at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

READY = "Frontdesk is ready"
PATIENCE = 30.0


class Program:
    """One `bot run` after the other, with the same settings."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.output: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    async def start(self, *words: str, awaiting: str = READY, **more: str) -> None:
        """Start it and wait until it says that it is ready, or whatever else it is to say."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", *(words or ("run",))),
            env={**os.environ, **self.environment, **more},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read(ready, awaiting))
        async with asyncio.timeout(PATIENCE):
            await ready.wait()
        if self._process.returncode is not None or not self.said(awaiting):
            raise AssertionError("it did not get ready:\n" + "".join(self.output))

    def said(self, text: str) -> bool:
        """Say whether a line on the terminal holds the text."""
        return any(text in line for line in self.output)

    @property
    def address(self) -> str:
        """Where its console is."""
        line = next(line for line in reversed(self.output) if READY in line)
        return line.split()[3]

    async def kill(self) -> None:
        """End it as kill -9 does; its children live on."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        await self._ended()

    async def interrupt(self) -> int:
        """Press Ctrl-C, and give its exit code."""
        self.signal(signal.SIGINT)
        return await self.ended()

    async def terminate(self) -> int:
        """Tell it to stop as a process manager does, and give its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, and go on."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end, and give its exit code."""
        assert self._process is not None
        async with asyncio.timeout(PATIENCE):
            await self._ended()
        return self._process.returncode or 0

    async def says(self, text: str) -> None:
        """Wait until a line on the terminal holds the text."""
        async with asyncio.timeout(PATIENCE):
            while not self.said(text):
                self._heard.clear()
                await self._heard.wait()

    async def interrupt_if_running(self) -> None:
        """Let it stop what it started, at the end of a test that failed in between."""
        if self._process is not None and self._process.returncode is None:
            await self.interrupt()

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading
            self._reading = None

    async def _read(self, ready: asyncio.Event, awaiting: str) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.output.append(line.decode())
            self._heard.set()
            if awaiting in self.output[-1]:
                ready.set()
        ready.set()
