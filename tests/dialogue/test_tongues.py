"""Languages by the names that people type."""

from __future__ import annotations

import pytest

from bot.dialogue import TONGUES, tag_named


@pytest.mark.parametrize("tag", TONGUES)
def test_every_language_is_known_by_its_own_name(tag: str) -> None:
    assert tag_named(TONGUES[tag]) == tag
    assert tag_named(f" {TONGUES[tag].upper()} ") == tag


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("chinese", "zh-CN"),
        ("Simplified  Chinese", "zh-CN"),
        ("traditional chinese", "zh-TW"),
        ("繁体", "zh-TW"),
        ("繁体中文", "zh-TW"),
        ("英語", "en"),
        ("auto", ""),
        ("自動", ""),
    ],
)
def test_other_names_are_known_too(name: str, tag: str) -> None:
    assert tag_named(name) == tag


@pytest.mark.parametrize("name", ["", "it", "traditional", "simplified", "printer", "zh-CN"])
def test_other_words_name_none(name: str) -> None:
    assert tag_named(name) is None
