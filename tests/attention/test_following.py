"""Who speaks with whom in a thread."""

from __future__ import annotations

from typing import Any

from bot.attention.calling import BOT
from bot.attention.following import EVERYBODY, NOBODY, Moment, follow
from tests.attention.scenes import message_of, scene_of

ASKED = {"who": "Ann", "said": "how do I export?", "at": 0}
ANSWERED = {"bot_for": "Ann", "said": "File → Export.", "at": 20}


def moment(*lines: dict[str, Any], who: str = "Ann", said: str = "and as a PDF?", at: float = 90) -> Moment:
    return follow(message_of(who, said, at), scene_of(lines), ("Frontdesk",))


def test_a_question_that_was_answered_was_for_the_bot_and_the_answer_for_who_asked() -> None:
    now = moment(ASKED, ANSWERED)
    assert [line.whom for line in now.lines] == [BOT, "Ann"]
    assert now.alone
    assert now.with_bot
    assert now.before == now.lines[-1]


def test_a_remark_after_the_answer_is_said_to_who_asked_and_thanks_to_nobody() -> None:
    now = moment(ASKED, ANSWERED, {"who": "Ben", "said": "that menu is well hidden", "at": 40})
    assert now.lines[-1].whom == "Ann"
    assert not now.alone
    assert moment(ASKED, ANSWERED, {"who": "Ben", "said": "thanks!", "at": 40}).lines[-1].whom == NOBODY


def test_who_seeks_people_speaks_to_everybody() -> None:
    sought = {"who": "Ben", "said": "anyone free for lunch?", "at": 40}
    assert moment(ASKED, ANSWERED, sought).lines[-1].whom == EVERYBODY


def test_one_goes_on_only_with_what_one_said_last() -> None:
    remark = {"who": "Ben", "said": "that menu is well hidden", "at": 40}
    assert moment(ASKED, ANSWERED, remark, who="Ben", said="took me a week").goes_on == "Ann"
    assert moment(ASKED, ANSWERED, remark).goes_on == ""


def test_after_eight_hours_a_talk_is_over() -> None:
    assert not moment(ASKED, ANSWERED, at=8 * 3600).over
    assert moment(ASKED, ANSWERED, at=8 * 3600 + 60).over
