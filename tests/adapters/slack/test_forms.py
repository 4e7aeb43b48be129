"""The arguments that a text is sent with: Markdown where that stands well, blocks where it does not."""

from __future__ import annotations

from bot.adapters.slack.forms import SECTION_CHARACTERS, form, plain_form
from tests.doubles.slack_rules import pings

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
UNDER = ({"type": "actions", "elements": []},)


def test_a_text_that_stands_well_is_sent_as_markdown() -> None:
    assert form("**bold** <!channel>") == {"markdown_text": "**bold** <\u2060!channel>"}


def test_what_stands_under_it_comes_after_its_blocks() -> None:
    assert [block["type"] for block in form("text", UNDER)["blocks"]] == ["markdown", "actions"]
    assert [block["type"] for block in form(TABLE, UNDER)["blocks"]] == ["table", "actions"]


def test_a_table_makes_blocks_of_any_text_and_has_words_for_notifications() -> None:
    made = form(TABLE)
    assert [block["type"] for block in made["blocks"]] == ["table"]
    assert made["text"] == "```\na | b\n--+--\n1 | 2\n```"


def test_where_slack_takes_no_markdown_it_is_mrkdwn_and_calls_nobody() -> None:
    made = plain_form("**bold** <!channel>", UNDER)
    assert (made["text"], made["parse"], made["link_names"]) == ("*bold* &lt;!channel&gt;", "none", False)
    assert made["blocks"][0]["text"]["verbatim"] is True
    assert "blocks" not in plain_form("w" * (SECTION_CHARACTERS + 1), UNDER)


def test_a_text_that_grows_is_sent_as_it_is_and_calls_nobody() -> None:
    sent = form("| a | b |\n|---|---|\n<!channel>", [{"type": "divider"}], blocks=True, rough=True)
    assert sent["blocks"][0] == {"type": "markdown", "text": sent["text"]}
    assert sent["blocks"][1:] == [{"type": "divider"}]
    assert pings(sent["text"]) == []
