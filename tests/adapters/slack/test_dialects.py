"""Slack's two dialects, held against what reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.adapters.markdown.reading import read
from bot.adapters.slack.dialects import Mrkdwn, SlackMarkdown

CHINESE = [
    "真：",
    "「好」",
    "“引号”",
    "（重要）",
    "`code`命令：",
    "完成！",
    "A，B",
    "重点",
    "《书》",
    "说：“好”",
]
AROUND = ["她", "。", "，", " ", "a", "（", "」"]


def strong_letters(html: str) -> str:
    """The letters within strong text, without signs."""
    return re.sub(r"\W", "", re.sub(r"<[^>]*>", "", "".join(re.findall(r"<strong>(.*?)</strong>", html))))


@given(st.sampled_from(CHINESE), st.sampled_from(AROUND), st.sampled_from(AROUND))
@settings(max_examples=300, deadline=None)
def test_a_reader_that_knows_only_commonmark_sees_chinese_emphasis(
    inner: str, before: str, after: str
) -> None:
    assume(before != "a" or inner[0] != "`")  # among Latin letters CommonMark's own rule stands
    written = SlackMarkdown().document(read(f"字{before}**{inner}**{after}字"))
    html = MarkdownIt("commonmark").render(written)
    assert strong_letters(html) == re.sub(r"\W", "", inner), written
    assert "*" not in re.sub(r"<[^>]*>", "", html), written


@pytest.mark.parametrize(
    "text", ["**bold** text", "a **b:** c", "*x* and ***y***", "un*frig*able", "**a (b)**"]
)
def test_emphasis_that_stands_is_left_alone(text: str) -> None:
    assert SlackMarkdown().document(read(text)) == text


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("这是**重点**的", "这是\u200a*重点*\u200a的"),
        ("**two\nlines**", "*two*\n*lines*"),
        ("> > deep", "> │ deep"),
        ("\\*plain\\*", "*\u200bplain*\u200b"),
        ("<help@example.com>", "<mailto:help@example.com|help@example.com>"),
        ("[a|b](https://e.com)", "<https://e.com|a¦b>"),
        ("[file](docs/a.md)", "file (docs/a.md)"),
        ("a `b``c` d", "a `bˋˋc` d"),
        ("- [ ] a\n  - [x] b", "☐ a\n  ☑ b"),
    ],
)
def test_mrkdwn_says_what_it_can(markdown: str, said: str) -> None:
    assert Mrkdwn().document(read(markdown)) == said
