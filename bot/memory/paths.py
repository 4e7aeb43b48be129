"""Reads the messages that lead to a question: a conversation's newest, or a reply chain's path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg.rows import DictRow

from bot.dialogue import Turn
from bot.memory.direct import Run
from bot.memory.rows import Row

# A reply chain longer than this is not walked to its root; nobody has seen one a tenth as long.
_LONGEST_CHAIN = 500


@dataclass(frozen=True, slots=True)
class Path:
    """
    What stands before a question, oldest first, bounded by the budget it was read with.

    `older` is what the messages before those weigh together, and `first` the position of the very first.
    `skipped` are positions in between that the turn may not read, the question's own among them. `walked`
    are all messages of a reply chain's path, also those that were deleted.
    """

    earlier: Sequence[Row]
    older: int
    first: int
    skipped: Sequence[int] = ()
    walked: frozenset[int] = frozenset()

    @property
    def end(self) -> int:
        """The position after the last of them."""
        return int(self.earlier[-1]["position"]) + 1 if self.earlier else self.first


async def newest_before(run: Run, turn: Turn, room: int) -> Path:
    """
    Read the newest messages before the question that weigh `room` tokens together, and one more.

    Not among them: the question, and messages of later turns or overheard later. They are found by the
    index on cumulative counts, so the cost does not grow with the history.
    """
    rows = await run(_NEWEST, conversation=turn.conversation.id, turn=turn.id, room=room)
    head = rows[0]
    if head["id"] is None:
        return Path((), 0, head["question"])
    aside = head["aside"] or []
    begin, oldest = head["begin"], rows[0]
    older = oldest["cumulative_tokens"] - oldest["tokens"] - head["weighed_before"]
    older -= sum(tokens for position, tokens in aside if begin < position < oldest["position"])
    return Path(rows, older, begin, [position for position, _ in aside])


async def chain_before(run: Run, turn: Turn) -> Path:
    """
    Read the path from the question to its reply chain's root.

    A reply to an answer leads to all of that answer's turn; a reply to a message to that message alone.
    """
    path = await _walk(run, _ASKED, turn=turn.id)
    rows = [row for row in path if row["turn_id"] != turn.id and row["withdrawn_at"] is None]
    walked = frozenset(row["id"] for row in path)
    return Path(rows, 0, rows[0]["position"] if rows else 0, walked=walked)


async def chain_to(run: Run, message_id: int) -> Sequence[DictRow]:
    """
    Read the path from the root of a reply chain to a message, all of its turn included, oldest first.

    What was deleted is a link of the chain still; whoever reads its text has to leave it out.
    """
    return await _walk(run, _TOGETHER, message=message_id)


async def _walk(run: Run, start: LiteralString, **given: object) -> Sequence[DictRow]:
    # In two statements: the length of a path cannot be guessed, and a wrong guess reads the whole table.
    numbers = [row["id"] for row in await run(start, longest=_LONGEST_CHAIN, **given)]
    return await run("SELECT * FROM messages WHERE id = ANY(%(numbers)s) ORDER BY position", numbers=numbers)


# What bounds a reading is put as one value, so that each is found by an index however long the history.
_NEWEST: LiteralString = """
WITH asked AS (
    SELECT min(position) AS first, max(position) AS last
    FROM messages WHERE turn_id = %(turn)s AND NOT said
), aside AS (
    SELECT position, tokens FROM messages
    WHERE conversation_id = %(conversation)s AND position >= (SELECT first FROM asked) AND NOT coalesce((
        turn_id < %(turn)s OR turn_id IS NULL AND position < (SELECT last FROM asked)
    ) AND withdrawn_at IS NULL, false)
), first_of_all AS (
    SELECT position, cumulative_tokens - tokens AS before FROM messages
    WHERE conversation_id = %(conversation)s AND withdrawn_at IS NULL
        AND (turn_id < %(turn)s OR turn_id IS NULL AND position < (SELECT last FROM asked))
    ORDER BY position LIMIT 1
), near AS (
    SELECT id, position, cumulative_tokens, tokens, turn_id, said, author_id, author_name, text, files
    FROM messages WHERE conversation_id = %(conversation)s AND withdrawn_at IS NULL
        AND (turn_id < %(turn)s OR turn_id IS NULL AND position < (SELECT last FROM asked))
        AND cumulative_tokens >= (
            SELECT total_tokens - coalesce((SELECT sum(tokens) FROM aside), 0)::bigint - %(room)s
            FROM conversations WHERE id = %(conversation)s)
)
SELECT near.*, asked.first AS question, first_of_all.position AS begin,
    first_of_all.before AS weighed_before,
    (SELECT jsonb_agg(jsonb_build_array(position, tokens) ORDER BY position) FROM aside) AS aside
FROM asked LEFT JOIN near ON true LEFT JOIN first_of_all ON true ORDER BY near.cumulative_tokens
"""

# What was said hangs at its turn, whose messages are all there already.
_WALK: LiteralString = """
WITH RECURSIVE path AS (
    SELECT id, CASE WHEN said AND turn_id IS NOT NULL THEN NULL ELSE parent_id END AS parent_id,
        parent_turn_id, 0 AS depth
    FROM messages WHERE {start}
  UNION
    SELECT above.id, CASE WHEN above.said AND above.turn_id IS NOT NULL THEN NULL ELSE above.parent_id END,
        above.parent_turn_id, path.depth + 1
    FROM path JOIN messages AS above ON above.id = path.parent_id OR above.turn_id = path.parent_turn_id
    WHERE path.depth < %(longest)s
)
SELECT DISTINCT id FROM path
"""
_ASKED: LiteralString = _WALK.replace("{start}", "turn_id = %(turn)s AND NOT said")
_TOGETHER: LiteralString = _WALK.replace(
    "{start}",
    "id = %(message)s OR turn_id = (SELECT turn_id FROM messages WHERE id = %(message)s)",
)
