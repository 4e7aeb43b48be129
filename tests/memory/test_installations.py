"""Where the bot is installed: tokens lie encrypted, removals may come late, states are used once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.dialogue import Installation, Platform
from bot.errors import TokenRefused
from bot.memory.installations import Installations
from bot.memory.sealing import Seal, new_key
from bot.memory.workspaces import Workspaces
from tests.memory.conftest import Record

KEY, NEWER = new_key(), new_key()
ACME = Installation("T1", "Acme", "xoxb-acme", "U0BOT", "B0BOT", "frontdesk", "https://acme.slack.com/")
BIRD = Installation("T2", "Bird", "xoxb-bird", "U0BOT", "B0BOT", "frontdesk")


@pytest.fixture
def installations(record: Record) -> Installations:
    return opened(record, KEY)


def opened(record: Record, *keys: str) -> Installations:
    return Installations(record.database, Platform.SLACK, Seal(keys))


async def test_each_workspace_has_its_own_installation(installations: Installations) -> None:
    await installations.keep(BIRD)
    await installations.keep(ACME)
    assert (await installations.find("T1"), await installations.find("T2")) == (ACME, BIRD)
    assert await installations.find("T3") is None
    assert await installations.workspaces() == [("T1", "Acme"), ("T2", "Bird")]


async def test_no_token_lies_readable_in_the_database_or_shows_itself(
    record: Record, installations: Installations
) -> None:
    await installations.keep(ACME)
    assert "xoxb" not in str(await record.rows("SELECT * FROM installations"))
    assert "xoxb" not in repr(ACME)


async def test_an_installation_anew_takes_the_place_of_the_one_before(installations: Installations) -> None:
    await installations.keep(ACME)
    again = replace(ACME, token="xoxb-again")
    await installations.keep(again)
    assert await installations.find("T1") == again
    assert len(await installations.workspaces()) == 1


async def test_a_removal_is_noted_once_and_changes_no_other_workspace(installations: Installations) -> None:
    await installations.keep(ACME)
    await installations.keep(BIRD)
    now = datetime.now(UTC)
    assert await installations.remove("T1", now)
    assert await installations.remove("T1", now)
    assert (await installations.find("T1"), await installations.find("T2")) == (None, BIRD)


async def test_a_removal_that_is_told_late_leaves_a_newer_installation(installations: Installations) -> None:
    await installations.keep(ACME)
    assert not await installations.remove("T1", datetime.now(UTC) - timedelta(minutes=1))
    assert await installations.find("T1") == ACME


async def test_a_workspace_that_is_back_keeps_its_data(record: Record, installations: Installations) -> None:
    await Workspaces(record.database).left(Platform.SLACK, "T1")
    await Workspaces(record.database).left(Platform.SLACK, "T2")
    await installations.keep(ACME)
    left = await record.rows("SELECT workspace FROM workspaces WHERE left_at IS NOT NULL")
    assert [row["workspace"] for row in left] == ["T2"]


async def test_a_token_of_a_key_that_is_gone_is_told_with_the_cure(
    record: Record, installations: Installations
) -> None:
    await installations.keep(ACME)
    with pytest.raises(TokenRefused, match="BOT_SECRETS__KEY"):
        await opened(record, NEWER).find("T1")


async def test_a_key_is_changed_without_anybody_installing_anew(
    record: Record, installations: Installations
) -> None:
    await installations.keep(ACME)
    both = opened(record, NEWER, KEY)
    assert (await both.close_anew(), await both.close_anew()) == (1, 0)
    assert await opened(record, NEWER).find("T1") == ACME
    assert await opened(record, NEWER).close_anew() == 0


async def test_a_state_is_used_once_and_by_its_maker_alone(
    record: Record, installations: Installations
) -> None:
    state = installations.invite()
    rivals = await asyncio.gather(*(opened(record, KEY).admit(text) for text in (state, f"{state}=", state)))
    assert sorted(rivals) == [False, False, True]
    assert not await installations.admit(opened(record, NEWER).invite())
    assert not await installations.admit("")
