"""The embedded Postgres: starts, shares and stops a private server in the data folder."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import TimeoutExpired
from urllib.parse import quote

import psutil
import psycopg
import structlog

from bot.errors import ServerFailed
from bot.memory.server.lodging import PORT, Lodging, clear_out, settle
from bot.sharing import Sharing

log = structlog.get_logger()

_DATABASE = "frontdesk"
_USER = "bot"
_NOBODY = 2**31 - 1  # above every system's highest process number
_OWN_SERVER = "or use your own Postgres with BOT_DATABASE_URL."

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "shared_buffers": "128MB",
    "max_connections": "200",
    # A container's /dev/shm holds 64 MB, which parallel queries outgrow.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "log_checkpoints": "off",
    # Statements and details may hold what people wrote.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """
    A share in the data folder's own Postgres, which runs while at least one process holds a share.

    It survives the death of any of us, and of itself: the next start attaches, recovers or starts anew.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        options: Mapping[str, str] | None = None,
        temporary: bool = False,
        room: int = 64 * 2**20,
    ) -> None:
        """
        `options` are server settings over ours; a `temporary` cluster is deleted by the last to leave.

        With less than `room` bytes on the disk it does not start.
        """
        self._data_dir = data_dir
        self._options = {**_OPTIONS, **(options or {})}
        self._temporary = temporary
        self._room = room
        self._sharing = Sharing(data_dir, "postgres", ServerFailed)

    async def start(self) -> str:
        """
        Return the URL of the running server's database, for SQLAlchemy as for psycopg.

        Raises `ServerFailed`, which tells cause and cure.
        """
        try:
            return await self._sharing.join(self._begin)
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def watch(self, every: float = 2.0) -> None:
        """
        Start the server anew where it died, until cancelled; what keeps it from starting is tried again.

        A full disk is such a thing: Postgres ends itself, and comes back once there is room.
        """
        while True:
            await asyncio.sleep(every)
            if await asyncio.to_thread(self._lives):
                continue
            try:
                await self._sharing.join(self._begin)
                log.warning("postgres_started_anew", folder=str(self._data_dir))
            except ServerFailed as error:
                log.error("postgres_does_not_start", reason=str(error))

    async def stop(self) -> bool:
        """Leave; the last to leave stops the server. Says whether that was us."""
        return await self._sharing.leave(self._end)

    def _begin(self) -> str:
        try:
            lodging = settle(self._data_dir)
            _check_room(lodging, self._room)
            if lodging.cluster.exists():
                _check_version(lodging)
            else:
                _create(lodging)
            sockets = self._serve(lodging)
            _add_database(sockets)
        except TimeoutExpired as error:
            raise ServerFailed(f"Postgres hangs: {error}. Look at the disk, {_OWN_SERVER}") from error
        except (OSError, psycopg.Error) as error:
            raise ServerFailed(f"Postgres did not start: {error}. Look at the disk, {_OWN_SERVER}") from error
        return _url(sockets, _DATABASE)

    def _lives(self) -> bool:
        return _running(settle(self._data_dir)) is not None

    def _end(self) -> None:
        lodging = settle(self._data_dir)
        if _running(lodging) is not None:
            done = lodging.run("pg_ctl", "-D", str(lodging.cluster), "-m", "fast", "-t", "30", "-w", "stop")
            if done.returncode != 0 and _running(lodging) is not None:
                # Loses nothing: the next start replays the log.
                lodging.run("pg_ctl", "-D", str(lodging.cluster), "-m", "immediate", "-w", "stop")
        if self._temporary:
            clear_out(lodging, self._data_dir)

    def _serve(self, lodging: Lodging) -> Path:
        """Return the folder of the socket on which the server answers."""
        deadline = time.monotonic() + 60
        refusal = ""
        while time.monotonic() < deadline:
            sockets = _running(lodging)
            if sockets is None:
                refusal = self._launch(lodging)
            elif _answers(sockets):
                return sockets
            else:
                refusal = "it runs but takes no connections (recovering, or shutting down)"
            time.sleep(0.02)
        raise ServerFailed(f"Postgres is not ready after 60 s: {refusal}. See {lodging.log}, {_OWN_SERVER}")

    def _launch(self, lodging: Lodging) -> str:
        """Start the server; returns what it said where another try may help, raises where none does."""
        for lock in (lodging.cluster / "postmaster.pid", lodging.sockets / f".s.PGSQL.{PORT}.lock"):
            _disown(lock)
        options = {**self._options, "unix_socket_directories": f'"{lodging.sockets}"'}
        words = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
        begins = _trim_log(lodging.log)
        done = lodging.run(
            *("pg_ctl", "-D", str(lodging.cluster), "-l", str(lodging.log)),
            *("-o", words, "-s", "-w", "-t", "60", "start"),
        )
        if done.returncode == 0:
            return ""
        said = _said(lodging.log, begins) or done.stdout
        # The children of a server that was killed live on for a moment.
        if re.search(r"is still in use|lock file .* already exists", said):
            return said
        raise ServerFailed(f"Postgres did not start: {_cause(said)} {_cure(said, lodging)}")


