"""What the parser was taught besides CommonMark."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from bot.adapters.markdown.rules import parser


def tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    parser().inline.parse(text, parser(), {}, tokens)
    return tokens


def html_of(text: str) -> str:
    return RendererHTML().renderInline(tokens_of(text), parser().options, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**真：**她", "<strong>真：</strong>她"),
        ("他说**「好」**吧", "他说<strong>「好」</strong>吧"),
        ("这是*斜体。*了", "这是<em>斜体。</em>了"),
        ("~~删除。~~了", "<s>删除。</s>了"),
        ("**주의：**확인", "<strong>주의：</strong>확인"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("中_文_字", "中_文_字"),
        ("~one~", "~one~"),
    ],
)
def test_emphasis_stands_beside_chinese_signs(text: str, said: str) -> None:
    assert html_of(text) == said


@pytest.mark.parametrize("text", ["**a:**b", "*a **b*", "***a** b*", "a**b**c", "**a*b**", "_a_b_", "__a__"])
def test_emphasis_in_other_scripts_is_commonmarks(text: str) -> None:
    assert html_of(text) == MarkdownIt("commonmark").renderInline(text)


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("$E = mc^2$", ["E = mc^2"]),
        ("\\(a+b\\) and \\[c = d\\]", ["a+b", "c = d"]),
        ("$x$和$y$是", ["x", "y"]),
        ("$$a^2$$", ["a^2"]),
        ("$5 and $6", []),
        ("$5-$10", []),
        ("from $5 to 10$ a month", []),
        ("$HOME/$USER", []),
        ("$HOME and $PATH", []),
        ("US$5和US$6", []),
        ("\\[no\\](link)", []),
        ("\\(a word\\)", []),
    ],
)
def test_formulas_are_told_from_prices_and_variables(text: str, formulas: list[str]) -> None:
    assert [token.content for token in tokens_of(text) if token.type == "formula"] == formulas


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("见https://e.com/x。好", "https://e.com/x"),
        ("https://e.com。好", "https://e.com"),
        ("https://e.com/中文/路径，谢谢", "https://e.com/中文/路径"),
        ("(https://e.com/a_(b))", "https://e.com/a_(b)"),
        ("https://e.com/a_b_c*d.", "https://e.com/a_b_c*d"),
        ("Https://E.com!", "Https://E.com"),
    ],
)
def test_an_address_ends_where_it_ends(text: str, address: str) -> None:
    assert [token.attrGet("href") for token in tokens_of(text) if token.type == "link_open"] == [address]


@pytest.mark.parametrize("text", ["xhttps://e.com", "https:// x", "https://", "http:/e", "a://b"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert [token for token in tokens_of(text) if token.type == "link_open"] == []
