"""Reads the scene in a thread, right before a message comes, for whoever decides whom it is for."""

from __future__ import annotations

from psycopg.rows import DictRow

from bot.dialogue import Scene, Spoken
from bot.memory.direct import Run

_LINES = 8
_COMPANY_LINES = 100
_LINE_CHARACTERS = 500


async def read_scene(run: Run, conversation_id: int, *, quiet: bool) -> Scene:
    """
    Read a thread's newest lines, and count the people of its newest hundred.

    Both by the index on positions, so that the cost is the same in a thread of any length.
    """
    limits = {"lines": _LINES, "company": _COMPANY_LINES, "characters": _LINE_CHARACTERS}
    rows = await run(_SCENE, conversation=conversation_id, **limits)
    return Scene(tuple(_spoken(row) for row in rows), rows[0]["people"] if rows else 0, quiet)


_SCENE = """
SELECT author_id, author_name, left(text, %(characters)s) AS text, sent_at, said, mentions_others, turn_id,
    (SELECT asker_id FROM turns WHERE turns.id = lately.turn_id) AS answers,
    (SELECT count(DISTINCT author_id) FROM (
        SELECT author_id FROM messages
        WHERE conversation_id = %(conversation)s AND withdrawn_at IS NULL AND NOT said
        ORDER BY position DESC LIMIT %(company)s) AS company) AS people
FROM (
    SELECT * FROM messages WHERE conversation_id = %(conversation)s AND withdrawn_at IS NULL
    ORDER BY position DESC LIMIT %(lines)s) AS lately
ORDER BY position
"""


def _spoken(kept: DictRow) -> Spoken:
    return Spoken(
        kept["author_id"],
        kept["author_name"],
        kept["text"],
        kept["sent_at"],
        kept["said"],
        (kept["answers"] or "") if kept["said"] else "",
        kept["mentions_others"],
        asked=kept["turn_id"] is not None and not kept["said"],
    )
