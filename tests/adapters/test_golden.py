"""What becomes of Markdown on each platform, as people have read and approved it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slack_sdk.models.blocks import Block

from bot.adapters.discord.writing import length, units
from bot.adapters.slack.blocks import write_blocks
from bot.adapters.slack.writing import measure, write_markdown
from tests.adapters.golden import WRITERS, cases, read_case, said
from tests.doubles.slack_rules import pings

each_case = pytest.mark.parametrize("path", list(cases()), ids=lambda path: path.stem)


@each_case
def test_a_text_is_written_as_its_golden_file_promises(path: Path) -> None:
    markdown, promised = read_case(path)
    assert said(markdown) == promised


@each_case
def test_a_golden_text_fits_and_calls_nobody(path: Path) -> None:
    markdown, _ = read_case(path)
    assert units(WRITERS["discord"](markdown)) <= length(markdown)
    assert units(write_markdown(markdown)) <= measure(markdown)
    assert pings(write_markdown(markdown)) == pings(WRITERS["mrkdwn"](markdown)) == []


@each_case
def test_a_golden_texts_blocks_are_such_as_slack_knows(path: Path) -> None:
    markdown, _ = read_case(path)
    for block in Block.parse_all(write_blocks(markdown)):
        block.validate_json()


def test_there_are_sixty_cases_and_more_in_both_languages() -> None:
    texts = [read_case(path)[0] for path in cases()]
    chinese = [text for text in texts if any("\u4e00" <= letter <= "\u9fff" for letter in text)]
    assert len(texts) >= 60
    assert len(chinese) >= 20
