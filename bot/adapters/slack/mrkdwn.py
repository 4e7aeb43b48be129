"""What people write in Slack (mrkdwn with ids) becomes Markdown with names."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_CODE = re.compile(r"```(.*?)```|`([^`\n]+)`", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]*)>")
_BOLD = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_STRIKE = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]+?)(?<=[^\s~])~(?![\w~])")
_BULLET = re.compile(r"^(\s*)[•◦▪]\s+", re.MULTILINE)
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_PLACE = re.compile(r"<#([CGD][A-Z0-9]+)(?:\|[^<>]*)?>")
_GREETING = re.compile(r"\s*[,:]?\s*")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as `users.info` tells; a `moderator` is an owner or an administrator of the workspace."""

    name: str
    time_zone: str = ""
    locale: str = ""
    moderator: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Names that were looked up, by id; who is missing here goes by the label in the text."""

    people: Mapping[str, Person] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def people_in(text: str) -> tuple[str, ...]:
    """The ids of the people a text mentions, each once, in order."""
    return tuple(dict.fromkeys(_PERSON.findall(text)))


def places_in(text: str) -> tuple[str, ...]:
    """The ids of the channels a text mentions, each once, in order."""
    return tuple(dict.fromkeys(_PLACE.findall(text)))


def without_greeting(text: str, bot_id: str) -> str:
    """Leave out the mention of the bot that the text begins with; it says only whom it is for."""
    found = re.match(rf"\s*<@{re.escape(bot_id)}(?:\|[^<>]*)?>", text)
    if found is None:
        return text
    rest = _GREETING.match(text, found.end())
    return text[rest.end() if rest else found.end() :]


def clean(text: str) -> str:
    """Leave out what no database takes: null bytes and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def read_text(text: str, known: Known) -> str:
    """Turn mrkdwn into Markdown; ids become names."""
    text = clean(text)
    parts: list[str] = []
    end = 0
    for found in _CODE.finditer(text):
        parts += [_prose(text[end : found.start()], known), _code(found, known)]
        end = found.end()
    return "".join([*parts, _prose(text[end:], known)]).strip()


def _code(found: re.Match[str], known: Known) -> str:
    if found[1] is None:
        return f"`{html.unescape(_TOKEN.sub(lambda token: _plain(token[1], known), found[2]))}`"
    body = html.unescape(_TOKEN.sub(lambda token: _plain(token[1], known), found[1])).strip("\n")
    before = "" if found.start() == 0 or found.string[found.start() - 1] == "\n" else "\n"
    after = "" if found.end() == len(found.string) or found.string[found.end()] == "\n" else "\n"
    return f"{before}```\n{body}\n```{after}"


def _prose(text: str, known: Known) -> str:
    tokens: list[str] = []

    def keep(found: re.Match[str]) -> str:
        tokens.append(_token(found[1], known))
        return f"\x00{len(tokens) - 1}\x00"

    text = _TOKEN.sub(keep, text)
    text = _BOLD.sub(r"**\1**", text)
    text = _STRIKE.sub(r"~~\1~~", text)
    text = html.unescape(_BULLET.sub(r"\1- ", text))
    return re.sub("\x00(\\d+)\x00", lambda found: tokens[int(found[1])], text)


def _token(inside: str, known: Known) -> str:
    """Say one `<…>` in Markdown."""
    if inside[:1] in "@#!":
        return _plain(inside, known)
    url, _, label = inside.partition("|")
    url, label = html.unescape(url), html.unescape(label)
    if label in ("", url) or url in (f"mailto:{label}", f"http://{label}", f"https://{label}"):
        return label if url.startswith("mailto:") else url
    return f"[{label}]({url})"


def _plain(inside: str, known: Known) -> str:
    target, _, label = inside.partition("|")
    kind, name = target[:1], target[1:]
    label = html.unescape(label)
    if kind == "@":
        person = known.people.get(name)
        return "@" + (person.name if person else label.lstrip("@") or "someone")
    if kind == "#":
        return "#" + (known.places.get(name) or label or "a-channel")
    if kind == "!":
        return _special(name, label)
    return html.unescape(target)


def _special(name: str, label: str) -> str:
    if name.startswith("date^"):
        return label or name.split("^")[1]
    if name.startswith("subteam^"):
        return "@" + (label.lstrip("@") or "a-group")
    if name in ("here", "channel", "everyone"):
        return "@" + name
    return "@" + (label.lstrip("@") or name.split("^", maxsplit=1)[0])
