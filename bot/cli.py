"""Parses words, calls app."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from bot import __version__
from bot.app.logs import configure_logs
from bot.config import read_settings
from bot.errors import FrontdeskError

app = typer.Typer(
    help="Frontdesk: the self-hosted AI teammate for Slack and Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_screen = Console(stderr=True)

Name = Literal["run", "chat", "migrate", "migrate-check", "backup", "restore", "doctor", "erase"]
Command = Callable[..., Coroutine[Any, Any, int | None]]


def main() -> None:
    """Run the program; what it refuses is told in a line, with exit code 2."""
    app(prog_name="bot")


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"frontdesk {__version__}")
        raise typer.Exit


@app.command()
def run(
    role: Annotated[
        str, typer.Option(help="all, or by commas: gateway (listens), worker (answers), web (pages)")
    ] = "all",
) -> None:
    """Serve the web console and answer on Slack and Discord, until Ctrl-C."""
    _leave(_told("run", role))


@app.command()
def chat() -> None:
    """Talk to the bot in this terminal."""
    _leave(_told("chat", quiet=True))


@app.command()
def setup() -> None:
    """Ask for the model, Slack and Discord one by one, test each, and write .env."""
    from bot.app import commands

    configure_logs("console", level=40)
    _leave(commands.setup())


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say: exit code 0 up to date, 1 behind, 2 newer or away.")
    ] = False,
) -> None:
    """Bring the database's tables up to date."""
    _leave(_told("migrate-check", quiet=True) if check else _told("migrate"))


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="a new file; by its end it is gzip")]) -> None:
    """Write all that is kept into one file, while the bot goes on."""
    _leave(_told("backup", _whole(file)))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="what `bot backup` wrote")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Throw away what the database holds now.")
    ] = False,
) -> None:
    """Put a backup into an empty database; stop the bot first."""
    _leave(_told("restore", _whole(file), replace))


@app.command()
def doctor() -> None:
    """Look at the database, the model, Slack, Discord and the disk, and say what to do."""
    _leave(_told("doctor", quiet=True))


@app.command()
def key() -> None:
    """Print a new key for BOT_SECRETS__KEY, which encrypts secrets in the database."""
    from bot.memory.sealing import new_key

    typer.echo(new_key())


@app.command()
def erase(
    platform: Annotated[str, typer.Argument(help="slack, discord, web or console")],
    workspace: Annotated[str, typer.Argument(help="Slack's team id, Discord's server id")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that is kept of a workspace, at once and for good."""
    if not yes:
        typer.confirm(
            f"This erases all that is kept of {workspace!r} on {platform}, for good. Go on?", abort=True
        )
    _leave(_told("erase", platform, workspace, quiet=True))


def _told(name: Name, *words: object, quiet: bool = False) -> int:
    """Run a command to its end; our own errors become one clear line each."""
    try:
        settings = read_settings()
        configure_logs(settings.log.format, level=40 if quiet else 20)
        return asyncio.run(_command(name)(settings, _say, *words)) or 0
    except FrontdeskError as error:
        for line in str(error).splitlines():
            _screen.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return 130


def _command(name: Name) -> Command:
    """Load the command now: `--version`, `--help` and a wrong setting need not wait for every library."""
    if name == "run":
        from bot.app.serving import run_as

        return run_as
    from bot.app import commands

    known: dict[str, Command] = {
        "chat": commands.chat,
        "migrate": commands.migrate,
        "migrate-check": commands.migrate_check,
        "backup": commands.backup,
        "restore": commands.restored,
        "doctor": commands.doctor,
        "erase": commands.erase,
    }
    return known[name]


def _whole(file: Path) -> Path:
    return file.expanduser().absolute()


def _leave(code: int) -> None:
    # Python's last collection would look through all that was ever loaded, for a second or two.
    gc.freeze()
    sys.exit(code)


def _say(text: str) -> None:
    _screen.print(text, style="bold", markup=False, highlight=False, soft_wrap=True)
