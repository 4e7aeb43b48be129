"""One interaction, as the words of the house ask of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.adapters.discord.asked import Asked
from bot.adapters.discord.buttons import REASON, form_of, pressed
from bot.dialogue import ChannelKind, Wish
from tests.adapters.discord.offline import Offline
from tests.doubles.discord_interactions import Interaction, InteractionsDouble, command, menu
from tests.doubles.discord_state import MANAGE_MESSAGES, Post

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "discord"


@pytest.fixture
def offline() -> Offline:
    return Offline()


def asked(offline: Offline, done: Interaction) -> Asked:
    async def emit(kind: str, post: Post) -> None:
        raise AssertionError("nothing is posted")

    event: Any = InteractionsDouble(offline.state, emit).event(done)
    interaction: Any = discord.Interaction(data=event, state=offline.connection)
    return Asked(interaction, int(offline.state.bot.id))


def test_a_command_has_a_person_a_place_and_options(offline: Offline) -> None:
    offline.anna.permissions = MANAGE_MESSAGES
    typed = command(offline.anna, offline.general, "ask", {"question": "why?"})
    typed.locale = "zh-TW"
    found = asked(offline, typed)

    assert (found.command, found.option("question"), found.option("other")) == ("ask", "why?", "")
    assert (found.person.id, found.person.name, found.person.locale) == (offline.anna.id, "Anna Lee", "zh-TW")
    assert "Staff" in found.person.roles
    assert found.place.channel.id == offline.general.id
    assert found.workspace == offline.state.guild_id
    request = found.request(Wish.STOP)
    assert request.moderator
    assert request.channel.kind is ChannelKind.OPEN


def test_a_direct_message_has_no_guild(offline: Offline) -> None:
    found = asked(offline, command(offline.anna, offline.direct, "new", {}))

    assert found.workspace == ""
    assert found.place.channel.kind is ChannelKind.DIRECT
    assert found.person.id == offline.anna.id
    assert not found.request(Wish.NEW).moderator


def test_a_message_command_brings_the_message(offline: Offline) -> None:
    post = Post(offline.ben, offline.thread, "look at this")
    found = asked(offline, menu(offline.anna, offline.state, post, "Ask about this"))

    assert found.target is not None
    assert (found.target.content, str(found.target.id), found.target_id) == ("look at this", post.id, post.id)
    assert found.place.channel.kind is ChannelKind.THREAD


@pytest.mark.parametrize(
    "components",
    [
        [{"type": 18, "component": {"type": 4, "custom_id": "text", "value": " so "}}],
        [{"type": 1, "components": [{"type": 4, "custom_id": "text", "value": " so "}]}],
    ],
)
def test_a_form_is_read_in_its_newer_and_its_older_shape(
    offline: Offline, components: list[dict[str, Any]]
) -> None:
    data = {"custom_id": "frontdesk:reason:77", "components": components}
    found = asked(offline, Interaction(5, offline.anna, offline.general, data))

    assert (found.custom_id, found.written) == ("frontdesk:reason:77", "so")


def recorded(offline: Offline, name: str) -> Asked:
    """Read an interaction as Discord sends it, with all that nobody asked for."""
    text = (RECORDINGS / "interactions.json").read_text("utf-8")
    state = offline.state
    names = {"GUILD": state.guild_id, "CHANNEL": offline.general.id, "BOT": state.bot.id}
    for mark, number in names.items():
        text = text.replace(f'"{mark}"', f'"{number}"')
    interaction: Any = discord.Interaction(data=json.loads(text)[name], state=offline.connection)
    return Asked(interaction, int(state.bot.id))


def test_a_recorded_button_is_read(offline: Offline) -> None:
    found = recorded(offline, "button")
    request = found.request(Wish.WHY, message_id=found.message_id)

    assert pressed(found.custom_id) == (Wish.WHY, "")
    assert request.message_id == "1440000000000000302"
    assert (request.person.name, request.person.locale, request.moderator) == ("明", "zh-CN", False)
    assert request.channel.id == offline.general.id


def test_a_recorded_command_in_private_is_read(offline: Offline) -> None:
    found = recorded(offline, "command")

    assert (found.command, found.option("question")) == ("ask", "what is our refund policy?")
    assert found.place.channel.kind is ChannelKind.DIRECT
    assert (found.place.channel.id, found.place.channel.workspace) == ("1440000000000000501", "")
    assert found.locale == "en-GB"


def test_a_recorded_form_is_read(offline: Offline) -> None:
    found = recorded(offline, "form")

    assert form_of(found.custom_id) == (REASON, "1440000000000000302")
    assert found.written == "已經過期了。"
    assert found.request(Wish.VOTE).moderator
