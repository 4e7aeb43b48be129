"""A new message comes in: where it belongs, and the one statement that keeps it with its turn and wake-up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from bot.dialogue import ChannelKind, Message, Platform
from bot.memory.direct import Run
from bot.memory.fairness import MOST_BEHIND
from bot.memory.limits import Limits, counted_as
from bot.memory.places import branches, key_of, lock_name
from bot.memory.rows import row_of


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What stands where a message comes to: it itself, if it came before, else its conversation, locked.

    `conversation` is None where there is none. `parent` and `parent_turn` are what it replies to in a reply
    chain. `left_at` is when the bot was removed from the workspace.
    """

    known: DictRow | None = None
    conversation: int | None = None
    quiet: bool = False
    left_at: datetime | None = None
    parent: int | None = None
    parent_turn: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What became of a message: False of `once` or `alive` have all that was written undone.

    `limited` is kept, but not answered: more was asked in this minute than the limits allow.
    """

    once: bool
    alive: bool
    joined: bool
    limited: bool


async def look(run: Run, message: Message, *, create: bool) -> Seen:
    """
    Find where a message belongs, and lock it; with `create` its conversation is made where there is none.

    A direct channel's conversation carries the number of its `/new`. In a reply chain it is the one of the
    message replied to, where that is known; else the chain is named after the oldest message seen. The
    lock on the place is waited for first, so that a deletion that came before is seen from then on.
    """
    channel = message.channel
    stem = f"{channel.platform}:{channel.workspace}:{channel.id}"
    key, root, parent, parent_turn = await _place(run, message, stem)
    here = {"platform": channel.platform, "workspace": channel.workspace, "channel": channel.id}
    given = here | {"place": lock_name(channel), "key": message.key, "conversation": key, "stem": stem}
    row = (await run(_LOOK, **given))[0]
    if row["known"]:
        return Seen(known=row)
    number, quiet = row["id"], row["quiet"]
    if number is None and create:
        made = (await run(_OPEN, **here, **_new(message, row["found_key"], root)))[0]
        number, quiet = made["id"], made["quiet"]
    return Seen(None, number, bool(quiet), row["left_at"], parent, parent_turn)


async def keep(
    run: Run, message: Message, seen: Seen, weight: tuple[int, str], limits: Limits, *, answered: bool
) -> Kept:
    """
    Keep a message in its locked conversation; `answered`: with a turn, its author's unseen one if any.

    `weight` is its tokens and the encoding they are counted in.
    """
    tokens, encoding = weight
    person, channel = counted_as(message)
    row = row_of(message, seen.conversation or 0, 0, 0, tokens, encoding)
    lock, args = f"answer:{seen.conversation}", {"conversation_id": seen.conversation}
    given = row | {
        "files": Jsonb([asdict(file) for file in message.files]),
        "parent_id": seen.parent,
        "parent_turn_id": seen.parent_turn,
        "wanted": answered,
        "tenant": message.channel.tenant,
        "person": person,
        "person_limit": limits.person,
        "channel": channel,
        "channel_limit": limits.channel,
        "most": MOST_BEHIND,
        "queue": message.channel.platform,
        "lock": lock,
        "args": Jsonb(args),
    }
    found = (await run(_KEEP, **given))[0]
    return Kept(found["once"], found["alive"], found["joined"], answered and not found["answered"])


async def _place(run: Run, message: Message, stem: str) -> tuple[str | None, str, int | None, int | None]:
    """Name the conversation's key (None: the direct channel's newest), its root, and what is replied to."""
    channel = message.channel
    if not branches(channel):
        direct = channel.kind is ChannelKind.DIRECT and not channel.root
        return None if direct else f"{stem}:{channel.root}", channel.root, None, None
    if not message.reply_to:
        return f"{stem}:{message.id}", message.id, None, None
    rows = await run(_REPLIED, key=key_of(channel, message.reply_to))
    if not rows:
        return f"{stem}:{message.reply_to}", message.reply_to, None, None
    return rows[0]["key"], rows[0]["root"], rows[0]["parent"], rows[0]["parent_turn"]


def _new(message: Message, key: str, root: str) -> dict[str, object]:
    channel = message.channel
    return {
        "key": key,
        "root": root,
        "kind": channel.kind,
        "name": channel.name,
        "parent": channel.parent,
        "branching": branches(channel),
        "history_read": not _may_have_history(message),
    }


def _may_have_history(message: Message) -> bool:
    """Say whether something may stand in the thread before the message that the bot has not seen."""
    channel = message.channel
    if channel.platform in {Platform.WEB, Platform.CONSOLE}:
        return False
    if branches(channel):
        return bool(message.reply_to)
    if channel.platform is Platform.DISCORD:
        return channel.kind is ChannelKind.THREAD
    return bool(channel.root) and channel.root != message.id


_REPLIED: LiteralString = """
SELECT conversations.key, root, messages.id AS parent, NULL::bigint AS parent_turn
FROM conversations JOIN messages ON messages.conversation_id = conversations.id
WHERE messages.key = %(key)s
UNION ALL
SELECT conversations.key, root, NULL, pieces.turn_id
FROM conversations JOIN pieces ON pieces.conversation_id = conversations.id
WHERE pieces.key = %(key)s
LIMIT 1
"""

_LOOK: LiteralString = """
WITH placed AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtextextended(%(place)s, 0))
), known AS (
    SELECT turn_id, said, limited, withdrawn_at FROM messages WHERE key = %(key)s
), named AS (
    SELECT coalesce(%(conversation)s, %(stem)s || ':new' || coalesce((
        SELECT number FROM eras
        WHERE platform = %(platform)s AND workspace = %(workspace)s AND place = %(channel)s), 0)) AS key
), held AS (
    SELECT id, quiet_at IS NOT NULL AS quiet FROM placed, conversations
    WHERE key = (SELECT key FROM named) AND NOT EXISTS (SELECT FROM known)
    FOR UPDATE OF conversations
)
SELECT EXISTS (SELECT FROM known) AS known, known.*, held.*, named.key AS found_key, (
    SELECT left_at FROM workspaces WHERE platform = %(platform)s AND workspace = %(workspace)s) AS left_at
