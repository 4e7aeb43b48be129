"""Parses words, calls app."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
from rich.console import Console

from bot import __version__
from bot.app import commands
from bot.app.logs import configure_logs
from bot.app.running import run as run_bot
from bot.config import Settings, read_settings
from bot.errors import FrontdeskError

app = typer.Typer(
    help="Frontdesk: the self-hosted AI teammate for Slack and Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_screen = Console(stderr=True)


def main() -> None:
    """Run the program; what it refuses is told in a line, with exit code 2."""
    app()


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"frontdesk {__version__}")
        raise typer.Exit


@app.command()
def run() -> None:
    """Serve the web console and answer on Slack and Discord, until Ctrl-C."""
    _leave(_told(lambda settings: run_bot(settings, _say)))


@app.command()
def chat() -> None:
    """Talk to the bot in this terminal."""
    _leave(_told(lambda settings: commands.chat(settings, _say), quiet=True))


@app.command()
def setup() -> None:
    """Ask for the model, Slack and Discord one by one, test each, and write .env."""
    configure_logs("console", level=40)
    _leave(commands.setup())


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    _leave(_told(lambda settings: commands.migrate(settings, _say)))


@app.command()
def doctor() -> None:
    """Look at the database, the model, Slack, Discord and the disk, and say what to do."""
    _leave(_told(lambda settings: commands.doctor(settings, _say), quiet=True))


def _told(command: Callable[[Settings], Coroutine[Any, Any, int | None]], *, quiet: bool = False) -> int:
    """Run a command to its end; our own errors become one clear line each."""
    try:
        settings = read_settings()
        configure_logs(settings.log.format, level=40 if quiet else 20)
        return asyncio.run(command(settings)) or 0
    except FrontdeskError as error:
        for line in str(error).splitlines():
            _screen.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return 130


def _leave(code: int) -> None:
    sys.exit(code)


def _say(text: str) -> None:
    _screen.print(text, style="bold", markup=False, highlight=False, soft_wrap=True)
