"""What Slack refuses of blocks, and what people read and press in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests.doubles.slack_rules import SlackRefuses

MARKDOWN_CHARACTERS = 12_000  # of all markdown blocks together
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
TITLE_CHARACTERS = 24

Json = Mapping[str, Any]

_IN_MESSAGES = frozenset(
    [
        *("actions", "context", "context_actions", "divider", "file", "header", "image"),
        *("markdown", "rich_text", "section", "table", "video"),
    ]
)
_IN_VIEWS = frozenset(["actions", "context", "divider", "header", "image", "input", "rich_text", "section"])


def check_blocks(blocks: Sequence[Json]) -> None:
    """Refuse a message's blocks as Slack does."""
    _check(blocks, _IN_MESSAGES, MESSAGE_BLOCKS)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        raise SlackRefuses("msg_blocks_too_long")


def check_view(view: Json) -> None:
    """Refuse a modal or a home as Slack does."""
    _check(view["blocks"], _IN_VIEWS, VIEW_BLOCKS)
    named = [view.get(name) for name in ("title", "submit", "close")]
    if any(text is not None and not 0 < len(text["text"]) <= TITLE_CHARACTERS for text in named):
        raise SlackRefuses("invalid_arguments")
    if view["type"] == "modal" and named[0] is None:
        raise SlackRefuses("invalid_arguments")
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if has_input and (view["type"] == "home" or named[1] is None):
        raise SlackRefuses("invalid_arguments")
    if len(view.get("private_metadata", "")) > 3_000:
        raise SlackRefuses("view_too_large")


def text_of(blocks: Sequence[Json]) -> str:
    """What people read in a message's blocks, buttons left out."""
    texts = [
        block["text"] for block in blocks if block["type"] in ("markdown", "section") and "text" in block
    ]
    return "\n".join(text if isinstance(text, str) else text["text"] for text in texts)


def controls(blocks: Sequence[Json]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What people can press: what it reads and the action that a press sends."""
    for block in blocks:
        elements = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]
        for element in elements:
            action = {"type": element["type"], "action_id": element.get("action_id", "")}
            if element["type"] == "button":
                yield element["text"]["text"], action | {"value": element.get("value", "")}
            elif element["type"] == "feedback_buttons":
                for name in ("positive_button", "negative_button"):
                    yield element[name]["text"]["text"], action | {"value": element[name]["value"]}
            elif element["type"] == "static_select":
                for option in element["options"]:
                    yield option["text"]["text"], action | {"selected_option": option}


def _check(blocks: Sequence[Json], allowed: frozenset[str], most: int) -> None:
    if not 0 < len(blocks) <= most or any(block.get("type") not in allowed for block in blocks):
        raise SlackRefuses("invalid_blocks")
    for block in blocks:
        try:
            parsed = Block.parse(dict(block))
            if parsed is None:
                raise SlackRefuses("invalid_blocks")
            parsed.validate_json()
        except SlackObjectFormationError as error:
            raise SlackRefuses("invalid_blocks") from error
        actions = [
            element.get("action_id") for element in block.get("elements", ()) if isinstance(element, dict)
        ]
        named = [action for action in actions if action]
        if len(set(named)) != len(named):
            raise SlackRefuses("invalid_blocks")
        texts = [block.get("text")] if block["type"] == "section" else []
        if any(not text or not 0 < len(text["text"]) <= 3_000 for text in texts):
            raise SlackRefuses("invalid_blocks")