def _check_room(lodging: Lodging, room: int) -> None:
    free = shutil.disk_usage(lodging.home).free
    if free < room:
        raise ServerFailed(
            f"The disk of {lodging.home} is full ({free // 2**20} MB free, Postgres needs {room // 2**20}). "
            "Make room there, choose another BOT_DATA_DIR, " + _OWN_SERVER
        )


def _check_version(lodging: Lodging) -> None:
    try:
        made_by = (lodging.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError as error:
        raise ServerFailed(
            f"{lodging.cluster} is no Postgres cluster, or not readable ({error.strerror}). "
            "Put back what was there, or move it away and begin with an empty database."
        ) from error
    ours = re.search(r"(\d+)\.", lodging.run("postgres", "-V").stdout)
    if ours and made_by != ours[1]:
        raise ServerFailed(
            f"{lodging.cluster} was made by Postgres {made_by}, this is Postgres {ours[1]}. Run `bot backup "
            f"FILE` with the Frontdesk that made it, move that folder away, and run `bot restore FILE` with "
            f"this one (docs/operations.md), {_OWN_SERVER}"
        )


def _create(lodging: Lodging) -> None:
    """Make the cluster beside its place and move it there whole, so that a crash leaves no half of it."""
    for half in lodging.home.glob("new-*"):
        shutil.rmtree(half, ignore_errors=True)
    half = lodging.home / f"new-{time.time_ns()}"
    done = lodging.run(
        *("initdb", "-D", str(half), "-U", _USER, "--encoding=UTF8", "--no-instructions"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        # Whoever reaches the socket is let in: there is no TCP, and its folder is 0700, so only we reach it.
        "--auth=trust",
    )
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise ServerFailed(f"Postgres did not begin: {_cause(done.stdout)} {_cure(done.stdout, lodging)}")
    half.rename(lodging.cluster)


def _running(lodging: Lodging) -> Path | None:
    """Return the socket folder of the living server, None where none lives."""
    try:
        lines = (lodging.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        process = psutil.Process(int(lines[0]))
        # The number may be another program's by now; a zombie may stay for ever where nobody reaps.
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return None
        if Path(process.cwd()) != lodging.cluster:
            return None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
    return Path(lines[4]) if len(lines) > 4 and lines[4] else lodging.sockets


def _disown(lock: Path) -> None:
    """
    Put the number of no process into a dead server's lock file.

    Postgres is misled by a number in use again, and by a zombie's. The file stays, since its other lines are
    what Postgres looks for the dead server's children by, which may still write.
    """
    try:
        _, _, rest = lock.read_text(encoding="utf-8").partition("\n")
        lock.write_text(f"{_NOBODY}\n{rest}", encoding="utf-8")
    except FileNotFoundError:
        pass


def _answers(sockets: Path) -> bool:
    try:
        with psycopg.connect(_url(sockets, "postgres"), connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _add_database(sockets: Path) -> None:
    with psycopg.connect(_url(sockets, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {_DATABASE}".encode())


def _url(sockets: Path, database: str) -> str:
    # The port is said: PGPORT in the environment would win otherwise.
    return f"postgresql://{_USER}@/{database}?host={quote(str(sockets))}&port={PORT}"


def _trim_log(log: Path) -> int:
    """Keep one old log once the log is over 4 MB; returns where new lines begin."""
    try:
        size = log.stat().st_size
    except OSError:
        return 0
    if size <= 4 * 2**20:
        return size
    log.replace(log.with_suffix(".log.1"))
    return 0


def _said(log: Path, begins: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(begins)
            return file.read(64 * 1024).decode("utf-8", "replace")
    except OSError:
        return ""


def _cause(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|error|could not", line)]
    return " / ".join((telling or lines)[-3:]) or "it said nothing."


def _cure(said: str, lodging: Lodging) -> str:
    if "No space left" in said:
        return f"The disk is full: make room for {lodging.home}, {_OWN_SERVER}"
    if "ermission denied" in said:
        return f"Give {lodging.home} back to its owner, {_OWN_SERVER}"
    return f"See {lodging.log}, restore the data folder from a backup, {_OWN_SERVER}"