FROM placed CROSS JOIN named LEFT JOIN known ON true LEFT JOIN held ON true
"""

# The update of nothing locks a row that somebody made meanwhile.
_OPEN: LiteralString = """
INSERT INTO conversations (key, platform, workspace, place, root, kind, name, parent, branching, history_read)
VALUES (%(key)s, %(platform)s, %(workspace)s, %(channel)s, %(root)s, %(kind)s, %(name)s, %(parent)s,
        %(branching)s, %(history_read)s)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING id, quiet_at IS NOT NULL AS quiet
"""

# The person is counted before the channel, always, so that two messages cannot wait for each other in a
# ring; who is over their own limit does not use up the channel's.
_KEEP: LiteralString = """
WITH clock AS (
    SELECT floor(extract(epoch FROM now()) / 60)::bigint AS minute
), person AS (
    INSERT INTO rates AS known (key, minute) SELECT %(person)s, minute FROM clock
    WHERE %(wanted)s AND %(person_limit)s > 0
    ON CONFLICT (key) DO UPDATE SET minute = excluded.minute,
        count = CASE WHEN known.minute = excluded.minute THEN known.count + 1 ELSE 1 END
    RETURNING count <= %(person_limit)s AS within
), channel AS (
    INSERT INTO rates AS known (key, minute) SELECT %(channel)s, minute FROM clock
    WHERE %(wanted)s AND %(channel_limit)s > 0 AND coalesce((SELECT within FROM person), true)
    ON CONFLICT (key) DO UPDATE SET minute = excluded.minute,
        count = CASE WHEN known.minute = excluded.minute THEN known.count + 1 ELSE 1 END
    RETURNING count <= %(channel_limit)s AS within
), allowed AS MATERIALIZED (
    SELECT %(wanted)s AND coalesce((SELECT within FROM person), true)
        AND coalesce((SELECT within FROM channel), true) AS answered
), counted AS (
    UPDATE conversations
    SET last_position = last_position + 1, total_tokens = total_tokens + %(tokens)s, last_at = now()
    WHERE id = %(conversation_id)s AND NOT EXISTS (SELECT FROM deletions WHERE key = %(key)s)
    RETURNING last_position, total_tokens
), joined AS (
    UPDATE turns SET revision = revision + 1 FROM counted WHERE turns.id = (
        SELECT id FROM turns
        WHERE conversation_id = %(conversation_id)s AND state IN ('waiting', 'answering')
            AND wanted = 'answer' AND visible_at IS NULL AND asker_id = %(author_id)s
            AND (SELECT answered FROM allowed)
        ORDER BY id DESC LIMIT 1)
    RETURNING turns.id
), opened AS (
    INSERT INTO turns (conversation_id, asker_id, tenant)
    SELECT %(conversation_id)s, %(author_id)s, %(tenant)s FROM counted, allowed
    WHERE answered AND NOT EXISTS (SELECT FROM joined)
    RETURNING id
), kept AS (
    INSERT INTO messages (conversation_id, key, position, cumulative_tokens, platform_id, author_id,
        author_name, author_time_zone, author_locale, said, mentions_others, text, tokens, encoding,
        reply_to, files, sent_at, edited_at, parent_id, parent_turn_id, turn_id, limited)
    SELECT %(conversation_id)s, %(key)s, last_position, total_tokens, %(platform_id)s, %(author_id)s,
        %(author_name)s, %(author_time_zone)s, %(author_locale)s, %(said)s, %(mentions_others)s, %(text)s,
        %(tokens)s, %(encoding)s, %(reply_to)s, %(files)s, %(sent_at)s, %(edited_at)s::timestamptz,
        %(parent_id)s::bigint, %(parent_turn_id)s::bigint,
        (SELECT id FROM joined UNION ALL SELECT id FROM opened), %(wanted)s AND NOT answered
    FROM counted, allowed ON CONFLICT (key) DO NOTHING
    RETURNING id
)
SELECT EXISTS (SELECT FROM counted) AS alive, EXISTS (SELECT FROM kept) AS once,
    EXISTS (SELECT FROM joined) AS joined, allowed.answered,
    pg_notify('frontdesk', 'conversation:' || %(conversation_id)s),
    (SELECT pg_notify('frontdesk', 'turn:' || id) FROM joined),
    (SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        %(queue)s::text, 'answer', -(SELECT count(*) FROM (
            SELECT FROM turns WHERE tenant = %(tenant)s AND state IN ('waiting', 'answering')
            LIMIT %(most)s) AS before),
        %(lock)s::text, NULL, %(args)s, NULL)::procrastinate_job_to_defer_v1])
     WHERE allowed.answered AND NOT EXISTS (
        SELECT FROM procrastinate_jobs WHERE lock = %(lock)s::text AND status = 'todo'))
FROM allowed
"""
