"""What is built of the settings."""

from __future__ import annotations

import pytest

from bot.app.parts import served_on_board
from bot.config import ModelSettings
from bot.dialogue import Context, Line, Role
from bot.errors import BackendDown
from bot.generation.builtin import Address
from tests.doubles.model import DOWN, ModelDouble

CONTEXT = Context((Line(Role.SYSTEM, "You are X."), Line(Role.PERSON, "Hello")), 100)


async def test_a_dead_model_on_board_is_told_at_once_since_it_is_started_again() -> None:
    async with ModelDouble() as model:
        model.script(DOWN, DOWN)
        address = Address(model.url, "none", "double-1", small=True, context_tokens=2_048)
        backend = served_on_board(ModelSettings(), address)
        with pytest.raises(BackendDown):
            async for _ in backend.stream(CONTEXT):
                pass
        await backend.close()
        assert len(model.requests) == 1
