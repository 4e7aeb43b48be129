"""Keeps what was read of files and links with the messages they came with, so that it is read once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.dialogue import Attachment, Turn, Unread
from bot.memory.database import Database
from bot.memory.direct import Run
from bot.memory.leaving import deleted_keys
from bot.memory.models import attachments, messages
from bot.memory.places import branches, lock_conversations
from bot.memory.quoting import is_picture, quoted
from bot.memory.rows import files_of, message_of, storable, weight_of
from bot.memory.weights import reweigh
from bot.ports import TokenCounter

# Links stand behind all files a message can have.
_FIRST_LINK = 1_000
# How far before a question a file may stand that it speaks of without replying to it.
_NEAR = 20

_IS_PICTURE = attachments.c.media_type.like("image/%")


class Attachments:
    """What is enclosed with messages."""

    def __init__(self, database: Database, counter: TokenCounter) -> None:
        """`counter` must count as the inbox counts."""
        self._database = database
        self._counter = counter

    async def unread(self, turn: Turn) -> Sequence[Unread]:
        """
        Find what has to be read before a turn is answered, oldest first.

        That is files of the question, of the few messages before it and of the thread's first message,
        and the question's links. Of the question also what could not be read before: it may be now.
        """
        here = {"conversation": turn.conversation.id, "branching": branches(turn.conversation.channel)}
        rows = await self._database.run(_ENCLOSING, turn=turn.id, near=_NEAR, **here)
        known = await self._read_already([row["id"] for row in rows if row["files"]])
        found = []
        for row in rows:
            asks = row["turn_id"] == turn.id
            done = {place for place, useful in known.get(row["id"], ()) if useful or not asks}
            files = tuple(place for place in range(len(row["files"])) if place not in done)
            if files or (asks and "://" in row["text"]):
                found.append(Unread(row["id"], message_of(row, turn.conversation.channel), files, asks))
        return found

    async def keep(
        self, number: int, files: Mapping[int, Attachment], links: Sequence[Attachment] | None = None
    ) -> None:
        """
        Keep what was read of a message's files by their places, and of its links (None: as before).

        Its weight, and the counts behind it, move with it. Of a message that is withdrawn nothing is kept.
        """
        found = dict(files) | {_FIRST_LINK + place: link for place, link in enumerate(links or ())}
        weighed = await asyncio.to_thread(self._weighed, found)
        async with self._database.transaction() as connection:
            held = sa.select(messages.c.conversation_id).where(messages.c.id == number)
            conversation = await connection.scalar(held)
            await lock_conversations(connection, [conversation] if conversation else [])
            alive = sa.select(messages).where(messages.c.id == number, messages.c.withdrawn_at.is_(None))
            row = (await connection.execute(alive)).mappings().first()
            if row is None:
                return
            if links is not None:
                await connection.execute(_without_links(number))
            gone = await deleted_keys(connection, [key for one in weighed.values() for key in one.quotes])
            await _put(
                connection,
                number,
                {place: one for place, one in weighed.items() if gone.isdisjoint(one.quotes)},
            )
            words = weight_of(self._counter, row["author_name"], row["text"], files_of(row))
            enclosed = await enclosed_tokens(connection, number)
            await reweigh(connection, number, words + enclosed, told_anew=False)

    async def _read_already(self, numbers: Sequence[int]) -> dict[int, list[tuple[int, bool]]]:
        """Tell by message which places were read, and whether there was anything to read."""
        known: dict[int, list[tuple[int, bool]]] = {}
        for row in await self._database.run(_READ_ALREADY, numbers=list(numbers)) if numbers else ():
            known.setdefault(row["message_id"], []).append((row["ordinal"], row["useful"]))
        return known

    def _weighed(self, found: Mapping[int, Attachment]) -> dict[int, Attachment]:
        clean = {
            place: replace(one, name=storable(one.name), text=storable(one.text), note=storable(one.note))
            for place, one in found.items()
        }
        return {
            place: one if is_picture(one) else replace(one, tokens=self._counter.count(quoted(one)))
            for place, one in clean.items()
        }


async def enclosed_tokens(connection: AsyncConnection, message_id: int) -> int:
    """Count what is enclosed with a message and weighs; a picture does only where it is shown."""
    total = sa.select(sa.func.coalesce(sa.func.sum(attachments.c.tokens), 0))
    here = total.where(attachments.c.message_id == message_id, sa.not_(_IS_PICTURE))
    return int(await connection.scalar(here) or 0)


async def forget_files(connection: AsyncConnection, message_id: int) -> None:
    """Forget what was read of a message's files: some were taken away, and the others have new places."""
    of_files = (attachments.c.message_id == message_id) & (attachments.c.ordinal < _FIRST_LINK)
    await connection.execute(attachments.delete().where(of_files))


