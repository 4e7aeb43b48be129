"""The buttons under an answer, as Slack's blocks, and what a press of one wishes; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.dialogue import Wish
from bot.ports import Words

# A button carries no state: the message it stands under names the answer.
_ACTIONS: Mapping[str, Wish] = {
    "frontdesk_again": Wish.AGAIN,
    "frontdesk_why": Wish.WHY,
    "frontdesk_stop": Wish.STOP,
    "frontdesk_vote": Wish.VOTE,
    "frontdesk_vote_up": Wish.VOTE,
    "frontdesk_vote_down": Wish.VOTE,
    "frontdesk_language": Wish.LANGUAGE,
}
_VOTES = frozenset({"up", "down"})
_AUTO = "auto"  # the value of an option must not be empty

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Buttons:
    """What stands under an answer in the asker's language: while it grows, and when it is whole."""

    growing: tuple[Block, ...]
    whole: tuple[Block, ...]


def buttons(words: Words, language: str) -> Buttons:
    """Make the buttons of one answer."""

    def say(key: str) -> str:
        return words.say(key, language)

    stop = {"type": "actions", "elements": [_button("frontdesk_stop", say("button-stop"))]}
    again = _button("frontdesk_again", say("button-again"))
    why = _button("frontdesk_why", say("button-why"))
    feedback = {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "frontdesk_vote",
                "positive_button": {
                    "text": plain("👍"),
                    "accessibility_label": say("button-up"),
                    "value": "up",
                },
                "negative_button": {
                    "text": plain("👎"),
                    "accessibility_label": say("button-down"),
                    "value": "down",
                },
            }
        ],
    }
    return Buttons((stop,), ({"type": "actions", "elements": [again, why]}, feedback))


def simple(under: Sequence[Block]) -> list[Block]:
    """Say the same buttons by plain ones alone, for where Slack does not know the newer block."""
    elements: list[Block] = []
    for element in (element for block in under for element in block["elements"]):
        if element["type"] == "feedback_buttons":
            for name, key in (("up", "positive_button"), ("down", "negative_button")):
                button = _button(f"frontdesk_vote_{name}", element[key]["text"]["text"])
                elements.append(button | {"value": element[key]["value"]})
        else:
            elements.append(element)
    return [{"type": "actions", "elements": elements}]


def pressed(action: Mapping[str, Any]) -> tuple[Wish, str] | None:
    """Read what a press of a button, or a choice, wishes and its value; None for what is not ours."""
    wish = _ACTIONS.get(str(action.get("action_id") or ""))
    option = action.get("selected_option")
    chosen = option.get("value") if isinstance(option, Mapping) else action.get("value")
    value = str(chosen or "")
    if wish is Wish.VOTE:
        return (wish, value) if value in _VOTES else None
    if wish is Wish.LANGUAGE:
        return wish, "" if value == _AUTO else value
    return (wish, "") if wish is not None else None


def language_choice(options: Mapping[str, str], label: str, chosen: str) -> Block:
    """Make the choice of a language; `options` are names by BCP 47 tag, "" for whatever one writes in."""
    made = {tag: {"text": plain(name), "value": tag or _AUTO} for tag, name in options.items()}
    select: Block = {
        "type": "static_select",
        "action_id": "frontdesk_language",
        "options": list(made.values()),
    }
    if chosen in made:
        select["initial_option"] = made[chosen]
    return {"type": "section", "text": {"type": "mrkdwn", "text": label}, "accessory": select}


def plain(text: str) -> Block:
    """Say a text as Slack's blocks want it where no marks are allowed."""
    return {"type": "plain_text", "text": text, "emoji": True}


def _button(action: str, text: str) -> Block:
    return {"type": "button", "action_id": action, "text": plain(text)}
