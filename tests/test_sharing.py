"""A server that several processes share: started by the first, stopped by the last, never pulled away."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.errors import BackendDown, ServerFailed
from bot.sharing import Sharing, deserted

_PROGRAM = Path(__file__).resolve().parents[1]
_SHARER = """
import asyncio, sys
from pathlib import Path
from bot.errors import ServerFailed
from bot.sharing import Sharing
asyncio.run(Sharing(Path(sys.argv[1]), "x", ServerFailed).join(lambda: None))
print("joined", flush=True)
sys.stdin.read()
"""
_SERVER = """
import sys
from pathlib import Path
from bot.sharing import deserted
print("deserted" if deserted(Path(sys.argv[1]), "x") else "shared", flush=True)
sys.stdin.read()
"""


class FakeServer:
    """A server that knows whether it runs, and complains when it is started or stopped twice."""

    def __init__(self) -> None:
        self.running = False
        self.starts = 0

    def begin(self) -> str:
        if not self.running:
            self.running = True
            self.starts += 1
        return f"address {self.starts}"

    def end(self) -> None:
        assert self.running, "stopped twice"
        self.running = False


def _sharing(folder: Path, seconds: float = 90.0) -> Sharing:
    return Sharing(folder, "x", ServerFailed, seconds)


def _spawn(program: str, folder: Path, says: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=_PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == says
    return process


def _bury(sharer: subprocess.Popen[str]) -> None:
    sharer.send_signal(signal.SIGKILL)
    sharer.communicate()


async def test_the_first_starts_the_server_and_the_last_stops_it(tmp_path: Path) -> None:
    server, first, second = FakeServer(), _sharing(tmp_path), _sharing(tmp_path)
    assert await first.join(server.begin) == "address 1"
    assert await second.join(server.begin) == "address 1"
    assert await first.leave(server.end) is False
    assert server.running
    assert await second.leave(server.end) is True
    assert not server.running


async def test_to_leave_twice_changes_nothing(tmp_path: Path) -> None:
    server, first, second = FakeServer(), _sharing(tmp_path), _sharing(tmp_path)
    await first.join(server.begin)
    await second.join(server.begin)
    await first.leave(server.end)
    assert await first.leave(server.end) is False
    assert server.running


async def test_to_join_twice_is_one_share(tmp_path: Path) -> None:
    server, sharing = FakeServer(), _sharing(tmp_path)
    await sharing.join(server.begin)
    await sharing.join(server.begin)
    assert await sharing.leave(server.end) is True


async def test_another_process_keeps_the_server_alive_until_it_is_killed(tmp_path: Path) -> None:
    server, sharing = FakeServer(), _sharing(tmp_path)
    await sharing.join(server.begin)
    other = await asyncio.to_thread(_spawn, _SHARER, tmp_path, "joined\n")
    assert await sharing.leave(server.end) is False
    await sharing.join(server.begin)
    await asyncio.to_thread(_bury, other)
    assert await sharing.leave(server.end) is True


async def test_who_joins_while_the_last_one_leaves_gets_a_new_server(tmp_path: Path) -> None:
    server, leaver, joiner = FakeServer(), _sharing(tmp_path), _sharing(tmp_path)
    await leaver.join(server.begin)
    stopping, may_stop = threading.Event(), threading.Event()

    def end_slowly() -> None:
        stopping.set()
        assert may_stop.wait(10)
        server.end()

    leaving = asyncio.create_task(leaver.leave(end_slowly))
    assert await asyncio.to_thread(stopping.wait, 10)
    joining = asyncio.create_task(joiner.join(server.begin))
    done, _ = await asyncio.wait([joining], timeout=0.1)
    assert not done, "it joined a server that was being stopped"
    may_stop.set()
    assert await leaving is True
    assert await joining == "address 2"
    assert server.running
    await joiner.leave(server.end)


async def test_many_comers_and_goers_never_see_a_stopped_server(tmp_path: Path) -> None:
    server = FakeServer()

    async def come_and_go() -> None:
        sharing = _sharing(tmp_path)
        for _ in range(5):
            await sharing.join(server.begin)
            assert server.running
            await asyncio.sleep(0)
            assert server.running
            await sharing.leave(server.end)

    await asyncio.gather(*(come_and_go() for _ in range(4)))
    assert not server.running
    assert server.starts >= 1


async def test_a_server_that_does_not_start_is_not_shared(tmp_path: Path) -> None:
    def fail() -> None:
        raise ServerFailed("no")

    broken, sound, server = _sharing(tmp_path), _sharing(tmp_path), FakeServer()
    with pytest.raises(ServerFailed, match="no"):
        await broken.join(fail)
    await sound.join(server.begin)
    assert await sound.leave(server.end) is True


async def test_a_cancelled_join_waits_for_the_start_and_can_be_left(tmp_path: Path) -> None:
    server, sharing = FakeServer(), _sharing(tmp_path)
    starting, may_start = threading.Event(), threading.Event()

    def begin_slowly() -> str:
        starting.set()
        assert may_start.wait(10)
        return server.begin()

    joining = asyncio.create_task(sharing.join(begin_slowly))
    assert await asyncio.to_thread(starting.wait, 10)
    joining.cancel()
    may_start.set()
    with pytest.raises(asyncio.CancelledError):
        await joining
    assert await sharing.leave(server.end) is True
    assert not server.running


async def test_a_gate_that_stays_shut_is_told(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    with (tmp_path / "locks" / "x.gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        with pytest.raises(ServerFailed, match="starting or stopping x"):
            await _sharing(tmp_path, seconds=0.05).join(lambda: None)


async def test_an_unusable_folder_is_told_with_the_setting_that_cures_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    sharing = Sharing(tmp_path / "file", "x", BackendDown)
    with pytest.raises(BackendDown, match="BOT_DATA_DIR"):
        await sharing.join(lambda: None)


async def test_a_server_is_deserted_once_nobody_shares_it(tmp_path: Path) -> None:
    server, sharing = FakeServer(), _sharing(tmp_path)
    await sharing.join(server.begin)
    assert not deserted(tmp_path, "x")
    other = await asyncio.to_thread(_spawn, _SHARER, tmp_path, "joined\n")
    await sharing.leave(server.end)
    assert not deserted(tmp_path, "x")
    await asyncio.to_thread(_bury, other)
    last = await asyncio.to_thread(_spawn, _SERVER, tmp_path, "deserted\n")
    await asyncio.to_thread(_bury, last)


async def test_a_deserted_server_shuts_the_gate_until_it_is_gone(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    deserted_one = await asyncio.to_thread(_spawn, _SERVER, tmp_path, "deserted\n")
    with pytest.raises(ServerFailed, match="starting or stopping"):
        await _sharing(tmp_path, seconds=0.05).join(lambda: None)
    await asyncio.to_thread(_bury, deserted_one)
    server, sharing = FakeServer(), _sharing(tmp_path)
    assert await sharing.join(server.begin) == "address 1"
    await sharing.leave(server.end)


def test_a_server_whose_folder_was_deleted_is_deserted(tmp_path: Path) -> None:
    assert deserted(tmp_path / "gone", "x")
