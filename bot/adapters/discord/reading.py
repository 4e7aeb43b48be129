"""Reading: what somebody wrote on Discord, in the words of the house."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import discord

from bot.dialogue import Author, Channel, ChannelKind, File, Message, Platform

_MARK = re.compile(
    r"<@!?(?P<user>\d{1,20})>|<@&(?P<role>\d{1,20})>|<#(?P<channel>\d{1,20})>"
    r"|<a?:(?P<emoji>\w{1,40}):\d{1,20}>|<t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?>"
    r"|</(?P<command>[^:>]{1,100}):\d{1,20}>"
)

# All other kinds are Discord's own: somebody joined, pinned, boosted.
_SPOKEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
_ANSWERED = frozenset({discord.MessageType.chat_input_command, discord.MessageType.context_menu_command})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands, the bot's user id, and the guild whose ids have names (None if direct)."""

    channel: Channel
    bot_id: int
    guild: discord.Guild | None = None


def read_message(message: discord.Message, place: Place, author: Author | None = None) -> Message | None:
    """
    Normalise a message; None where no person wrote it or where there is nothing to read in it.

    `author` replaces what the message says of its author: messages fetched by REST come without roles.
    """
    if not _by_person(message):
        return None
    return _read(message, place, author, said=False)


def read_earlier(message: discord.Message, place: Place) -> Message | None:
    """Normalise a message of a thread's past, where other bots' and our own (`said`) posts count too."""
    if message.type not in _SPOKEN | _ANSWERED:
        return None
    return _read(message, place, None, said=message.author.id == place.bot_id)


def is_named(message: discord.Message, place: Place) -> bool:
    """Say whether it names the bot in so many words, not only by replying to it."""
    marks = list(_MARK.finditer(message.content))
    users = {int(mark["user"]) for mark in marks if mark["user"]}
    return place.bot_id in users or bool(
        _own_roles(place) & {int(mark["role"]) for mark in marks if mark["role"]}
    )


def read_place(
    channel: discord.abc.MessageableChannel | discord.abc.GuildChannel,
    bot_id: int,
    guild: discord.Guild | None,
) -> Place:
    """Say which place of the house a channel of Discord is."""
    kind = ChannelKind.OPEN
    if isinstance(channel, discord.Thread):
        kind = ChannelKind.THREAD
    elif guild is None:
        kind = ChannelKind.DIRECT
    name = getattr(channel, "name", None) or ""
    above = getattr(channel, "parent_id" if kind is ChannelKind.THREAD else "category_id", None)
    parents = read_parents(above, guild)
    workspace = str(guild.id) if guild else ""
    here = Channel(Platform.DISCORD, workspace, str(channel.id), kind=kind, name=name, parents=parents)
    return Place(here, bot_id, guild)


def read_parents(parent_id: int | None, guild: discord.Guild | None) -> tuple[str, ...]:
    """Name what a channel stands in, by ids and names: a thread its channel, that one its category."""
    found: list[str] = []
    for _ in range(2):
        if parent_id:
            known = guild.get_channel(parent_id) if guild else None
            found += [str(parent_id), known.name] if known else [str(parent_id)]
            parent_id = known.category_id if known else None
    return tuple(found)


def read_author(
    person: discord.abc.User, guild: discord.Guild | None, role_ids: tuple[int, ...] = (), nick: str = ""
) -> Author:
    """Say who a person is; each role counts with its id and its name."""
    if isinstance(person, discord.Member):
        role_ids = tuple(role.id for role in person.roles if not role.is_default())
    roles: list[str] = []
    for role_id in role_ids:
        known = guild.get_role(role_id) if guild else None
        roles += [str(role_id), known.name] if known else [str(role_id)]
    return Author(str(person.id), _clean(nick or person.display_name), tuple(roles))


def _read(message: discord.Message, place: Place, author: Author | None, *, said: bool) -> Message | None:
    names = {person.id: person.display_name for person in message.mentions}
    raw = _clean(message.content)
    text = _with_names(_without_leading_mention(raw, place), names, place)
    text = "\n".join(part for part in [text, *_extras(message)] if part)
    files = tuple(_file(file, message.id) for file in message.attachments)
    asked, others = _addressed(message, raw, place)
    if not (text or files or asked or place.channel.kind is ChannelKind.DIRECT):
        return None
    return Message(
        id=str(message.id),
        channel=place.channel,
        author=author or read_author(message.author, place.guild),
        text=text,
        sent_at=message.created_at,
        reply_to=_reply_to(message),
        mentions_bot=asked,
        mentions_others=others,
        said=said,
        edited_at=message.edited_at,
        files=files,
    )


