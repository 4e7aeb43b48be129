"""Programs under measurement as processes of their own, and what the kernel says of their CPU and memory."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds: the program's own, and Postgres'."""

    program: float
    postgres: float


class Program:
    """One program and the Postgres that it started."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path) -> None:
        """`data` is the bot's data folder; a floor has none in it."""
        self._process = process
        self._root = psutil.Process(process.pid)
        self._data = data

    def cost(self) -> Cost:
        """Say what was used until now."""
        return Cost(_seconds(self._own()), _seconds(self._postgres()))

    def memory(self) -> float:
        """Say how many megabytes are resident, Postgres apart."""
        return sum(process.memory_info().rss for process in self._own()) / _MEGABYTE

    async def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        await self._process.wait()

    def freeze(self) -> None:
        """Let it have no more of the processor, as a machine that stands still does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it; what does not end is killed. Who was begun in the background heeds no Ctrl-C."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 30)
        except TimeoutError:
            self._process.kill()
            raise

    def _own(self) -> list[psutil.Process]:
        children = self._root.children(recursive=True)
        return [self._root, *(child for child in children if child.name() != "postgres")]

    def _postgres(self) -> list[psutil.Process]:
        files = list(self._data.rglob("postmaster.pid"))
        if not files:
            return []
        master = psutil.Process(int(files[0].read_text().split()[0]))
        return [master, *master.children(recursive=True)]


@asynccontextmanager
async def running(
    environment: Mapping[str, str], data: Path, module: str = "bot", *words: str
) -> AsyncIterator[Program]:
    """Run a program; it ends with the block."""
    command = [sys.executable, "-m", module, *(words or ("run",))]
    log = (data / "log.txt").open("ab")
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**_clean(), **environment, "BOT_DATA_DIR": str(data / "data")},
        stdout=log,
        stderr=log,
    )
    program = Program(process, data)
    try:
        yield program
    finally:
        await program.stop()
        log.close()


@asynccontextmanager
async def folder() -> AsyncIterator[Path]:
    """Make a folder for data that goes away again; where we are root, Postgres runs as somebody else."""
    made = Path(tempfile.mkdtemp(prefix="frontdesk-bench-"))
    (made / "data").mkdir()
    for one in (made, made / "data"):
        one.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _clean() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "OPENAI_", "PG"))
    }


def _seconds(processes: list[psutil.Process]) -> float:
    """Add up CPU times; those of children that have ended are told by their parent."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