async def enclosed_with(run: Run, message_ids: Iterable[int]) -> dict[int, dict[int, Attachment]]:
    """Read what is enclosed with messages, by their numbers and its places; no picture's points yet."""
    numbers = list(message_ids)
    if not numbers:
        return {}
    enclosed: dict[int, dict[int, Attachment]] = {}
    for row in await run(_ENCLOSED, numbers=numbers):
        one = Attachment(row["name"], row["media_type"], row["text"], tokens=row["tokens"], note=row["note"])
        enclosed.setdefault(row["message_id"], {})[row["ordinal"]] = one
    return enclosed


async def pictures_of(run: Run, chosen: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Read pictures by their messages and places."""
    keys = list(chosen)
    if not keys:
        return {}
    rows = await run(_PICTURES, numbers=[key[0] for key in keys], places=[key[1] for key in keys])
    return {(row["message_id"], row["ordinal"]): row["picture"] for row in rows}


_ENCLOSED = """
SELECT message_id, ordinal, name, media_type, text, tokens, note
FROM attachments WHERE message_id = ANY(%(numbers)s) ORDER BY ordinal
"""

_PICTURES = """
SELECT message_id, ordinal, picture
FROM attachments JOIN unnest(%(numbers)s::bigint[], %(places)s::bigint[]) AS chosen (number, place)
    ON message_id = number AND ordinal = place
WHERE picture IS NOT NULL
"""

# The question, and the messages with files that it may speak of, each found by an index.
_ENCLOSING = """
WITH asked AS (
    SELECT id, position, parent_id FROM messages WHERE turn_id = %(turn)s
), perhaps AS (
    SELECT id FROM asked
    UNION SELECT parent_id FROM asked WHERE %(branching)s
    UNION (SELECT messages.id FROM messages
        WHERE conversation_id = %(conversation)s AND NOT %(branching)s
            AND position BETWEEN (SELECT min(position) FROM asked) - %(near)s
                AND (SELECT min(position) FROM asked))
    UNION (SELECT id FROM messages WHERE conversation_id = %(conversation)s AND NOT %(branching)s
        ORDER BY position LIMIT 1)
)
SELECT messages.* FROM messages
WHERE id IN (SELECT id FROM perhaps) AND NOT said AND withdrawn_at IS NULL
    AND (coalesce(turn_id = %(turn)s, false) OR files <> '[]')
ORDER BY position
"""

_READ_ALREADY = """
SELECT message_id, ordinal, text <> '' OR picture IS NOT NULL AS useful
FROM attachments WHERE message_id = ANY(%(numbers)s)
"""


async def _put(connection: AsyncConnection, number: int, found: Mapping[int, Attachment]) -> None:
    for place, one in found.items():
        values = {
            "name": one.name,
            "media_type": one.media_type,
            "text": one.text,
            "tokens": one.tokens,
            "picture": one.picture or None,
            "note": one.note,
            "quotes": list(one.quotes),
        }
        statement = insert(attachments).values(message_id=number, ordinal=place, **values)
        once = statement.on_conflict_do_update(index_elements=["message_id", "ordinal"], set_=values)
        await connection.execute(once)


def _without_links(number: int) -> sa.Delete:
    return attachments.delete().where(
        attachments.c.message_id == number, attachments.c.ordinal >= _FIRST_LINK
    )
