"""What every test may lean on: a clean environment, and a real Postgres that is started once a run."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from bot.memory.server import EmbeddedPostgres

# How quick the machine is says nothing about what is right; benchmarks measure time.
settings.register_profile("frontdesk", deadline=None)
settings.load_profile("frontdesk")

# Nothing of a test run has to outlive a power cut, so it need not wait for the disk.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
_TEMPLATE = "migrated"
_RUN = "FRONTDESK_TEST_RUN"
_ROOM = 1024**3


def pytest_configure() -> None:
    """Make the run's folder for databases, in memory where there is room: it is 20 times as quick there."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    place = memory if roomy else Path(tempfile.gettempdir())
    prefix = f"frontdesk-tests-{os.getuid()}-"
    for left in place.glob(f"{prefix}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(prefix))):
            asyncio.run(_clear_away(left))
    folder = place / f"{prefix}{os.getpid()}"
    folder.mkdir(mode=0o711)
    os.environ[_RUN] = str(folder)


def pytest_unconfigure() -> None:
    """Remove what is left of the run's folder; its servers are stopped by then."""
    if "PYTEST_XDIST_WORKER" not in os.environ and _RUN in os.environ:
        shutil.rmtree(os.environ.pop(_RUN), ignore_errors=True)


async def _clear_away(left: Path) -> None:
    """Stop and delete what a killed run left behind."""
    if (left / "data" / "postgres" / "cluster").exists():
        server = EmbeddedPostgres(left / "data", temporary=True)
        await server.start()
        await server.stop()
    shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def quick_folder() -> Path:
    """Return a folder for databases, the same for all processes of this run."""
    return Path(os.environ[_RUN])


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the developer's own settings, keys and home away from the tests."""
    for name in list(os.environ):
        if name.startswith(("BOT_", "OPENAI_", "XDG_", "PG")):
            monkeypatch.delenv(name)
    browsers = "Library/Caches" if sys.platform == "darwin" else ".cache"
    if "PLAYWRIGHT_BROWSERS_PATH" not in os.environ:  # a browser is no setting: it is found in the real home
        monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(Path.home() / browsers / "ms-playwright"))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def postgres(quick_folder: Path) -> Iterator[str]:
    """Start the run's Postgres, shared by all its processes, and yield the URL of its first database."""
    server = EmbeddedPostgres(quick_folder / "data", options=_FAST, temporary=True)
    url = asyncio.run(server.start())
    yield url
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> str:
    """Make the migrated database that tests copy, once a run; returns its name."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        # The first worker makes it, the others wait here.
        connection.execute("SELECT pg_advisory_lock(1)")
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s AND NOT datallowconn", [_TEMPLATE]
        )
        if found.fetchone() is None:
            name = sql.Identifier(_TEMPLATE)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            _upgrade()(_named(postgres, _TEMPLATE))
            # Closed to connections, since one that lingered would stop the copying. It also marks it whole.
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
    return _TEMPLATE


@pytest.fixture
def database_url(postgres: str, migrated_template: str) -> Iterator[str]:
    """Yield the URL of a migrated database that this test alone has."""
    with _database(postgres, migrated_template) as url:
        yield url


@pytest.fixture
def new_database(postgres: str, migrated_template: str) -> Callable[[], AbstractContextManager[str]]:
    """Give a way to make migrated databases, for tests that need several."""
    return partial(_database, postgres, migrated_template)


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """Yield the URL of a database without tables that this test alone has."""
    with _database(postgres, "template0") as url:
        yield url


@contextmanager
def _database(postgres: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    yield _named(postgres, name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _named(url: str, database: str) -> str:
    return url.replace("/frontdesk?", f"/{database}?", 1)


def _upgrade() -> Callable[[str], None]:
    from bot.memory.migrations import upgrade

    return upgrade
