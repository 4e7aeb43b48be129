"""The text of HTML pages."""

from __future__ import annotations

import pytest

from bot.documents.pages import read_page


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<title>T</title><body>x", "T\n\nx"),
        ("<head><title>T</title><style>a{}</style><body>x", "T\n\nx"),
        ("a<script>if (a < b) { evil() }</script>b", "ab"),
        ("<td>1</td><td>2</td>", "| 1 | 2"),
        ("a &amp; b&nbsp;c", "a & b c"),
        ("<svg><text>drawn</text></svg>seen", "seen"),
        ("<!-- hidden -->seen", "seen"),
        ("<style>never closed", ""),
    ],
)
def test_what_people_would_see_is_read(html: str, text: str) -> None:
    assert read_page(html.encode()) == {"texts": [text]}


def test_a_page_may_be_in_any_encoding() -> None:
    assert read_page("<p>今天天气很好</p>".encode("gb18030")) == {"texts": ["今天天气很好"]}


def test_what_is_no_text_is_no_page() -> None:
    assert read_page(b"<p>" + bytes(range(256)) * 9) == {"note": "file-other"}
