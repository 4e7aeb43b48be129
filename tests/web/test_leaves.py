"""Single pages stand by themselves, in the reader's language, and run nothing."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from bot.catalogue import Catalogue
from bot.web.leaves import Leaves

LEAVES = Leaves(Catalogue())


@pytest.mark.parametrize(
    ("accept", "language", "title"),
    [
        ("de", "en", "Add Frontdesk to Slack"),
        ("zh-CN", "zh-CN", "把 Frontdesk"),
        ("zh-TW", "zh-TW", "將 Frontdesk"),
    ],
)
def test_it_speaks_the_reader_s_language(accept: str, language: str, title: str) -> None:
    text = bytes(LEAVES(accept, "slack-install", "https://slack.example/").body).decode()
    assert f'<html lang="{language}">' in text
    assert re.search(rf"<h1>{title}", text)


def test_it_needs_nothing_that_it_does_not_hold() -> None:
    answer = LEAVES("en", "slack-install", "https://slack.example/?a=1&b=2")
    text, policy = bytes(answer.body).decode(), answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "<script" not in text
    assert not re.search(r"""(?:src|rel="stylesheet" href)=["'](?!data:)""", text)
    assert 'href="https://slack.example/?a=1&amp;b=2"' in text
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_what_comes_from_outside_is_text() -> None:
    answer = LEAVES("en", "slack-installed", "", 200, team="<b>Acme</b>", bot='"x"')
    text = bytes(answer.body).decode()
    assert "&lt;b&gt;Acme" in text
    assert "<b>" not in text
    assert 'class="button"' not in text
