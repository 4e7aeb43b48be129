"""What people enclose with a message: files and links, and what was read of them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dialogue.heard import Message

# The media type of an attachment that is a message linked to.
LINK = "message"


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    What was read of a file, or of a message that is linked to (its `name` is the link then).

    Its `text`, or a `picture` that is small enough; `note` tells in words what was left out, or why
    there is neither. `tokens` is what it adds to the weight of its message, or what seeing it costs.
    `quotes` are the keys of the messages whose text it holds.
    """

    name: str
    media_type: str = ""
    text: str = ""
    picture: bytes = b""
    tokens: int = 0
    note: str = ""
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """A link of a message, with what stands there, oldest first: nothing where it may not be read."""

    link: str
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A kept message by its number in the record, and the places of its files that were not read yet."""

    number: int
    message: Message
    files: tuple[int, ...] = ()
    asks: bool = False  # it is part of the question
