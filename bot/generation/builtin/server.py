"""The model on board, served over HTTP by a process of its own that all our processes share."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from bot.errors import BackendDown
from bot.generation.builtin.state import MODULE, State, read_state
from bot.generation.builtin.weights import Weights, find_weights
from bot.sharing import Sharing

_PATIENCE = 300.0  # a large file on a slow disk
_PROGRAM = Path(__file__).resolve().parents[3]

# A child that outlives our share must not be forgotten by the process that has to reap it.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Address:
    """Where an OpenAI-compatible server answers, and which model it is."""

    base_url: str
    api_key: str
    name: str
    small: bool
    context_tokens: int


class OnBoardServer:
    """
    A share in the server of the model on board, which runs while at least one process holds a share.

    Processes that want another file or another context get another server.
    """

    def __init__(self, data_dir: Path, model_path: Path | None, context_tokens: int = 4096) -> None:
        """`model_path` is the user's GGUF file, None for the small model that is installed with us."""
        self._data_dir = data_dir.resolve()
        self._model_path = model_path
        self._context_tokens = context_tokens
        wanted = f"{model_path and model_path.expanduser().absolute()} {context_tokens}"
        self._share = f"model-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
        self._folder = self._data_dir / "model"
        self._state_path = self._folder / f"{self._share}.json"
        self._sharing = Sharing(self._data_dir, self._share, BackendDown)

    async def start(self) -> Address:
        """
        Return the address of the running server, which is started where it does not run.

        May be called again while shared: a server that died is started anew, at the same address if it is
        still free. Raises `SettingError` for the file, `BackendDown` where the server does not start.
        """
        try:
            return await self._sharing.join(self._begin)
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def stop(self) -> bool:
        """Leave; the last to leave stops the server. Says whether that was us."""
        return await self._sharing.leave(self._end)

    def _begin(self) -> Address:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            weights = find_weights(self._model_path, self._folder)
            state = read_state(self._state_path)
            if state is None or not _healthy(state):
                state = self._launch(weights, state)
        except OSError as error:
            raise BackendDown(
                f"The model on board cannot use {self._folder} ({error.strerror}). Make room or give the "
                "right to write there, or choose another folder with BOT_DATA_DIR."
            ) from error
        return Address(
            base_url=f"http://127.0.0.1:{state.port}/v1",
            api_key=state.api_key,
            name=weights.name,
            small=weights.small,
            context_tokens=state.context_tokens() or self._context_tokens,
        )

    def _end(self) -> None:
        state = read_state(self._state_path)
        if state is not None:
            _kill(state)
        self._state_path.unlink(missing_ok=True)

    def _launch(self, weights: Weights, before: State | None) -> State:
        if before is not None:
            _kill(before)
        self._state_path.unlink(missing_ok=True)
        order = {
            "data_dir": str(self._data_dir),
            "sharing": self._share,
            "state": str(self._state_path),
            "model": str(weights.path),
            "name": weights.name,
            "small": weights.small,
            "context_tokens": self._context_tokens,
            # After a crash the sharers go on at the address that they know.
            "port": before.port if before else 0,
            "api_key": before.api_key if before else secrets.token_urlsafe(32),
        }
        log = self._state_path.with_suffix(".log")
        child = _spawn(order, log)
        _children[child.pid] = child
        return self._await(child, log)

    def _await(self, child: subprocess.Popen[bytes], log: Path) -> State:
        deadline = time.monotonic() + _PATIENCE
        while child.poll() is None and time.monotonic() < deadline:
            state = read_state(self._state_path)
            if state is not None and state.context_tokens():
                return state
            time.sleep(0.02)
        child.kill()
        child.wait()
        del _children[child.pid]
        cause = _last_words(log) or f"it ended with {child.returncode}."
        raise BackendDown(
            f"The model on board did not start: {cause} See {log}, name another file with "
            "BOT_MODEL__PATH, or a server with BOT_MODEL__BASE_URL."
        )


def _spawn(order: dict[str, object], log: Path) -> subprocess.Popen[bytes]:
    # The order goes in by stdin: words and environment of a process can be read by others.
    with tempfile.TemporaryFile() as stdin, _private(log) as output:
        stdin.write(json.dumps(order).encode())
        stdin.seek(0)
        return subprocess.Popen(
            [sys.executable, "-m", MODULE],
            cwd=_PROGRAM,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb")


def _healthy(state: State) -> bool:
    if state.process() is None:
        return False
    # A server that reads a long prompt on every core may be slow to answer; a dead one is not.
    return any(state.context_tokens() for _ in range(3))


def _kill(state: State) -> None:
    process = state.process()
    if process is not None:
        try:
            process.terminate()
            process.wait(timeout=3)
        except psutil.TimeoutExpired:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    child = _children.pop(state.pid, None)
    if child is not None:
        child.wait()


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line for line in lines if " E " in line or "Error" in line]
    return " / ".join(telling[:1] or lines[-1:])
