"""Roles are read by name, and a wrong one is told with those there are."""

from __future__ import annotations

import pytest

from bot.app.roles import ALL, Role, read_roles
from bot.errors import SettingError


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        ("all", ALL),
        ("gateway", {Role.GATEWAY}),
        ("Worker, web", {Role.WORKER, Role.WEB}),
        ("gateway,all", ALL),
    ],
)
def test_roles_are_read_by_commas(words: str, roles: frozenset[Role]) -> None:
    assert read_roles(words) == roles


@pytest.mark.parametrize("words", ["", "gateways", "worker,,web"])
def test_a_role_that_is_none_is_told_with_those_there_are(words: str) -> None:
    with pytest.raises(SettingError, match="all, gateway, worker, web"):
        read_roles(words)
