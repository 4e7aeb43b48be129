"""Walks with whole programs: the two commands' second half, on an empty data folder and with no token."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.walks.program import Program


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """An empty data folder, and no database, model or platform given."""
    return {"BOT_DATA_DIR": str(tmp_path / "data"), "BOT_WEB__PORT": "0"}


@pytest.fixture
async def own(alone: dict[str, str]) -> AsyncIterator[Program]:
    started = Program(alone)
    yield started
    await started.interrupt_if_running()


async def bot(environment: dict[str, str], *words: str, typed: str = "") -> tuple[int, str]:
    """Run a command to its end; give its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", *words),
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate(typed.encode())
    return process.returncode or 0, printed.decode()


def servers(folder: str) -> list[str]:
    """The Postgres and model servers that stand on a data folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or [])
        if folder in words and ("postgres" in words or "builtin" in words):
            found.append(words)
    return found


async def test_with_nothing_set_it_answers_and_ctrl_c_stops_everything(
    own: Program, alone: dict[str, str]
) -> None:
    await own.start()
    async with aiohttp.ClientSession() as browser:
        async with browser.get(f"{own.address}/healthz") as answer:
            assert answer.status == 200
        async with browser.get(own.address) as page:
            assert "Frontdesk" in await page.text()
    code, printed = await bot(alone, "chat", typed="What is the capital of France?\n")
    assert code == 0
    assert "small" in printed
    assert await own.interrupt() == 0
    assert servers(alone["BOT_DATA_DIR"]) == []


async def test_run_and_doctor_share_and_the_last_to_leave_stops(own: Program, alone: dict[str, str]) -> None:
    await own.start()
    code, printed = await bot(alone, "doctor")
    assert code == 0, printed
    assert "✗" not in printed
    async with aiohttp.ClientSession() as browser, browser.get(f"{own.address}/healthz") as answer:
        assert answer.status == 200
    await own.interrupt()
    code, printed = await bot(alone, "migrate")
    assert code == 0
    assert servers(alone["BOT_DATA_DIR"]) == []


async def test_a_wrong_setting_is_one_clear_line(alone: dict[str, str]) -> None:
    code, printed = await bot({**alone, "BOT_WEB__PORT": "eighty"}, "run")
    assert code == 2
    assert "BOT_WEB__PORT" in printed
    assert len(printed.strip().splitlines()) == 1


async def test_what_the_console_may_not_do_is_told_before_anything_is_started(alone: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, printed = await bot({**alone, "BOT_WEB__PORT": port}, "run")
    assert (code, printed.count("\n")) == (2, 1)
    assert f"port {port} on 127.0.0.1 is in use" in printed
    code, printed = await bot({**alone, "BOT_WEB__HOST": "0.0.0.0"}, "run")
    assert (code, printed.count("\n")) == (2, 1)
    assert printed.startswith("BOT_WEB__TOKEN: missing")


async def test_ctrl_c_ends_the_wait_for_a_database_that_is_away(alone: dict[str, str]) -> None:
    program = Program({**alone, "BOT_DATABASE_URL": "postgresql://bot:hush@127.0.0.1:1/frontdesk"})
    await program.start(awaiting="waiting for it")
    assert program.said("BOT_DATABASE_URL")
    assert await program.interrupt() == 0
    assert not program.said("hush")
    assert not program.said("Traceback")


async def test_the_doctor_tells_of_a_database_that_is_away(alone: dict[str, str]) -> None:
    away = {"BOT_DATABASE_URL": "postgresql://bot:hush@127.0.0.1:1/frontdesk"}
    code, printed = await bot({**alone, **away}, "doctor")
    assert code == 1
    assert "BOT_DATABASE_URL" in printed
    assert "hush" not in printed


async def test_a_small_model_says_kindly_that_it_cannot_write_chinese(alone: dict[str, str]) -> None:
    code, printed = await bot(alone, "chat", typed="你好，请问你是谁？\n")
    assert code == 0
    assert "抱歉" in printed
    assert "中文" in printed


async def test_the_version_is_told_without_starting_anything(alone: dict[str, str]) -> None:
    code, printed = await bot(alone, "--version")
    assert (code, printed.split()[0]) == (0, "frontdesk")


async def test_the_doctor_finds_all_well_and_prints_the_invite_link(
    environment: dict[str, str], slack_environment: dict[str, str], discord_environment: dict[str, str]
) -> None:
    code, printed = await bot({**environment, **slack_environment, **discord_environment}, "doctor")
    assert code == 0, printed
    assert "/oauth2/authorize?client_id=" in printed
    assert "✗" not in printed


async def test_the_doctor_names_each_wrong_token_and_its_cure(
    environment: dict[str, str], slack_environment: dict[str, str], discord_environment: dict[str, str]
) -> None:
    wrong = {
        "BOT_SLACK__BOT_TOKEN": "xoxb-wrong",
        "BOT_DISCORD__TOKEN": "wrong",
        "BOT_MODEL__NAME": "no-such-model",
    }
    code, printed = await bot({**environment, **slack_environment, **discord_environment, **wrong}, "doctor")
    assert code == 1
    for setting in wrong:
        assert setting in printed
    assert "xoxb-wrong" not in printed
    assert "Traceback" not in printed


async def test_a_gateway_with_nothing_to_hold_says_so(alone: dict[str, str]) -> None:
    code, printed = await bot(alone, "run", "--role", "gateway")
    assert code == 2
    assert "bot setup" in printed
    assert "Traceback" not in printed


async def test_a_role_that_is_none_is_told(alone: dict[str, str]) -> None:
    code, printed = await bot(alone, "run", "--role", "worker,wep")
    assert code == 2
    assert "'wep'" in printed
