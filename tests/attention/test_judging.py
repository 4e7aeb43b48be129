"""Whom a message is for: labelled cases of both languages, and what must hold for any."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.calling import BOT, called
from bot.attention.following import follow
from bot.attention.judging import judge
from bot.dialogue import Scene
from tests.attention.scenes import Case, cases, message_of, scene_of

NAMES = ("Frontdesk",)
LANGUAGES = ("en", "zh")
MOST_BARGE_INS, MOST_MISSED = 0.02, 0.05


def wrong(given: list[Case]) -> tuple[list[Case], list[Case]]:
    """Say where the bot would barge in, and what it would miss."""
    judged = [(case, judge(case.message, case.scene, NAMES).for_bot) for case in given]
    barged = [case for case, for_bot in judged if for_bot and case.label == "keep"]
    missed = [case for case, for_bot in judged if not for_bot and case.label == "answer"]
    return barged, missed


def confusion(given: list[Case]) -> str:
    """Tell the figures of each half, and show each case that is judged wrongly."""
    lines = []
    for half in ("dev", "held"):
        own = [case for case in given if case.half == half]
        barged, missed = wrong(own)
        keeps = sum(case.label == "keep" for case in own)
        lines.append(
            f"{half}: {len(barged)} of {keeps} barged in, {len(missed)} of {len(own) - keeps} missed"
        )
        lines += [
            f"{kind}: {case.told()}"
            for kind, found in (("barged", barged), ("missed", missed))
            for case in found
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_hardly_ever_barges_in_and_seldom_misses(language: str) -> None:
    given = list(cases(language))
    barged, missed = wrong(given)
    keeps = sum(case.label == "keep" for case in given)
    assert len(barged) <= MOST_BARGE_INS * keeps, confusion(given)
    assert len(missed) <= MOST_MISSED * (len(given) - keeps), confusion(given)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_cases_enough_of_both_kinds_in_both_halves(language: str) -> None:
    given = cases(language)
    assert len(given) >= 200
    for half in ("dev", "held"):
        labels = [case.label for case in given if case.half == half]
        assert min(labels.count(label) for label in set(labels)) >= 40
    told = [case.told().partition("\n")[2] + str(case.scene.quiet) for case in given]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    "part",
    ["a ", "ok ", "haha", "thanks ", "好的", "你", "@", "Ben, ", "?", "no i ", "and ", "A" * 20 + ", "],
)
def test_long_messages_take_no_longer(part: str) -> None:
    text = part * (40_000 // len(part))
    lines = [{"who": who, "said": text, "at": at} for at, who in enumerate(("Ann", "Ben") * 4)]
    scene, message = scene_of(lines), message_of("Ann", text, 60)
    began = process_time()
    judge(message, scene, NAMES)
    assert process_time() - began < 0.1


WORDS = st.sampled_from(
    ["how", "?", "you", "ok", "Ben", ",", "thanks", "吗", "你", "谢谢", "我们", "bot", "@", "\n"]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=8).map(" ".join)


@given(TEXTS, st.lists(st.tuples(st.sampled_from(["Ann", "Ben", ""]), TEXTS, st.booleans()), max_size=6))
def test_any_scene_is_judged_with_a_reason(text: str, said: list[tuple[str, str, bool]]) -> None:
    lines = [
        {"bot_for": who or "Ann", "said": words, "at": at} if ours else {"who": who, "said": words, "at": at}
        for at, (who, words, ours) in enumerate(said)
    ]
    assert judge(message_of("Ann", text, 60), scene_of(lines), NAMES).reason


@given(TEXTS)
def test_a_quiet_thread_stays_quiet_for_whatever_does_not_name_the_bot(text: str) -> None:
    scene = Scene(scene_of([{"who": "Ann", "said": "how?", "at": 0}]).lately, 1, quiet=True)
    named = called(text, NAMES, {}) == BOT
    assert named or not judge(message_of("Ann", text, 60), scene, NAMES).for_bot


@given(TEXTS)
def test_who_mentions_somebody_else_is_not_answered(text: str) -> None:
    message = message_of("Ann", text, 60, mentions=True)
    named = called(text, NAMES, {}) == BOT
    assert named or not judge(message, scene_of([{"who": "Ben", "said": "hm", "at": 0}]), NAMES).for_bot


def test_a_talk_of_people_that_is_long_over_leaves_room_for_a_question_of_fact() -> None:
    lines = [
        {"who": "Ann", "said": "how do I archive a project?", "at": 0},
        {"bot_for": "Ann", "said": "Project → Settings → Archive.", "at": 20},
        {"who": "Ben", "said": "did you ask Tom first?", "at": 60},
    ]
    soon = judge(message_of("Ann", "where do archived projects go?", 120), scene_of(lines), NAMES)
    late = judge(message_of("Ann", "where do archived projects go?", 90_000), scene_of(lines), NAMES)
    assert (soon.for_bot, late.for_bot) == (False, True)
    assert not judge(message_of("Ann", "any news?", 90_000), scene_of(lines), NAMES).for_bot


def test_a_thread_of_which_nothing_is_known_is_answered() -> None:
    assert judge(message_of("Ann", "and in Spanish?", 0), Scene(), NAMES).for_bot


def test_who_goes_on_before_the_answer_has_come_is_still_with_the_bot() -> None:
    lines = [
        {"who": "Ann", "said": "the printer is broken", "at": 0},
        {"who": "Bea", "said": "it says PC LOAD LETTER", "at": 10},
        {"who": "Ann", "said": "any idea?", "at": 20, "asked": True},
    ]
    assert judge(message_of("Ann", "which tray?", 25), scene_of(lines), NAMES).for_bot
    assert not judge(message_of("Bea", "which tray?", 25), scene_of(lines), NAMES).for_bot


@pytest.mark.parametrize(
    "said",
    [
        "记下了，它的电话是多少，告诉我一下吧。",
        "好的，它周末开门吗？我和朋友想一起去。",
        "Could you check whether they have a reading room for my team?",
    ],
)
def test_plain_follow_ups_right_after_the_answer_are_not_missed_in_company(said: str) -> None:
    lines = [
        {"who": "Ben", "said": "I asked that too last week", "at": 0},
        {"who": "Ann", "said": "which library is near here?", "at": 30},
        {"bot_for": "Ann", "said": "The City Library, on Mill Street.", "at": 60},
    ]
    assert judge(message_of("Ann", said, 90), scene_of(lines), NAMES).for_bot
    later = message_of("Ann", said, 60 + 20 * 60)
    assert not follow(later, scene_of(lines), NAMES).just_answered
