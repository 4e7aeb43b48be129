"""What Discord's codes mean to the asker, and to logs."""

from __future__ import annotations

import pytest

from bot.adapters.discord.refusals import refusal
from bot.catalogue import Catalogue
from bot.errors import PermissionMissing, PostRefused


@pytest.mark.parametrize("code", [10003, 30033, 50001, 50013, 50083, 160005, 160006])
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_each_known_refusal_is_told_in_the_askers_language(code: int, language: str) -> None:
    error = refusal(403, code, "Missing Something")

    assert isinstance(error, PostRefused)
    assert Catalogue().say(error.reason, language, **error.values)
    assert str(code) in str(error)


@pytest.mark.parametrize("code", [50001, 50013, 160005])
def test_a_missing_permission_is_known_as_one(code: int) -> None:
    assert isinstance(refusal(403, code, ""), PermissionMissing)


def test_a_strange_refusal_says_what_discord_said() -> None:
    error = refusal(400, 99999, "Something New")

    assert (error.reason, error.code) == ("", 99999)
    assert "Something New" in str(error)
    assert not isinstance(error, PermissionMissing)
