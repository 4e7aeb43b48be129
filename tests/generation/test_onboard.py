"""The model on board as a backend, over a server that may die."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue import Context, Delta, Finding, Line, Role
from bot.errors import BackendDown
from bot.generation.builtin import Address, OnBoardServer
from bot.generation.onboard import OnBoardBackend

QUESTION = Context((Line(Role.PERSON, "Hello"),), answer_tokens=16)


class Server(OnBoardServer):
    """Starts at another address each time, with no process behind it."""

    def __init__(self, small: bool = True) -> None:
        super().__init__(Path("unused"), None)
        self.small = small
        self.starts = self.stops = 0

    async def start(self) -> Address:
        self.starts += 1
        return Address(f"http://127.0.0.1:{self.starts}/v1", "key", "tiny", self.small, 2048)

    async def stop(self) -> None:
        self.stops += 1


class Served:
    """A backend at one address that says its words, and then dies if it is told to."""

    name = "tiny"
    context_tokens = 2048
    answer_tokens = 256
    languages: frozenset[str] = frozenset()
    metered = True

    def __init__(self, address: Address, words: list[str], dies: bool) -> None:
        self.address, self.words, self.dies = address, words, dies
        self.closed = False

    async def stream(self, context: Context) -> AsyncIterator[Delta]:
        for word in self.words:
            yield Delta(word)
        if self.dies:
            raise BackendDown("gone")

    async def check(self) -> AsyncIterator[Finding]:
        yield Finding("model", True, self.address.base_url)

    async def close(self) -> None:
        self.closed = True


class Landlord:
    """Makes a backend for each address: each by its own script of words, and whether it dies after them."""

    def __init__(self, *scripts: tuple[list[str], bool]) -> None:
        self.scripts = list(scripts)
        self.made: list[Served] = []

    def __call__(self, address: Address) -> Served:
        self.made.append(Served(address, *self.scripts.pop(0)))
        return self.made[-1]


async def said(backend: OnBoardBackend) -> str:
    return "".join([delta.text async for delta in backend.stream(QUESTION)])


async def test_it_answers_through_its_server_and_costs_nothing() -> None:
    backend = OnBoardBackend(Server(), Landlord((["Good ", "day"], False)))
    await backend.open()
    assert await said(backend) == "Good day"
    assert (backend.name, backend.context_tokens, backend.answer_tokens) == ("tiny", 2048, 256)
    assert not backend.metered
    assert [finding.text async for finding in backend.check()] == ["http://127.0.0.1:1/v1"]


async def test_the_small_model_writes_english_only_and_of_the_users_own_nothing_is_known() -> None:
    small = OnBoardBackend(Server(small=True), Landlord(([], False)))
    own = OnBoardBackend(Server(small=False), Landlord(([], False)))
    await small.open()
    await own.open()
    assert (small.languages, own.languages) == (frozenset({"en"}), frozenset())


async def test_a_server_that_died_before_the_first_word_is_started_again_once() -> None:
    server, landlord = Server(), Landlord(([], True), (["Back"], False))
    backend = OnBoardBackend(server, landlord)
    await backend.open()
    assert await said(backend) == "Back"
    assert server.starts == 2
    assert landlord.made[0].closed


async def test_a_server_that_dies_again_is_told() -> None:
    server = Server()
    backend = OnBoardBackend(server, Landlord(([], True), ([], True)))
    await backend.open()
    with pytest.raises(BackendDown):
        await said(backend)
    assert server.starts == 2


async def test_a_server_that_dies_in_mid_answer_is_not_asked_again() -> None:
    server = Server()
    backend = OnBoardBackend(server, Landlord((["Half"], True)))
    await backend.open()
    with pytest.raises(BackendDown):
        await said(backend)
    assert server.starts == 1


async def test_closing_closes_the_connections_and_leaves_the_server() -> None:
    server, landlord = Server(), Landlord(([], False))
    backend = OnBoardBackend(server, landlord)
    await backend.open()
    await backend.close()
    assert landlord.made[0].closed
    assert server.stops == 1


async def test_what_was_never_opened_says_so() -> None:
    backend = OnBoardBackend(Server(), Landlord())
    with pytest.raises(BackendDown, match="not started"):
        await said(backend)
