"""What a model writes calls nobody, and can be said in mrkdwn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.writing import harmless, measure, steady, write_text
from tests.doubles.slack_rules import pings

MARKS = st.text(alphabet=st.sampled_from("<>@#!|*_~`&[]()-\n ahercnlUCxyz:/."), max_size=60)
TEXTS = st.lists(MARKS | st.sampled_from(["<!channel>", "<@U1>", "<!subteam^S1>", "<#C1|x>", "<!HERE>"])).map(
    "".join
)


@pytest.mark.parametrize(
    "text",
    ["a < b", "<div>", "#include <stdio.h>", "<!DOCTYPE html>", "<!-- x -->", "[a](https://e.com)", "@here"],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(TEXTS)
def test_nothing_that_goes_out_is_a_mention(text: str) -> None:
    assert pings(harmless(text)) == []
    assert pings(write_text(text)) == []


@given(TEXTS)
def test_disarming_drops_nothing(text: str) -> None:
    assert harmless(text).replace("\u2060", "") == text


@given(TEXTS, st.data())
def test_what_was_appended_stays_a_beginning_of_the_whole(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text)))
    assert harmless(text).startswith(harmless(steady(text[:end])))


@given(TEXTS, TEXTS)
def test_the_measure_bounds_both_forms_and_never_shrinks(text: str, more: str) -> None:
    assert len(harmless(text)) <= measure(text) <= measure(text + more)
    assert len(write_text(text)) <= measure(text) + 10


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**bold** and *slanted* and ~~gone~~", "*bold* and _slanted_ and ~gone~"),
        ("# Head\ntext", "*Head*\ntext"),
        ("## A **bold** head", "*A bold head*"),
        ("- one\n* two\n  - three", "• one\n• two\n  • three"),
        ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> quoted", "> quoted"),
        ("[page](https://e.com/a_b?c=1&d=2)", "<https://e.com/a_b?c=1&amp;d=2|page>"),
        ("<https://e.com>", "<https://e.com>"),
        ("![picture](https://e.com/a.png)", "<https://e.com/a.png|picture>"),
        ("`a **b** <c>`", "`a **b** &lt;c&gt;`"),
        ("```py\nx < 1 # **no**\n```", "```\nx &lt; 1 # **no**\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("---", "———"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("[`code`](https://e.com)", "<https://e.com|`code`>"),
        ("", ""),
    ],
)
def test_markdown_is_said_in_mrkdwn(markdown: str, said: str) -> None:
    assert write_text(markdown) == said
