"""A background server that several processes share: the first starts it, the last to leave stops it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bot.errors import FrontdeskError

if sys.platform != "win32":
    import fcntl

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


class Sharing:
    """
    One process's share in a background server.

    Two lock files carry it. Each sharer holds the *members* file in common; whoever can take it alone is the
    last. The *gate* is held alone while somebody joins or leaves, so that nobody ever joins a server that
    is just being stopped. A killed process leaves by dying: the kernel drops its locks.
    """

    def __init__(self, folder: Path, name: str, failure: type[FrontdeskError], seconds: float = 90.0) -> None:
        """
        `failure` is raised where the lock files cannot be used, or where the gate stays shut for `seconds`.
        """
        self._folder = folder
        self._name = name
        self._failure = failure
        self._seconds = seconds
        self._membership: int | None = None

    async def join(self, begin: Callable[[], _Result]) -> _Result:
        """
        Become a sharer and return what `begin` returns, which attaches to the running server or starts it.

        `begin` blocks and runs in a thread with the gate held; if it fails, nothing is shared. It is not cut
        short: a cancelled join ends when `begin` does, and `leave` then has to be called as after any other.
        """
        return await _to_its_end(self._join, begin)

    async def leave(self, end: Callable[[], None]) -> bool:
        """
        Stop sharing; the last one runs `end` with the gate held. Says whether we were the last.

        To leave twice, or without having joined, changes nothing.
        """
        return await _to_its_end(self._leave, end)

    def _join(self, begin: Callable[[], _Result]) -> _Result:
        with self._gate():
            joined = self._membership is None
            if self._membership is None:
                self._membership = _open(self._path("members"))
                fcntl.flock(self._membership, fcntl.LOCK_SH)
            try:
                return begin()
            except BaseException:
                if joined:
                    self._drop()
                raise

    def _leave(self, end: Callable[[], None]) -> bool:
        if self._membership is None:
            return False
        with self._gate():
            try:
                last = _take(self._membership)
                if last:
                    end()
                return last
            finally:
                self._drop()

    def _drop(self) -> None:
        if self._membership is not None:
            os.close(self._membership)
            self._membership = None

    def _path(self, part: str) -> Path:
        return _lock_path(self._folder, self._name, part)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        if sys.platform == "win32":
            raise self._failure(f"{self._name}: not supported on Windows; run Frontdesk in WSL")
        try:
            self._path("gate").parent.mkdir(parents=True, exist_ok=True)
            gate = _open(self._path("gate"))
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._wait_for(gate)
            yield
        finally:
            os.close(gate)

    def _wait_for(self, gate: int) -> None:
        deadline = time.monotonic() + self._seconds
        while not self._taken(gate):
            if time.monotonic() > deadline:
                raise self._failure(
                    f"Another process has been starting or stopping {self._name} in {self._folder} for "
                    f"{self._seconds:.0f} s. End that process and try again."
                )
            time.sleep(0.02)

    def _taken(self, lock: int) -> bool:
        try:
            return _take(lock)
        except OSError as error:  # some network file systems know no locks
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> FrontdeskError:
        return self._failure(
            f"The data folder {self._folder} cannot be written or locked ({error.strerror}). Give this user "
            "the right to write there, or choose a folder on a local disk with BOT_DATA_DIR."
        )


def deserted(folder: Path, name: str) -> bool:
    """
    Say whether nobody shares the server any more; for the server itself, which should end then.

    After True the gate stays shut until this process is gone, so that who joins next starts a new server
    rather than one that is about to end.
    """
    try:
        gate = _open(_lock_path(folder, name, "gate"))
    except FileNotFoundError:  # the data folder was deleted
        return True
    if _take(gate) and _nobody(_lock_path(folder, name, "members")):
        return True
    os.close(gate)
    return False


def _nobody(path: Path) -> bool:
    members = _open(path)
    try:
        return _take(members)
    finally:
        os.close(members)


async def _to_its_end(work: Callable[[_Given], _Result], given: _Given) -> _Result:
    """Run blocking work in a thread; a cancellation waits for it, since a thread cannot be stopped."""
    running = asyncio.ensure_future(asyncio.to_thread(work, given))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if running.done() and not running.cancelled():
            running.exception()  # looked at, so that nobody complains that it never was
        raise


def _lock_path(folder: Path, name: str, part: str) -> Path:
    return folder / "locks" / f"{name}.{part}"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
