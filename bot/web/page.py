"""The two pages, filled with the words of the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from bot.ports import Words

# The subtags that ask for traditional Chinese, where no "hans" stands before them.
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})

# Values that the page's script fills in by itself later.
_LATER = {name: "{" + name + "}" for name in ("count", "limit", "name", "read", "seconds", "written")}

# What the script says; the rest stands in the templates.
_SCRIPT_WORDS = (
    "again", "answer", "copied", "copy", "copy-answer", "delivery-failed", "delivery-retry",
    "delivery-sending",
    "example-1", "example-2", "example-3", "failed", "guest", "message-from", "new-thread", "stop", "stopped",
    "too-long", "vote-down", "vote-reason", "vote-send", "vote-skip", "vote-thanks", "vote-up",
    "waiting", "why", "why-attempts", "why-budget", "why-budget-value", "why-files",
    "why-first-text", "why-left-out", "why-message-tokens", "why-messages", "why-model", "why-none",
    "why-notes", "why-seconds", "why-seconds-value", "why-shortened", "why-summary", "why-tokens",
    "why-tokens-value", "why-whole",
)  # fmt: skip


def preferred_language(accept: str) -> str:
    """Choose the language of the pages by an Accept-Language header (RFC 9110, 12.5.4)."""
    ranked = sorted((_weighed(part) for part in accept.split(",")), key=lambda item: -item[0])
    for weight, tag in ranked:
        primary, *rest = tag.split("-")
        if weight > 0 and primary == "zh":
            return "zh-CN" if "hans" in rest or _TRADITIONAL.isdisjoint(rest) else "zh-TW"
        if weight > 0 and primary == "en":
            return "en"
    return "en"


def main_page(words: Words, language: str, note: str, leave: bool) -> str:
    """Write the console; `note` says which model answers, `leave` shows the way to log out."""
    texts = {word: words.say(f"web-{word}", language, **_LATER) for word in _SCRIPT_WORDS}
    # "<" would end the block early, and the block is JSON whatever the words hold.
    data = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    logout = _fill("logout.html", words, language, {}) if leave else ""
    values = {"note": escape(note), "words": data, "logout": logout}
    return _fill("page.html", words, language, values)


def login_page(words: Words, language: str, problem: str = "") -> str:
    """Write the login form, with the catalogue's word for what went wrong if anything did."""
    text = words.say(f"web-{problem}", language) if problem else ""
    return _fill("login.html", words, language, {"problem": escape(text)})


def _fill(name: str, words: Words, language: str, values: Mapping[str, str]) -> str:
    """Fill a template; `values` are HTML already."""
    template = _template(name)
    asked = (word for word in template.get_identifiers() if word.startswith("web_"))
    said = {word: escape(words.say(word.replace("_", "-"), language, **_LATER)) for word in asked}
    return template.substitute(language=language, **said, **values)


@cache
def _template(name: str) -> Template:
    return Template(files(__package__).joinpath("pages", name).read_text("utf-8"))


def _weighed(part: str) -> tuple[float, str]:
    tag, _, rest = part.strip().partition(";")
    try:
        weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower()
