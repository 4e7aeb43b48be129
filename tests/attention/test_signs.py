"""What is seen of a message and of the talk before it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.attention.following import follow
from bot.attention.signs import Seen, signs
from tests.attention.scenes import message_of, scene_of

ASKED = {"who": "Ann", "said": "where is the invoice template?", "at": 0}
ANSWERED = {"bot_for": "Ann", "said": "In the shared drive, folder Finance.", "at": 20}
REMARK = {"who": "Ben", "said": "that folder is a mess", "at": 50}


def seen(said: str, *lines: dict[str, Any], who: str = "Ann", people: int = 0) -> Seen:
    return signs(
        follow(message_of(who, said, 90), scene_of(lines or (ASKED, ANSWERED), people), ("Frontdesk",))
    )


@pytest.mark.parametrize(
    ("place", "who", "people", "lines"),
    [
        ("alone with the bot", "Ann", 1, (ASKED, ANSWERED)),
        ("after an answer to its author", "Ann", 3, (ASKED, ANSWERED)),
        ("after an answer to another", "Ben", 2, (ASKED, ANSWERED)),
        ("after a person", "Ann", 2, (ASKED, ANSWERED, REMARK)),
    ],
)
def test_the_place_is_who_spoke_last_to_whom(place: str, who: str, people: int, lines: Any) -> None:
    assert seen("and the old one?", *lines, who=who, people=people).place == place


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("which folder exactly?", "a question of fact"),
        ("did she rename it?", "a question among people"),
        ("Rupert, book it", "a short word before a comma"),
        ("怡君，昨天那份呢", "a short word before a comma"),
        ("it is gone. what now", "last sentence: wh"),
        ("nice that did it", "it states, thanks first"),
        ("folder is empty", "it states: problem"),
        ("the bot is right", "tells of a bot"),
        ("it says 'denied'", "a quotation"),
        ("🎉 found", "an emoji"),
        ("那个文件夹呢", "ends with 呢"),
        ("which invoice template?", "words of the talk with the bot"),
    ],
)
def test_words_and_marks_are_seen(said: str, sign: str) -> None:
    assert seen(said).signs[sign] > 0


def test_an_opening_is_not_taken_for_a_name_nor_an_apostrophe_for_a_quotation() -> None:
    assert "a short word before a comma" not in seen("Actually, the old one").signs
    assert "a quotation" not in seen("I don't see it").signs


def test_a_wish_after_a_remark_goes_back_to_the_bot() -> None:
    back = seen("which folder is the newest?", ASKED, ANSWERED, REMARK).signs
    assert back["a wish of who spoke with the bot, after a remark"] == 1
    assert back["words of the person's line"] > 0
    assert "the person asks" not in back
