"""What English phrases tell."""

from __future__ import annotations

import pytest

from bot.attention.wording import read


@pytest.mark.parametrize(
    "text",
    [
        "why",
        "and on windows?",
        "so how do I page them",
        "which bridge there are two",
        "does it have two monitors",
    ],
)
def test_questions(text: str) -> None:
    assert read(text).asks


@pytest.mark.parametrize(
    "text", ["it fails", "anything goes", "I know how it works", "the second", "is fine"]
)
def test_statements_are_no_questions(text: str) -> None:
    assert not read(text).asks


@pytest.mark.parametrize(
    "text",
    ["shorter please", "can you show an example", "more", "now in Spanish", "break it down", "how about red"],
)
def test_requests(text: str) -> None:
    assert read(text).requests
    assert not read(text).to_you


@pytest.mark.parametrize(
    "text", ["are you on the old laptop?", "did you try it", "what's your take", "can you come at 4?"]
)
def test_second_persons(text: str) -> None:
    assert read(text).to_you


@pytest.mark.parametrize(
    "text", ["anyone free tomorrow?", "who wants to take it?", "what do you all think?", "guys, vote"]
)
def test_people_are_sought(text: str) -> None:
    assert read(text).seeks


@pytest.mark.parametrize("text", ["does anyone know how long it takes?", "anybody know if it works"])
def test_whoever_knows_is_asked(text: str) -> None:
    assert (read(text).asks_all, read(text).seeks) == (True, False)


@pytest.mark.parametrize("text", ["no, I meant closed ones", "that's wrong", "not the team plan"])
def test_corrections(text: str) -> None:
    assert read(text).corrects


@pytest.mark.parametrize(
    "text", ["try reload", "maybe the cache", "I think it is the proxy", "looks like dns"]
)
def test_advice(text: str) -> None:
    assert read(text).advises


@pytest.mark.parametrize("text", ["let's split it", "we should read it", "ok we can do that", "fyi I am off"])
def test_what_a_team_does(text: str) -> None:
    assert read(text).team
