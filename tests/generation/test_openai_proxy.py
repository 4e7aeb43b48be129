"""The way to the server: through a proxy where one is given, a real one on the wire; kept open otherwise."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

import pytest

from bot.errors import BackendDown, SettingError
from tests.doubles.model import Gate, ModelDouble, Script
from tests.generation.openai_bench import Bench


class ProxyDouble:
    """A forward proxy: absolute-form requests are sent on, CONNECT opens a tunnel; `asked` has each."""

    def __init__(self, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.url = ""
        self._refuses = refuses
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._forward(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever was there has gone
        finally:
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split("\r\n", 1)[0])
        self.headers.append(head)
        method, target, _ = self.asked[-1].split(" ")
        if self._refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return await writer.drain()
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            back.write(head.replace(target, parts.path, 1).encode())
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            back.close()
        return None


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    sink.close()


@pytest.fixture
async def model() -> AsyncIterator[ModelDouble]:
    async with ModelDouble() as double:
        yield double


@pytest.fixture
async def proxy() -> AsyncIterator[ProxyDouble]:
    async with ProxyDouble() as double:
        yield double


async def test_an_answer_streams_through_the_proxy(model: ModelDouble, proxy: ProxyDouble) -> None:
    bench = Bench(model, proxy=proxy.url)
    assert await bench.text() == "You said: How are you?"
    assert proxy.asked == [f"POST {model.url}/chat/completions HTTP/1.1"]
    await bench.backend.close()


async def test_the_proxys_own_password_is_for_the_proxy(model: ModelDouble, proxy: ProxyDouble) -> None:
    guarded = proxy.url.replace("://", "://ann:s%40cret@")
    for address in (model.url, model.url.replace("http:", "https:")):
        bench = Bench(model, base_url=address, proxy=guarded, retries=0)
        with suppress(BackendDown):
            await bench.text()
        await bench.backend.close()
    assert [asked.split(" ")[0] for asked in proxy.asked] == ["POST", "CONNECT"]
    word = b64encode(b"ann:s@cret").decode()
    carried = [re.findall(r"(?im)^proxy-authorization: (.*?)\r$", headers) for headers in proxy.headers]
    assert carried == [[f"Basic {word}"]] * 2


async def test_a_server_with_encryption_is_reached_by_a_tunnel(proxy: ProxyDouble) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bench = Bench(ModelDouble(), base_url=f"https://127.0.0.1:{port}/v1", proxy=proxy.url, retries=0)
    _, error = await bench.until_it_fails()
    assert type(error) is BackendDown
    assert proxy.asked == [f"CONNECT 127.0.0.1:{port} HTTP/1.1"]
    await bench.backend.close()
    server.close()


async def test_a_proxy_that_refuses_is_told_as_down(model: ModelDouble) -> None:
    async with ProxyDouble(refuses=True) as proxy:
        bench = Bench(model, base_url="https://127.0.0.1:9/v1", proxy=proxy.url, retries=0)
        _, error = await bench.until_it_fails()
        assert type(error) is BackendDown
        await bench.backend.close()


async def test_the_environment_is_not_asked_behind_our_back(
    model: ModelDouble, proxy: ProxyDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    bench = Bench(model)
    assert await bench.text() == "You said: How are you?"
    assert proxy.asked == []
    await bench.backend.close()


@pytest.mark.parametrize("address", ["localhost:3128", "ftp://proxy", "http://["])
def test_a_proxys_address_that_is_none_names_its_setting(address: str) -> None:
    with pytest.raises(SettingError, match="BOT_MODEL__PROXY"):
        Bench(ModelDouble(), base_url="http://127.0.0.1:1/v1", proxy=address)


async def test_five_hundred_streams_are_open_at_once(model: ModelDouble) -> None:
    gate = Gate()
    bench = Bench(model, first_token_seconds=60)
    model.script(*[Script("one two", gate=gate, hold_after=1)] * 500)
    tasks = [asyncio.create_task(bench.text()) for _ in range(500)]
    await model.asked(500, seconds=60)
    gate.release()
    assert await asyncio.gather(*tasks) == ["one two"] * 500
    await bench.backend.close()


async def test_all_clients_share_their_certificates(model: ModelDouble) -> None:
    from bot.generation.openai.connection import _certificates

    assert isinstance(_certificates(), ssl.SSLContext)
    assert _certificates() is _certificates()
