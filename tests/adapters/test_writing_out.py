"""What holds for every text, on both platforms, whole and while it grows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.discord import writing as discord
from bot.adapters.pieces import Cutter, cut
from bot.adapters.slack import writing as slack
from bot.adapters.slack.blocks import write_blocks
from tests.doubles.slack_rules import pings

WORDS = st.integers(0, 99).map(lambda number: f"word{number}")
MARKS = st.sampled_from(
    [
        *"*_`~[]()!|<>#-+\\$:. \n\n\n，。「」",
        "**",
        "__",
        "~~",
        "||",
        "](",
        "](https://e.com/",
        "![",
        "https://e.com/",
        "\n\n",
        "\n- ",
        "\n  - [x] ",
        "\n7. ",
        "\n> ",
        "\n# ",
        "\n| a | b |\n|---|---|\n| ",
        "\n\n```py\n",
        "\n```\n",
        "$x^2$",
        "\\(",
        "\\)",
        "$$",
        "[^1]",
        "\n[^1]: ",
        "<b>",
        "</b>",
        "<br>",
        "<td>",
        "<@U1>",
        "<@123>",
        "<!channel>",
        "<#C1|x>",
        "@everyone",
        "@here",
        "&lt;",
        "&amp;",
        "  \n",
        "中文",
        "🎉",
    ]
)
MARKDOWN = st.lists(MARKS | WORDS, max_size=50).map("".join)
_DISCORD_PING = re.compile(r"@(?:everyone|here)|<(?:@[!&]?|#)\d+>", re.IGNORECASE)

WRITERS: list[Callable[[str], str]] = [discord.write_text, slack.write_markdown, slack.write_text]


@given(MARKDOWN)
@settings(max_examples=150, deadline=None)
def test_no_word_is_lost_on_any_platform(markdown: str) -> None:
    named = re.sub(r"(```|~~~).*", r"\1", markdown)  # what names a language is not always shown
    words = sorted(re.findall(r"word\d+", named))
    for write in WRITERS:
        written = sorted(re.findall(r"word\d+", write(markdown)))
        assert [word for word in words if word not in written] == [], write


@given(MARKDOWN)
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_never_longer_than_was_measured(markdown: str) -> None:
    assert discord.units(discord.write_text(markdown)) <= discord.length(markdown)
    assert slack.units(slack.write_markdown(markdown)) <= slack.measure(markdown)
    assert slack.units(slack.write_text(markdown)) <= slack.measure(markdown)
    assert slack.units(slack.harmless(markdown)) <= slack.measure(markdown)


@given(MARKDOWN, MARKDOWN)
@settings(deadline=None)
def test_a_measure_never_shrinks_while_a_text_grows(markdown: str, more: str) -> None:
    assert discord.length(markdown) <= discord.length(markdown + more)
    assert slack.measure(markdown) <= slack.measure(markdown + more)


@given(MARKDOWN)
@settings(max_examples=100, deadline=None)
def test_nobody_is_called(markdown: str) -> None:
    assert pings(slack.write_markdown(markdown)) == pings(slack.write_text(markdown)) == []
    for block in write_blocks(markdown):
        assert block["type"] == "table" or pings(block["text"]) == []
    if "`" not in markdown:  # in code, and so in aligned tables, nobody is called
        written = re.sub("```.*?```|`[^`]*`", "", discord.write_text(markdown), flags=re.DOTALL)
        assert not _DISCORD_PING.search(written)


@given(st.lists(MARKDOWN, min_size=4, max_size=12).map("\n\n".join))
@settings(max_examples=25, deadline=None)
def test_each_piece_fits_its_platform_and_no_word_is_lost(markdown: str) -> None:
    words = set(re.findall(r"word\d+", markdown))
    long = "\n\n".join([markdown] * 6)
    for limit, measure, write in (
        (600, discord.length, discord.write_text),
        (900, slack.measure, slack.write_markdown),
    ):
        pieces = [write(piece) for piece in cut(long, limit, measure)]
        assert all(discord.units(piece) <= limit for piece in pieces)
        assert words <= set(re.findall(r"word\d+", " ".join(pieces)))


@given(MARKDOWN, st.integers(60, 200), st.lists(st.integers(0, 400), max_size=5))
@settings(deadline=None)
def test_growth_changes_no_earlier_piece_under_the_platforms_measures(
    markdown: str, limit: int, ends: list[int]
) -> None:
    for measure in (discord.length, slack.measure):
        cutter = Cutter(limit, measure)
        final: list[str] = []
        for end in [*sorted(ends), len(markdown)]:
            pieces = cutter.feed(markdown[:end])
            assert pieces[: len(final)] == final
            final = pieces[:-1]


EVIL = "[ * ` ![[ >_ -_ < *a_ _a_ a| |a/|-/ [a](<b $a \\( <a> **a： [^1] -_a/__ ~~a // & ]( <!-- 1._ \\[ $$/"
UNITS = [unit.replace("_", " ").replace("/", "\n") for unit in EVIL.split()]


@pytest.mark.parametrize("unit", [*UNITS, "https://", "_a_", "__"])
def test_no_text_takes_long_to_write(unit: str) -> None:
    markdown = (unit * 3_800)[:3_800]
    begun = time.process_time()
    for write in WRITERS:
        write(markdown)
    write_blocks(markdown)
    assert time.process_time() - begun < 1.5


def test_thirty_thousand_letters_arrive_whole_on_both() -> None:
    rows = "".join(f"| item{number} | {number} |\n" for number in range(300))
    code = "\n".join(f"line_{number} = {number}" for number in range(300))
    prose = " ".join(f"word{number}." for number in range(2_000))
    markdown = f"{prose}\n\n| Name | Count |\n|---|---|\n{rows}\n```python\n{code}\n```\n\n1. one\n2. two"
    markdown = f"{markdown}\n\n{'长句子，没有空格。' * 200}"
    for limit, measure, write in (
        (discord.LIMIT, discord.length, discord.write_text),
        (3_800, slack.measure, slack.write_markdown),
    ):
        pieces = [write(piece) for piece in cut(markdown, limit, measure)]
        assert max(map(discord.units, pieces)) <= limit
        said = "\n".join(pieces)
        assert [number for number in range(2_000) if f"word{number}." not in said] == []
        assert [number for number in range(300) if f"item{number} " not in said] == []
        assert [number for number in range(300) if f"line_{number} = {number}\n" not in said] == []
        assert said.count("长句子") == 200
        tables = [piece for piece in pieces if re.search(r"item\d+ +\|", piece)]
        assert all("Name" in piece for piece in tables)
        assert all(piece.count("```") % 2 == 0 for piece in pieces)
        assert sum("```python\n" in piece for piece in pieces) > 1
