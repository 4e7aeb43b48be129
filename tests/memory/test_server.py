"""The embedded Postgres: started, shared, found again, stopped, and brought back after whatever death."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from bot.errors import ServerFailed
from bot.memory.server import EmbeddedPostgres
from bot.memory.server.lodging import clear_out, settle

_PROGRAM = Path(__file__).resolve().parents[2]
_SHARER = """
import asyncio, sys
from pathlib import Path
from bot.memory.server import EmbeddedPostgres
print(asyncio.run(EmbeddedPostgres(Path(sys.argv[1])).start()), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def used(quick_folder: Path) -> Iterator[Path]:
    folder = quick_folder / uuid.uuid4().hex
    folder.mkdir(mode=0o755)
    yield folder
    _remove(folder)


@pytest.fixture
def data_dir(used: Path) -> Iterator[Path]:
    """Yield a data folder whose cluster other tests use too, since to make one takes its second."""
    yield used
    _halt(used)


@pytest.fixture
def new_dir(quick_folder: Path) -> Iterator[Path]:
    """Yield an empty data folder, and afterwards remove its cluster."""
    folder = quick_folder / uuid.uuid4().hex
    folder.mkdir(mode=0o755)
    yield folder
    _halt(folder)
    _remove(folder)


def _halt(data_dir: Path) -> None:
    if _postmaster(data_dir):  # the test failed
        lodging = settle(data_dir)
        lodging.run("pg_ctl", "-D", str(lodging.cluster), "-m", "immediate", "-w", "stop")


def _remove(data_dir: Path) -> None:
    clear_out(settle(data_dir), data_dir)


def _postmaster(data_dir: Path) -> int:
    """Return the pid of the living server, 0 where none lives."""
    try:
        pid = int((settle(data_dir).cluster / "postmaster.pid").read_text().split()[0])
        return pid if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else 0
    except (OSError, psutil.Error):
        return 0


def _ask(url: str, query: bytes) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        answer = connection.execute(query)
        return answer.fetchall() if answer.description else []


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def _spawn_sharer(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SHARER, str(data_dir)],
        cwd=_PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _bury(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


async def test_what_was_kept_is_found_after_a_restart(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    _ask(url, b"CREATE TABLE kept AS SELECT 'a word' AS word")
    assert await server.stop() is True
    assert _postmaster(data_dir) == 0
    assert await server.start() == url
    assert _ask(url, b"SELECT word FROM kept") == [("a word",)]
    await server.stop()


async def test_the_last_to_leave_stops_the_server(data_dir: Path) -> None:
    first, second = EmbeddedPostgres(data_dir), EmbeddedPostgres(data_dir)
    url = await first.start()
    assert await second.start() == url
    assert await first.stop() is False
    assert _ask(url, b"SELECT 1") == [(1,)]
    assert await second.stop() is True
    assert _postmaster(data_dir) == 0


async def test_two_processes_that_start_at_once_share_one_server(data_dir: Path) -> None:
    other = await asyncio.to_thread(_spawn_sharer, data_dir)
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    assert await asyncio.to_thread(_first_line, other) == url
    assert await server.stop() is False
    await asyncio.to_thread(_bury, other)
    assert _postmaster(data_dir), "it died with the process that started it"
    await server.start()
    assert await server.stop() is True


async def test_a_server_that_was_killed_is_started_again_with_all_that_was_committed(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    _ask(url, b"CREATE TABLE committed AS SELECT 1 AS one")
    killed = _postmaster(data_dir)
    os.kill(killed, signal.SIGKILL)
    await _until(lambda: _postmaster(data_dir) != killed)
    assert await server.start() == url
    assert _ask(url, b"SELECT one FROM committed") == [(1,)]
    assert await server.stop() is True


async def test_a_stale_pid_that_is_another_programs_now_misleads_nobody(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    pid_file = settle(data_dir).cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    await server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    await server.start()
    assert _postmaster(data_dir) not in {0, os.getpid()}
    await server.stop()


async def test_the_loop_stays_free_while_the_server_starts(new_dir: Path) -> None:
    longest, last = 0.0, time.monotonic()
    server = EmbeddedPostgres(new_dir)
    starting = asyncio.create_task(server.start())
    while not starting.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await starting
    await server.stop()
    assert longest < 0.5


async def test_a_cancelled_start_leaves_nothing_running(new_dir: Path) -> None:
    starting = asyncio.create_task(EmbeddedPostgres(new_dir).start())
    await _until((new_dir / "locks" / "postgres.members").exists)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert _postmaster(new_dir) == 0


async def test_the_server_is_private_safe_and_spared_by_ctrl_c(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    monkeypatch.setenv("PGHOST", "/nowhere")
    settings = dict(_ask(url, b"SELECT name, setting FROM pg_settings"))
    assert settings["listen_addresses"] == ""
    assert settings["fsync"] == settings["full_page_writes"] == settings["synchronous_commit"] == "on"
    assert settings["server_encoding"] == "UTF8"
    sockets = settle(data_dir).sockets
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert os.getsid(_postmaster(data_dir)) != os.getsid(0)
    await server.stop()


async def test_the_url_serves_sqlalchemy_too(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    engine = create_async_engine(await server.start())
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT current_database()")) == "frontdesk"
    await engine.dispose()
    await server.stop()


async def test_a_log_line_holds_no_text_of_a_message(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    _ask(url, b"CREATE TABLE once (word text PRIMARY KEY)")
    _ask(url, b"INSERT INTO once VALUES ('a secret')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        _ask(url, b"INSERT INTO once VALUES ('a secret')")
    await server.stop()
    log = settle(data_dir).log.read_text()
    assert "duplicate key" in log
    assert "secret" not in log


async def test_a_folder_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    lodging = settle(_reachable(tmp_path, "long" * 30))
    assert lodging.sockets != lodging.home
    assert len(os.fsencode(lodging.sockets / ".s.PGSQL.5432")) < 100
    assert stat.S_IMODE(lodging.sockets.stat().st_mode) == 0o700
    clear_out(lodging, tmp_path / ("long" * 30))


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = _reachable(tmp_path, "long" * 30)
    lodging = settle(folder)
    lodging.sockets.chmod(0o755)
    with pytest.raises(ServerFailed, match="not ours alone"):
        settle(folder)
    clear_out(lodging, folder)


def _reachable(tmp_path: Path, name: str) -> Path:
    """Make a data folder that the database's user could enter, were its parents not closed to it."""
    folder = tmp_path / name
    folder.mkdir(mode=0o755)
    if os.geteuid() == 0:
        # Where there is a cluster already, it stays, reachable or not.
        (folder / "postgres").mkdir(mode=0o700)
    return folder


async def test_a_cluster_of_another_version_is_told_and_left_alone(new_dir: Path) -> None:
    cluster = settle(new_dir).cluster
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerFailed, match=r"made by Postgres 17, this is Postgres \d+\. Run `bot backup"):
        await EmbeddedPostgres(new_dir).start()
    assert (cluster / "PG_VERSION").read_text() == "17\n"


async def test_a_folder_that_is_no_cluster_is_told(new_dir: Path) -> None:
    settle(new_dir).cluster.mkdir()
    with pytest.raises(ServerFailed, match="no Postgres cluster"):
        await EmbeddedPostgres(new_dir).start()


async def test_a_full_disk_is_told_before_anything_is_made(new_dir: Path) -> None:
    with pytest.raises(ServerFailed, match=r"is full .* Make room"):
        await EmbeddedPostgres(new_dir, room=2**60).start()
    assert not settle(new_dir).cluster.exists()


async def test_a_server_that_does_not_start_tells_cause_and_cure(data_dir: Path) -> None:
    broken = EmbeddedPostgres(data_dir, options={"shared_buffers": "nonsense"})
    with pytest.raises(ServerFailed, match=r"shared_buffers.*BOT_DATABASE_URL"):
        await broken.start()
    sound = EmbeddedPostgres(data_dir)
    await sound.start()
    assert await sound.stop() is True


async def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerFailed, match="BOT_DATA_DIR"):
        await EmbeddedPostgres(tmp_path / "file").start()


async def test_a_cluster_left_half_made_is_made_anew(new_dir: Path) -> None:
    half = settle(new_dir).home / "new-1"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(new_dir)
    assert _ask(await server.start(), b"SELECT 1") == [(1,)]
    assert not half.exists()
    await server.stop()


async def test_a_temporary_cluster_is_gone_with_the_last_sharer(quick_folder: Path) -> None:
    folder = quick_folder / uuid.uuid4().hex
    server = EmbeddedPostgres(folder, temporary=True)
    await server.start()
    home = settle(folder).home
    await server.stop()
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a database user that cannot enter its folders")
async def test_a_closed_data_folder_of_root_stays_closed_and_says_where_the_database_is(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "data"
    server = EmbeddedPostgres(folder, temporary=True)
    await server.start()
    home = settle(folder).home
    assert not home.is_relative_to(tmp_path)
    assert str(home) in (folder / "postgres-lives-elsewhere.txt").read_text()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert psutil.Process(_postmaster(folder)).uids().real != 0
    await server.stop()


async def test_a_server_that_died_is_started_anew_for_those_who_use_it(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    watching = asyncio.create_task(server.watch(every=0.05))
    first = _postmaster(data_dir)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(30):
        while _postmaster(data_dir) in (0, first):  # noqa: ASYNC110 — another process is looked at
            await asyncio.sleep(0.05)
        while True:
            try:
                with psycopg.connect(url) as connection:
                    assert connection.execute("SELECT 1").fetchone() == (1,)
                break
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)
    watching.cancel()
    await asyncio.wait({watching})
    assert await server.stop()


async def test_what_keeps_it_from_starting_is_told_and_tried_again(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    await server.start()
    first = _postmaster(data_dir)
    server._room = 2**60  # as if the disk were full
    with capture_logs() as logs:
        watching = asyncio.create_task(server.watch(every=0.05))
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not any(line["event"] == "postgres_does_not_start" for line in logs):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            server._room = 0
            while _postmaster(data_dir) in (0, first):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        watching.cancel()
        await asyncio.wait({watching})
    assert "is full" in next(line["reason"] for line in logs if line["event"] == "postgres_does_not_start")
    assert await server.stop()