def _file(attached: discord.Attachment, message_id: int) -> File:
    media_type = (attached.content_type or "").partition(";")[0]
    # The address runs out within a day; its message tells a new one.
    return File(_clean(attached.filename), media_type, attached.size, f"{attached.url}#{message_id}")


def _by_person(message: discord.Message) -> bool:
    return message.type in _SPOKEN and not message.author.bot and message.webhook_id is None


def _is_reply(message: discord.Message) -> bool:
    return message.reference is not None and message.type is discord.MessageType.reply


def _reply_to(message: discord.Message) -> str:
    if not _is_reply(message) or message.reference is None or message.reference.message_id is None:
        return ""
    return str(message.reference.message_id)


def _addressed(message: discord.Message, raw: str, place: Place) -> tuple[bool, bool]:
    """Say whether it addresses the bot, and whether it addresses somebody else."""
    users = {int(mark["user"]) for mark in _MARK.finditer(raw) if mark["user"]}
    roles = {int(mark["role"]) for mark in _MARK.finditer(raw) if mark["role"]}
    own_roles = _own_roles(place)
    answered = _answered_author(message)
    asked = place.bot_id in users or bool(roles & own_roles) or answered == place.bot_id
    others = users - {place.bot_id, message.author.id}
    if answered not in (None, place.bot_id, message.author.id):
        others.add(answered or 0)
    return asked, bool(others or roles - own_roles)


def _answered_author(message: discord.Message) -> int | None:
    if not _is_reply(message) or message.reference is None:
        return None
    answered = message.reference.resolved
    return answered.author.id if isinstance(answered, discord.Message) else None


def _own_roles(place: Place) -> set[int]:
    if place.guild is None:
        return set()
    return {role.id for role in place.guild.roles if role.tags and role.tags.bot_id == place.bot_id}


def _without_leading_mention(raw: str, place: Place) -> str:
    own = {f"@{place.bot_id}", f"@!{place.bot_id}", *(f"@&{role}" for role in _own_roles(place))}
    pattern = "|".join(re.escape(mark) for mark in sorted(own))
    return re.sub(rf"\A(?:\s*<(?:{pattern})>[\s,:，：]*)+", "", raw).strip()


def _with_names(text: str, names: dict[int, str], place: Place) -> str:
    return _MARK.sub(lambda mark: _clean(_name_of(mark, names, place)), text)


def _name_of(mark: re.Match[str], names: dict[int, str], place: Place) -> str:
    kind, value = mark.lastgroup or "", mark[mark.lastgroup or 0]
    readers: dict[str, Callable[[str], str]] = {
        "user": lambda user: "@" + _user_name(int(user), names, place),
        "role": lambda role: "@" + _role_name(int(role), place),
        "channel": lambda channel: "#" + _channel_name(int(channel), place),
        "emoji": lambda emoji: f":{emoji}:",
        "time": _moment,
        "command": lambda command: f"/{command}",
    }
    return readers[kind](value)


def _user_name(user_id: int, names: dict[int, str], place: Place) -> str:
    if user_id in names:
        return names[user_id]
    member = place.guild.get_member(user_id) if place.guild else None
    return member.display_name if member else "unknown-user"


def _role_name(role_id: int, place: Place) -> str:
    role = place.guild.get_role(role_id) if place.guild else None
    return role.name if role else "unknown-role"


def _channel_name(channel_id: int, place: Place) -> str:
    channel = place.guild.get_channel_or_thread(channel_id) if place.guild else None
    return channel.name if channel else "unknown-channel"


def _moment(seconds: str) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return seconds


def _extras(message: discord.Message) -> Iterator[str]:
    """Say in words what stands beside the text: stickers, a poll, a forwarded message."""
    for sticker in message.stickers:
        yield f"[sticker: {_clean(sticker.name)}]"
    if message.poll is not None:
        answers = " / ".join(answer.text for answer in message.poll.answers)
        yield f"[poll: {_clean(message.poll.question)}: {_clean(answers)}]"
    for forwarded in message.message_snapshots:
        if forwarded.content:
            yield "\n".join(f"> {line}" for line in _clean(forwarded.content).splitlines())


def _clean(text: str) -> str:
    # Postgres keeps no null byte, and half a surrogate pair is no UTF-8.
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
