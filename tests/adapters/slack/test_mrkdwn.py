"""mrkdwn with ids becomes Markdown with names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.mrkdwn import Known, Person, clean, people_in, read_text, without_greeting

KNOWN = Known({"U0ANN": Person("Ann"), "U0BOT": Person("frontdesk")}, {"C0GENERAL": "general"})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("plain", "plain"),
        ("*bold* and _slanted_ and ~gone~", "**bold** and _slanted_ and ~~gone~~"),
        ("2 * 3 * 4 and a*b*c", "2 * 3 * 4 and a*b*c"),
        ("`*code*` and ```*more*```", "`*code*` and \n```\n*more*\n```"),
        ("```\nx &lt; 1\n```", "```\nx < 1\n```"),
        ("see ```a``` here", "see \n```\na\n```\n here"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("<@U0ANN> hi", "@Ann hi"),
        ("<@U0GONE> hi", "@someone hi"),
        ("<@U0GONE|bea> hi", "@bea hi"),
        ("in <#C0GENERAL|>", "in #general"),
        ("in <#C0OTHER|dev>", "in #dev"),
        ("in <#C0OTHER>", "in #a-channel"),
        ("<!here> <!channel> <!everyone|@everyone>", "@here @channel @everyone"),
        ("<!subteam^S0001|@desk> <!subteam^S0002>", "@desk @a-group"),
        ("<!date^1763913600^{date}|23 November>", "23 November"),
        ("<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"),
        ("<https://example.com|the page>", "[the page](https://example.com)"),
        ("<http://example.com|example.com>", "http://example.com"),
        ("<mailto:ann@example.com|ann@example.com>", "ann@example.com"),
        ("• one\n• two", "- one\n- two"),
        ("&gt; quoted", "> quoted"),
        ("`<https://example.com>`", "`https://example.com`"),
        ("null\x00byte and half \ud83d", "nullbyte and half"),
        ("שלום *עולם*", "שלום **עולם**"),
        (":tada: 🎉", ":tada: 🎉"),
        ("", ""),
    ],
)
def test_what_people_write_is_read_as_markdown(said: str, read: str) -> None:
    assert read_text(said, KNOWN) == read


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("<@U0BOT> hello", "hello"),
        ("  <@U0BOT>: hello", "hello"),
        ("<@U0BOT|frontdesk>, hello", "hello"),
        ("<@U0BOT>", ""),
        ("hello <@U0BOT>", "hello <@U0BOT>"),
        ("<@U0ANN> hello", "<@U0ANN> hello"),
    ],
)
def test_the_greeting_is_left_out(said: str, left: str) -> None:
    assert without_greeting(said, "U0BOT") == left


def test_each_person_is_named_once() -> None:
    assert people_in("<@U0ANN> and <@U0BOT|x> and <@U0ANN>") == ("U0ANN", "U0BOT")


@given(st.text())
def test_no_text_breaks_the_reading_and_no_null_byte_is_left(text: str) -> None:
    read = read_text(text, KNOWN)
    assert "\x00" not in read
    read.encode()


@given(st.text(alphabet=st.sampled_from("<>@#!|*_~`&;lt^UC0\n ab")))
def test_marks_in_any_order_are_read(text: str) -> None:
    assert isinstance(read_text(text, KNOWN), str)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")))
def test_cleaning_leaves_what_is_clean(text: str) -> None:
    assert clean(text) == text


def test_a_message_of_forty_thousand_characters_is_read_at_once() -> None:
    for text in ("word *bold* " * 3_400, "*" * 40_000, "`" * 40_000, "<" * 40_000, "~ _" * 13_000):
        assert len(read_text(text, KNOWN)) > 20_000
