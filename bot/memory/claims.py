"""The statements by which a turn is taken up and ended: one round trip, one commit, no lock held between."""

from __future__ import annotations

from dataclasses import asdict
from typing import LiteralString

from psycopg.types.json import Jsonb

from bot.dialogue import Answer, Message, Turn

# The conversation's row is locked first. A statement that waited for a lock looks again at the rows it
# changes, but chooses by what stood when it began: a turn that came meanwhile is not seen, and its own
# wake-up, which accept left under the same lock, takes it up.
CLAIM: LiteralString = """
WITH held AS (
    SELECT *, extract(epoch FROM lease_until - now())::float + %(call)s AS busy_for
    FROM conversations WHERE id = %(conversation)s FOR UPDATE
), mine AS (
    SELECT id, lease_epoch + 1 AS epoch FROM held WHERE busy_for IS NULL OR busy_for <= 0
), oldest AS (
    SELECT id, state FROM turns
    WHERE conversation_id = %(conversation)s AND state IN ('waiting', 'answering') ORDER BY id LIMIT 1
), taken AS (
    UPDATE turns SET state = 'answering', epoch = mine.epoch, attempts = attempts + 1,
        started_at = coalesce(started_at, now())
    FROM mine, oldest WHERE turns.state IN ('waiting', 'answering') AND turns.id = oldest.id
    RETURNING turns.id, turns.attempts, turns.started_at = now() AND oldest.state = 'waiting' AS fresh,
        oldest.state = 'answering' AS taken_over,
        extract(epoch FROM now() - coalesce(wanted_at, created_at))::float AS waited,
        extract(epoch FROM now() - started_at)::float AS tried_for
), leased AS (
    UPDATE conversations SET lease_epoch = mine.epoch, lease_until = (
        SELECT now() + make_interval(secs => %(seconds)s) WHERE EXISTS (SELECT FROM taken))
    FROM mine WHERE conversations.id = mine.id
)
SELECT held.*, taken.id AS turn_id, taken.attempts, taken.fresh, taken.waited, taken.taken_over,
    taken.tried_for, (
    SELECT language FROM workspaces
    WHERE platform = held.platform AND workspace = held.workspace) AS place_language
FROM held LEFT JOIN taken ON true
"""

# What is asked and what is wanted are read in one state, so that no message joins between the two.
QUESTION: LiteralString = """
SELECT messages.*, people.language, turns.revision AS wanted_revision, turns.wanted,
    turns.finished_at IS NOT NULL AS again
FROM turns JOIN messages ON messages.turn_id = turns.id AND NOT messages.said
LEFT JOIN people ON people.platform = %(platform)s AND people.person_id = messages.author_id
WHERE turns.id = %(turn)s ORDER BY messages.position
"""

# Nothing is written unless the turn is still its holder's, wanted as it was read, and never ended before.
FINISH: LiteralString = """
WITH held AS (
    SELECT id, last_position, total_tokens FROM conversations
    WHERE id = %(conversation)s AND lease_epoch = %(epoch)s FOR UPDATE
), ended AS (
    UPDATE turns SET state = %(state)s, finished_at = now(), model = %(model)s, error = %(error)s,
        prompt_tokens = %(prompt_tokens)s, completion_tokens = %(completion_tokens)s,
        cached_tokens = %(cached_tokens)s, reasoning_tokens = %(reasoning_tokens)s, cost = %(cost)s,
        seconds = %(seconds)s, first_text_seconds = %(first_text_seconds)s, manifest = %(manifest)s
    FROM held WHERE turns.id = %(turn)s AND turns.state = 'answering' AND turns.epoch = %(epoch)s
        AND turns.revision = %(revision)s AND turns.finished_at IS NULL
    RETURNING turns.id
), mine AS (
    SELECT held.* FROM held JOIN ended ON true
), said AS (
    INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
        author_name, said, text, tokens, encoding, sent_at, turn_id, parent_id)
    SELECT id, %(key)s, last_position + 1, total_tokens + %(tokens)s, %(platform_id)s, %(author_id)s,
        %(author_name)s, true, %(text)s, %(tokens)s, %(encoding)s, now(), %(turn)s,
        (SELECT max(id) FROM messages WHERE turn_id = %(turn)s AND NOT said)
    FROM mine WHERE %(text)s <> ''
    RETURNING id
), posts AS (
    UPDATE pieces SET state = 'final' FROM mine
    WHERE pieces.turn_id = %(turn)s AND pieces.state IN ('sending', 'sent')
), taken AS (
    UPDATE turns SET state = 'answering', epoch = %(epoch)s, attempts = attempts + 1,
        started_at = coalesce(started_at, now())
    FROM mine WHERE turns.state IN ('waiting', 'answering') AND turns.id = (
        SELECT id FROM turns WHERE conversation_id = %(conversation)s AND id <> %(turn)s
            AND state IN ('waiting', 'answering') ORDER BY id LIMIT 1)
    RETURNING turns.id, turns.attempts, turns.started_at = now() AS fresh,
        extract(epoch FROM now() - coalesce(wanted_at, created_at))::float AS waited,
        extract(epoch FROM now() - started_at)::float AS tried_for
), passed AS (
    UPDATE conversations SET
        last_position = mine.last_position + (SELECT count(*) FROM said),
        total_tokens = mine.total_tokens + %(tokens)s * (SELECT count(*) FROM said),
        last_at = CASE WHEN EXISTS (SELECT FROM said) THEN now() ELSE last_at END,
        lease_until = (SELECT now() + make_interval(secs => %(term)s) WHERE EXISTS (SELECT FROM taken))
    FROM mine WHERE conversations.id = mine.id
    RETURNING conversations.id
)
SELECT taken.id AS turn_id, taken.attempts, taken.fresh, taken.waited, false AS taken_over, taken.tried_for,
    pg_notify('frontdesk', 'conversation:' || passed.id)::text
FROM passed LEFT JOIN taken ON true
"""


# Not fenced: whoever has the turn now counts its own try, which this leaves alone.
FORGIVE: LiteralString = """
UPDATE turns SET attempts = greatest(attempts - 1, 0)
WHERE id = %(turn)s AND state IN ('waiting', 'answering') AND created_at > now() - interval '10 minutes'
"""


def finishing(turn: Turn, answer: Answer, said: Message) -> dict[str, object]:
    """Name what `FINISH` writes, but for what the answer weighs and how long the next lease is."""
    written = ending(answer)
    return written | {
        "conversation": turn.conversation.id,
        "turn": turn.id,
        "epoch": turn.epoch,
        "revision": turn.revision,
        "manifest": Jsonb(written["manifest"]),
        "key": said.key,
        "platform_id": said.id,
        "author_id": said.author.id,
        "author_name": said.author.name,
        "text": said.text,
    }


def ending(answer: Answer) -> dict[str, object]:
    """Make the columns of `turns` that tell how one ended."""
    usage = answer.usage
    return {
        "state": str(answer.outcome),
        "model": answer.model,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cost": answer.cost,
        "seconds": answer.seconds,
        "first_text_seconds": answer.first_text_seconds,
        "manifest": asdict(answer.manifest),
        "error": answer.error,
    }
