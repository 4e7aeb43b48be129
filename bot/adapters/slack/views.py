"""The windows and the home tab that people see, as Slack's views; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.slack.buttons import Block, language_choice, plain
from bot.dialogue import TONGUES, Thread
from bot.ports import Words

REASON = "frontdesk_reason"
ABOUT = "frontdesk_about"
TITLE_CHARACTERS = 24
METADATA_CHARACTERS = 2_900  # Slack's limit is 3,000
THREADS = 10

_QUESTION = "question"


def reason_view(words: Words, language: str, about: Mapping[str, str]) -> Block:
    """Ask what was wrong with an answer; `about` comes back with what is written."""
    return _modal(REASON, words, language, "slack-vote", about)


def about_view(words: Words, language: str, about: Mapping[str, str]) -> Block:
    """Ask for a question about a message."""
    view = _modal(ABOUT, words, language, "slack-about", about)
    intro = words.say("slack-about-intro", language)
    view["blocks"].append({"type": "context", "elements": [{"type": "mrkdwn", "text": intro}]})
    return view


def written(view: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Read what a window was about, and what was written into it; raises `ValueError` for an odd one."""
    about = dict(json.loads(str(view.get("private_metadata") or "")))
    try:
        text = view["state"]["values"][_QUESTION][_QUESTION].get("value")
    except (AttributeError, KeyError, TypeError):
        text = ""
    return {str(name): str(value) for name, value in about.items()}, str(text or "").strip()


def home_view(
    words: Words, language: str, chosen: str, name: str, threads: Sequence[Thread], url: str
) -> Block:
    """Show what the bot can do, the person's newest conversations, and the choice of language."""

    def say(key: str, **values: object) -> str:
        return words.say(key, language, **values)

    options = {"": say("slack-home-language-auto"), **TONGUES}
    lines = [_line(thread, url, say("slack-home-direct")) for thread in threads[:THREADS]]
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain(say("slack-home-hello", name=name)[:150])},
            _section(f"*{say('slack-home-can')}*\n{_bullets(say('slack-home-can-text'))}"),
            {"type": "divider"},
            _section(f"*{say('slack-home-recent')}*"),
            *(_section(line) for line in lines or [say("slack-home-none")]),
            {"type": "divider"},
            language_choice(options, say("slack-home-language"), chosen),
        ],
    }


def prompts(words: Words, language: str) -> dict[str, Any]:
    """Suggest first questions, as `assistant.threads.setSuggestedPrompts` wants them."""
    keys = ("slack-prompt-help", "slack-prompt-explain", "slack-prompt-draft")
    made = [
        {"title": words.say(key, language), "message": words.say(f"{key}-text", language)} for key in keys
    ]
    return {"title": words.say("slack-prompts", language), "prompts": made}


def _modal(name: str, words: Words, language: str, key: str, about: Mapping[str, str]) -> Block:
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": json.dumps(about, ensure_ascii=False),
        "title": plain(words.say(f"{key}-title", language)[:TITLE_CHARACTERS]),
        "submit": plain(words.say("slack-send", language)[:TITLE_CHARACTERS]),
        "close": plain(words.say("slack-cancel", language)[:TITLE_CHARACTERS]),
        "blocks": [
            {
                "type": "input",
                "block_id": _QUESTION,
                "optional": True,
                "label": plain(words.say(f"{key}-label", language)),
                "element": {
                    "type": "plain_text_input",
                    "action_id": _QUESTION,
                    "multiline": True,
                    "max_length": 2_000,
                    "focus_on_load": True,
                },
            }
        ],
    }


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _bullets(markdown: str) -> str:
    return "\n".join(f"• {line.removeprefix('- ')}" for line in markdown.splitlines())


def _line(thread: Thread, url: str, direct: str) -> str:
    """Name a conversation, with its address and when somebody last wrote in it."""
    place = thread.channel
    name = " ".join((thread.title or place.name or direct).split())[:120]
    stamp = place.root.replace(".", "")
    address = f"{url.rstrip('/')}/archives/{place.id}{f'/p{stamp}' if stamp else ''}"
    shown = _escaped(name).replace("|", "¦")
    linked = f"<{address}|{shown}>" if url else shown
    when = (
        f"<!date^{int(thread.last_at.timestamp())}^{{date_short_pretty}} {{time}}|{thread.last_at:%Y-%m-%d}>"
    )
    return f"{linked} · {when}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
