"""Makes rows of messages, and messages of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

from bot.dialogue import Author, Channel, File, Message
from bot.memory.quoting import told
from bot.ports import TokenCounter

# What a message costs beside its text in the chat format, rounded up; the author's name is counted with it.
OVERHEAD = 4


class Row(Protocol):
    """A row whose columns go by their names, from whichever of our two ways to the database."""

    def __getitem__(self, name: str, /) -> Any:
        """Give a column."""
        ...


def storable(text: str) -> str:
    """Take out what Postgres' text cannot hold: null bytes; half a surrogate pair becomes "?"."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def cleaned(message: Message) -> Message:
    """Make what a person wrote storable."""
    author = replace(message.author, name=storable(message.author.name))
    files = tuple(replace(file, name=storable(file.name)) for file in message.files)
    return replace(message, author=author, text=storable(message.text), files=files)


def weigh(counter: TokenCounter, message: Message) -> int:
    """Count a message as a model reads it: name, text, file names and the format's own tokens."""
    return weight_of(counter, message.author.name, message.text, message.files)


def weight_of(counter: TokenCounter, name: str, text: str, files: Sequence[File]) -> int:
    """Count a message by its parts."""
    return counter.count(f"{name}: {told(text, files, {})}") + OVERHEAD


def row_of(
    message: Message, conversation_id: int, position: int, cumulative: int, tokens: int, encoding: str
) -> dict[str, object]:
    """Make a row of `messages`."""
    return {
        "conversation_id": conversation_id,
        "key": message.key,
        "position": position,
        "cumulative_tokens": cumulative,
        "platform_id": message.id,
        "author_id": message.author.id,
        "author_name": message.author.name,
        "author_time_zone": message.author.time_zone,
        "author_locale": message.author.locale,
        "said": message.said,
        "mentions_others": message.mentions_others,
        "text": message.text,
        "tokens": tokens,
        "encoding": encoding,
        "reply_to": message.reply_to,
        "files": [asdict(file) for file in message.files],
        "sent_at": message.sent_at,
        "edited_at": message.edited_at,
    }


def message_of(row: Row, channel: Channel) -> Message:
    """Make a message of a row of `messages` and its conversation's channel."""
    author = Author(
        row["author_id"],
        row["author_name"],
        time_zone=row["author_time_zone"],
        locale=row["author_locale"],
    )
    return Message(
        row["platform_id"],
        channel,
        author,
        row["text"],
        row["sent_at"],
        reply_to=row["reply_to"],
        said=row["said"],
        edited_at=row["edited_at"],
        files=files_of(row),
    )


def files_of(row: Row) -> tuple[File, ...]:
    """Read the files of a row of `messages`."""
    return tuple(File(**file) for file in row["files"])
