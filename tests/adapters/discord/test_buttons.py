"""What stands under an answer, and what a press of it wishes."""

from __future__ import annotations

import pytest

from bot.adapters.discord.buttons import Buttons, form_of, pressed
from bot.dialogue import Piece, Wish
from tests.adapters.discord.conftest import World
from tests.adapters.discord.test_sending import ask
from tests.doubles.discord import Post
from tests.fakes import FakeReceipts, FakeWords, pieces_of

GROWING = Piece(0, "The")
WHOLE = Piece(0, "The whole answer.", done=True, last=True)


def names(post: Post) -> list[str]:
    return [
        button["custom_id"].removeprefix("frontdesk:")
        for row in post.components
        for button in row["components"]
    ]


def test_a_growing_piece_can_be_stopped_and_only_the_last_one_voted_on() -> None:
    buttons = Buttons(FakeWords(), "zh-CN")
    [stop] = buttons.under(GROWING)[0]["components"]
    whole = buttons.under(WHOLE)[0]["components"]

    assert stop["label"] == "[zh-CN:button-stop]"
    assert [button["custom_id"] for button in whole] == [
        "frontdesk:again",
        "frontdesk:why",
        "frontdesk:up",
        "frontdesk:down",
    ]
    assert buttons.under(Piece(0, "A first part.", done=True)) == []


@pytest.mark.parametrize("name", ["stop", "again", "why", "up", "down"])
def test_each_button_has_its_wish(name: str) -> None:
    wished = pressed(f"frontdesk:{name}")

    assert wished == ((Wish.VOTE, name) if name in {"up", "down"} else (Wish(name), ""))


def test_a_strange_button_has_none() -> None:
    assert pressed("somebody:else") is None
    assert form_of("somebody") == ("", "somebody")


async def test_one_last_edit_carries_the_text_and_the_buttons(world: World) -> None:
    place = world.discord.channel("general")
    question = await ask(world, world.discord.person("Anna"), place)
    await world.adapter.send(question, pieces_of(GROWING, Piece(0, "The whole"), WHOLE), FakeReceipts())

    [post] = [post for post in world.discord.messages(place) if post.author.bot]
    calls = world.discord.calls("POST", "/messages") + world.discord.calls("PATCH")
    assert names(post) == ["again", "why", "up", "down"]
    assert calls[0].body["components"][0]["components"][0]["custom_id"] == "frontdesk:stop"
    assert "components" in calls[-1].body
    assert calls[-1].body["content"] == WHOLE.text
    assert [call for call in calls[1:-1] if "components" in call.body] == []


async def test_an_answer_at_once_is_one_post_with_its_buttons(world: World) -> None:
    place = world.discord.channel("general")
    question = await ask(world, world.discord.person("Anna"), place)
    await world.adapter.send(question, pieces_of(WHOLE), FakeReceipts())

    assert world.discord.calls("PATCH") == []
    assert names(world.discord.messages(place)[-1]) == ["again", "why", "up", "down"]


async def test_only_the_newest_post_has_buttons(world: World) -> None:
    place = world.discord.channel("general")
    question = await ask(world, world.discord.person("Anna"), place)
    pieces = pieces_of(
        GROWING, Piece(0, "The", done=True), Piece(1, "end"), Piece(1, "end.", done=True, last=True)
    )
    await world.adapter.send(question, pieces, FakeReceipts())

    posts = [post for post in world.discord.messages(place) if post.author.bot]
    assert [names(post) for post in posts] == [[], ["again", "why", "up", "down"]]


async def test_an_answer_that_begins_again_can_be_stopped_again(world: World) -> None:
    place = world.discord.channel("general")
    question = await ask(world, world.discord.person("Anna"), place)
    receipts = FakeReceipts()
    await world.adapter.send(question, pieces_of(WHOLE), receipts)
    await world.adapter.send(question, pieces_of(GROWING), receipts)

    assert names(world.discord.messages(place)[-1]) == ["stop"]
