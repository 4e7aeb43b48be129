"""The model on board as a backend: started anew where its server died, once, and to nobody else's harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.dialogue import Context, Line, Role
from bot.errors import BackendDown, StreamCut
from bot.generation.builtin import Address
from bot.generation.onboard import OnBoardBackend
from bot.generation.openai import OpenAIBackend
from tests.doubles.model import DOWN, Gate, ModelDouble, Script
from tests.fakes import in_english

CONTEXT = Context((Line(Role.SYSTEM, "You are X."), Line(Role.PERSON, "Hello")), 100)


class FakeServer:
    """Serves the model double; `mends` says whether a start brings a dead one back."""

    def __init__(self, model: ModelDouble) -> None:
        self.model = model
        self.starts = 0
        self.stops = 0
        self.mends = True
        self.up = True
        self.address = Address(model.url, "none", "double-1", small=True, context_tokens=2_048)

    async def start(self) -> Address:
        self.starts += 1
        if not self.up and self.mends:
            await self.model.start()
            self.up = True
        return self.address

    async def stop(self) -> bool:
        self.stops += 1
        return True

    async def die(self) -> None:
        await self.model.stop()
        self.up = False


def served_by(address: Address) -> OpenAIBackend:
    return OpenAIBackend(
        address.name, address.base_url, address.api_key, address.context_tokens, 512, metered=False, retries=0
    )


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with ModelDouble() as model:
        yield FakeServer(model)


@pytest.fixture
async def backend(server: FakeServer) -> AsyncIterator[OnBoardBackend]:
    backend = OnBoardBackend(server, served_by)
    await backend.open()
    yield backend
    await backend.close()


async def said(backend: OnBoardBackend) -> str:
    return "".join([delta.text async for delta in backend.stream(CONTEXT)])


async def test_it_answers(backend: OnBoardBackend, server: FakeServer) -> None:
    server.model.answer("Hello there")
    assert await said(backend) == "Hello there"
    assert server.starts == 1


async def test_it_is_what_its_server_says_and_costs_nobody_money(backend: OnBoardBackend) -> None:
    assert (backend.name, backend.context_tokens, backend.answer_tokens) == ("double-1", 2_048, 512)
    assert not backend.metered
    assert backend.languages == {"en"}


async def test_of_a_users_own_model_no_language_is_ruled_out(server: FakeServer) -> None:
    server.address = replace(server.address, small=False)
    backend = OnBoardBackend(server, served_by)
    await backend.open()
    assert backend.languages == frozenset()
    await backend.close()


async def test_a_server_that_died_is_started_again(backend: OnBoardBackend, server: FakeServer) -> None:
    await said(backend)
    await server.die()
    server.model.answer("Here again")
    assert await said(backend) == "Here again"
    assert server.starts == 2


async def test_a_server_that_stays_dead_is_started_once_and_then_told(
    backend: OnBoardBackend, server: FakeServer
) -> None:
    await server.die()
    server.mends = False
    with pytest.raises(BackendDown):
        await said(backend)
    assert server.starts == 2


async def test_an_answer_that_has_begun_is_not_begun_again_here(
    backend: OnBoardBackend, server: FakeServer
) -> None:
    server.model.script(Script("one two three", cut_after=2))
    with pytest.raises(StreamCut):
        await said(backend)
    assert server.starts == 1


async def test_a_server_that_comes_back_elsewhere_is_found(
    backend: OnBoardBackend, server: FakeServer
) -> None:
    async with ModelDouble() as elsewhere:
        await server.die()
        server.mends = False
        server.address = replace(server.address, base_url=elsewhere.url)
        elsewhere.answer("Moved")
        assert await said(backend) == "Moved"


async def test_many_answers_that_fail_at_once_all_come(backend: OnBoardBackend, server: FakeServer) -> None:
    async with ModelDouble() as elsewhere:
        await server.die()
        server.mends = False
        server.address = replace(server.address, base_url=elsewhere.url)
        assert await asyncio.gather(*(said(backend) for _ in range(5))) == ["You said: Hello"] * 5


async def test_one_answers_failure_does_not_break_another_off(
    backend: OnBoardBackend, server: FakeServer
) -> None:
    gate = Gate()
    server.model.script(Script("one two three", gate=gate, hold_after=1), DOWN, Script("fine"))
    slow = asyncio.create_task(said(backend))
    await gate.reached()
    assert await said(backend) == "fine"
    gate.release()
    assert await asyncio.wait_for(slow, 5) == "one two three"


async def test_a_backend_that_was_not_opened_knows_nothing_yet(server: FakeServer) -> None:
    with pytest.raises(BackendDown):
        _ = OnBoardBackend(server, served_by).name


async def test_closing_leaves_the_server(server: FakeServer) -> None:
    backend = OnBoardBackend(server, served_by)
    await backend.open()
    await backend.close()
    assert server.stops == 1


async def test_it_can_be_looked_at(backend: OnBoardBackend) -> None:
    findings = [finding async for finding in backend.check(in_english)]
    assert findings
    assert all(finding.well for finding in findings)
