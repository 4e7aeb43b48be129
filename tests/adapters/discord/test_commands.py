"""The commands as Discord takes them, and when they are registered again."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.discord.commands import commands, same
from bot.catalogue import Catalogue


@pytest.fixture
def wanted() -> list[dict[str, Any]]:
    return commands(Catalogue())


def as_discord_tells(command: dict[str, Any]) -> dict[str, Any]:
    """Add what Discord adds, and leave out what is empty."""
    known: dict[str, Any] = {
        "id": "1",
        "version": "2",
        "nsfw": False,
        "description": "",
        "dm_permission": True,
    }
    known |= {"default_member_permissions": None, "integration_types": [0]}
    known |= {key: value for key, value in command.items() if value != []}
    if known["default_member_permissions"] is not None:
        known["default_member_permissions"] = str(known["default_member_permissions"])
    return known


def test_texts_keep_discords_limits_in_every_language(wanted: list[dict[str, Any]]) -> None:
    for command in wanted:
        for part in (command, *command.get("options", [])):
            told = [part.get("description", ""), *part.get("description_localizations", {}).values()]
            assert all(len(text) <= 100 for text in told)
            assert len(part["name"]) <= 32
            for choice in part.get("choices", []):
                assert 1 <= len(choice["value"]) <= 100
            assert len(part.get("choices", [])) <= 25


def test_both_scripts_of_chinese_are_told(wanted: list[dict[str, Any]]) -> None:
    ask = next(command for command in wanted if command["name"] == "ask")
    menu = next(command for command in wanted if command["name"] == "Ask about this")
    assert set(ask["description_localizations"]) == {"zh-CN", "zh-TW"}
    assert ask["description_localizations"]["zh-CN"] != ask["description_localizations"]["zh-TW"]
    assert menu["name_localizations"]["zh-CN"] == "就此提问"
    assert "description" not in menu


def test_what_discord_adds_is_no_change(wanted: list[dict[str, Any]]) -> None:
    assert same([as_discord_tells(command) for command in reversed(wanted)], wanted)


@pytest.mark.parametrize("place", range(3))
def test_what_somebody_changed_is_one(wanted: list[dict[str, Any]], place: int) -> None:
    known = [as_discord_tells(command) for command in wanted]
    changed = [
        known[1:],
        [*known, known[0] | {"name": "older"}],
        [known[0] | {"description": "something else"}, *known[1:]],
    ]
    assert not same(changed[place], wanted)
