"""The commands that the bot registers with Discord, in every language there are words in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.adapters.discord.rest import Rest
from bot.dialogue import TONGUES
from bot.errors import PlatformError
from bot.ports import Words

log = structlog.get_logger()

ASK_ABOUT = "Ask about this"
AUTO = "auto"  # a choice must not be empty
LONGEST_QUESTION = 1_800  # the post that shows it has to hold it
ANSWERS = ("here", "thread")

_LOCALES = ("zh-CN", "zh-TW")  # English is what stands without one
_ALL = "/applications/{application_id}/commands"
_CHAT, _MESSAGE, _STRING = 1, 3, 3
_EMPTY: tuple[object, ...] = (None, "", [], False)
_GUILD, _DIRECT = 0, 1
_MANAGE_GUILD = 1 << 5
_TEXTS = ("name", "name_localizations", "description", "description_localizations")
_OURS = (*_TEXTS, "type", "options", "contexts", "default_member_permissions")

Command = dict[str, Any]


def commands(words: Words) -> list[Command]:
    """Define all commands; their names are the same in every language, so that people can tell each other."""
    question = _option(words, "question", required=True, max_length=LONGEST_QUESTION)
    language = _option(words, "language", required=True, choices=_languages(words))
    answers = _option(words, "answers", choices=[_choice(words, name, f"choice-{name}") for name in ANSWERS])
    place = _option(words, "language", "option-place-language", choices=_languages(words))
    everywhere = {"contexts": [_GUILD, _DIRECT]}
    managers = {"contexts": [_GUILD], "default_member_permissions": _MANAGE_GUILD}
    return [
        _command(words, "ask", options=[question], **everywhere),
        *(_command(words, name, **everywhere) for name in ("new", "why", "stop", "help")),
        _command(words, "language", options=[language], **everywhere),
        _command(words, "settings", options=[answers, place], **managers),
        {
            "type": _MESSAGE,
            "name": ASK_ABOUT,
            "name_localizations": _told(words, "discord-about-title"),
            **everywhere,
        },
    ]


async def registered(rest: Rest) -> list[Command]:
    """Give the commands that Discord knows."""
    client = await rest.client()
    query = {"with_localizations": "true"}
    return list(await rest.call("GET", _ALL, query=query, application_id=client.application_id))


def same(known: Sequence[Command], wanted: Sequence[Command]) -> bool:
    """Say whether Discord knows just these commands, what it adds by itself apart."""
    return _comparable(known) == _comparable(wanted)


async def register(rest: Rest, wanted: Sequence[Command]) -> None:
    """
    Tell Discord of the commands where it has others; failing that, the bot works on without.

    Registering is limited by the day, so that it is only done where something changed.
    """
    try:
        if same(await registered(rest), wanted):
            return
        client = await rest.client()
        await rest.call("PUT", _ALL, payload=list(wanted), application_id=client.application_id)
    except PlatformError as error:
        log.warning("commands_not_registered", reason=str(error))
    else:
        log.info("commands_registered", count=len(wanted))


def _command(words: Words, name: str, options: Sequence[Any] = (), **more: Any) -> Command:
    key = f"discord-command-{name}"
    return {
        "type": _CHAT,
        "name": name,
        "description": words.say(key, "en"),
        "description_localizations": _told(words, key),
        "options": list(options),
        **more,
    }


def _option(words: Words, name: str, key: str = "", **more: Any) -> dict[str, Any]:
    key = f"discord-{key or f'option-{name}'}"
    return {
        "type": _STRING,
        "name": name,
        "description": words.say(key, "en"),
        "description_localizations": _told(words, key),
        **more,
    }


def _choice(words: Words, value: str, key: str) -> dict[str, Any]:
    key = f"discord-{key}"
    return {"name": words.say(key, "en"), "name_localizations": _told(words, key), "value": value}


def _languages(words: Words) -> list[dict[str, Any]]:
    return [
        _choice(words, AUTO, "choice-auto"),
        *({"name": name, "value": tag} for tag, name in TONGUES.items()),
    ]


def _told(words: Words, key: str) -> dict[str, str]:
    return {locale: words.say(key, locale) for locale in _LOCALES}


def _comparable(found: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Leave out what Discord adds: ids, versions, and what is empty or at its default."""
    return sorted((command["type"], command["name"], repr(_bare(command, _OURS))) for command in found)


def _bare(part: Any, keys: Sequence[str] = ()) -> Any:
    if isinstance(part, Mapping):
        kept = {key: value for key, value in part.items() if not keys or key in keys}
        return sorted((key, _bare(value)) for key, value in kept.items() if value not in _EMPTY)
    if isinstance(part, (list, tuple)):
        return [_bare(one) for one in part]
    return str(part)  # permissions are numbers on the way in, and text on the way out
