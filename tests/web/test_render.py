"""Markdown to HTML that is safe to show."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.web.render import render

ALLOWED = {
    "a": {"href", "title", "target", "rel"},
    "input": {"type", "checked", "disabled"},
    "li": {"class"}, "ol": {"start"}, "pre": {"data-language"}, "span": {"class"}, "td": {"class"},
    "th": {"class"}, "ul": {"class"},
}  # fmt: skip
PLAIN = set("blockquote br code del em h1 h2 h3 h4 h5 h6 hr p s strong table tbody thead tr".split())  # noqa: SIM905


class Reader(HTMLParser):
    """Reads HTML as a browser would, and notes what it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(html: str) -> None:
    """Nothing but known tags and attributes, and links that go to the web or to a letter."""
    for tag, attributes in Reader(html).found:
        assert tag in ALLOWED or tag in PLAIN, f"<{tag}> got through"
        assert set(attributes) <= ALLOWED.get(tag, set()), f"{attributes} on <{tag}> got through"
        if "href" in attributes:
            assert str(attributes["href"]).lower().startswith(("https:", "http:", "mailto:"))
            assert attributes["target"] == "_blank"
            assert set(str(attributes["rel"]).split()) >= {"noopener", "nofollow"}


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '[x](https://a.example "\\" onmouseover=\\"alert(1))',
    '<https://a.example/" onclick=alert(1)>',
    '```"><script>alert(1)</script>\nx\n```',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example>",
    "<style>*{display:none}</style>",
    "<a href='javascript:1'>x</a>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<form action=//evil.example><input name=token>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "| a | b |\n|:--|--:|\n| <img src=x onerror=alert(1)> | [x](vbscript:x) |",
    "<math><mtext><script>alert(1)</script>",
    "[x](//evil.example)",
    "[x](/logout)",
    "<!--><script>alert(1)</script>-->",
    "- [x] <b onclick=alert(1)>x</b>",
    "java\tscript:alert(1)",
    "[x](java&#10;script:alert(1))",
    "[\u202ex](https://a.example)",
    "\x00<script>",
    "<base href=//evil.example>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_gets_through(attack: str) -> None:
    assert_harmless(render(attack))


@given(
    st.lists(
        st.sampled_from([*ATTACKS, "`", "```", "\n", "> ", "* ", "|", "**", "<", '"', "&", " "]), max_size=12
    )
)
@settings(max_examples=200, deadline=None)
def test_no_mixture_of_attacks_gets_through(parts: list[str]) -> None:
    assert_harmless(render("".join(parts)))


def test_html_of_the_author_is_shown_as_text() -> None:
    assert (
        Reader(render("a <b>bold</b> & <script>x</script>")).text.strip()
        == "a <b>bold</b> & <script>x</script>"
    )


def test_a_picture_becomes_a_link() -> None:
    html = render("![a cat](https://a.example/cat.png)")
    assert "<img" not in html
    assert ">a cat</a>" in html


def test_tables_lists_tasks_and_struck_text_are_shown() -> None:
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n\n~~no~~ https://a.example")
    assert '<th class="right">b</th>' in html
    assert html.count('type="checkbox"') == 2
    assert "<s>no</s>" in html
    assert 'href="https://a.example"' in html


def test_code_is_coloured_by_its_language_and_stays_the_same_text() -> None:
    code = "def f(x):\n\n    return x < 1 and '<b>'\n"
    html = render(f"```python\n{code}```")
    assert '<span class="k">def</span>' in html
    assert 'data-language="python"' in html
    assert Reader(html).text.strip("\n") == code.strip("\n")


def test_an_unknown_language_and_endless_code_are_shown_plain() -> None:
    assert "span" not in render("```klingon\nx = 1\n```")
    assert "span" not in render("```python\n" + "x = 1\n" * 10_000 + "```")


def test_a_growing_answer_renders_at_every_length() -> None:
    whole = "Look:\n\n```python\nprint('**x**')\n```\n\n| a |\n|---|\n| 1 |\n\n- **bold** and `code`\n"
    for length in range(len(whole) + 1):
        html = render(whole[:length])
        assert_harmless(html)
    assert "<strong>x" not in html
    assert render("```python\nprint(1)").count("<pre") == 1


@pytest.mark.parametrize(
    ("markdown", "strong"),
    [
        ("**真：**她", "真："),
        ("他说**“好”**吧", "“好”"),
        ("这是**重点**。", "重点"),
        ("**注意！**请看", "注意！"),
    ],
)
def test_emphasis_beside_chinese_punctuation_is_closed(markdown: str, strong: str) -> None:
    assert f"<strong>{strong}</strong>" in render(markdown)


def test_stars_and_underscores_elsewhere_stay_what_commonmark_makes_of_them() -> None:
    assert "<em>" not in render("2 * 3 * 4 and snake_case_name")
    assert "<em>x</em>" in render("an *x* here")
    assert "<em>" not in render("乘法 2 * 3 * 4")


def test_forty_thousand_characters_and_nothing_at_all_are_rendered() -> None:
    assert render("") == ""
    assert len(Reader(render("字 " * 20_000)).text) >= 39_999
    assert_harmless(render("> " * 5_000 + "deep"))
    assert_harmless(render("[" * 5_000))
