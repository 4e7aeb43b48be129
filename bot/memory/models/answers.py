"""Answers: turns, their posts, and what they cost."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bot.memory.models.columns import key, metadata, moment, number, number_of_its_own, of, text

_IS_OPEN = sa.text("state IN ('waiting', 'answering')")
_IS_UNTOLD = sa.text("state = 'waiting' AND queued_told_at IS NULL AND visible_at IS NULL")

turns = sa.Table(
    "turns",
    metadata,
    number_of_its_own(),
    of("conversations"),
    text("state", "waiting"),
    text("wanted", "answer"),
    text("asker_id"),
    text("tenant", ""),  # platform and workspace, by which turns share the workers
    number("revision", 0),
    number("epoch", 0),
    number("attempts", 0),
    moment("created_at", now=True),
    moment("wanted_at"),  # of one that is wanted otherwise since: when that was
    moment("started_at"),
    moment("queued_told_at"),
    moment("visible_at"),
    moment("finished_at"),
    text("model", ""),
    sa.Column("prompt_tokens", sa.BigInteger),
    sa.Column("completion_tokens", sa.BigInteger),
    sa.Column("cached_tokens", sa.BigInteger),
    sa.Column("reasoning_tokens", sa.BigInteger),
    sa.Column("cost", sa.Numeric(14, 8)),
    sa.Column("seconds", sa.Float),
    sa.Column("first_text_seconds", sa.Float),
    sa.Column("manifest", JSONB),
    text("error", ""),
    sa.CheckConstraint(
        "state IN ('waiting', 'answering', 'done', 'failed', 'stopped', 'withdrawn')", name="state"
    ),
    sa.CheckConstraint("wanted IN ('answer', 'stop', 'withdraw')", name="wanted"),
    sa.Index("turns_asker_id_index", "asker_id", sa.text("id DESC")),
    sa.Index("turns_conversation_id_id_index", "conversation_id", "id"),
    sa.Index(
        "turns_open_index",
        "conversation_id",
        "id",
        postgresql_where=_IS_OPEN,
    ),
    sa.Index("turns_tenant_index", "tenant", "id", postgresql_where=_IS_OPEN),
    sa.Index("turns_untold_index", "created_at", postgresql_where=_IS_UNTOLD),
    sa.Index("turns_poisoned_index", "id", postgresql_where=sa.text("error = 'poisoned'")),
    sa.Index("turns_prune_index", "finished_at", postgresql_where=sa.text("manifest IS NOT NULL")),
)

pieces = sa.Table(
    "pieces",
    metadata,
    number_of_its_own(),
    of("turns"),
    of("conversations"),
    number("ordinal"),
    text("state", "sending"),
    sa.Column("nonce", sa.Text, nullable=False, server_default=sa.text("substr(md5(random()::text), 1, 24)")),
    sa.Column("message_id", sa.Text),
    sa.Column("key", sa.Text),
    text("text", ""),
    number("epoch"),
    moment("recorded_at", now=True),
    moment("sent_at"),
    sa.CheckConstraint("state IN ('sending', 'sent', 'final', 'removed')", name="state"),
    sa.UniqueConstraint("turn_id", "ordinal"),
    sa.Index("pieces_key_index", "key", postgresql_where=sa.text("key IS NOT NULL")),
    sa.Index("pieces_conversation_id_index", "conversation_id"),
)

votes = sa.Table(
    "votes",
    metadata,
    of("turns", key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("up", sa.Boolean, nullable=False),
    text("reason", ""),
    moment("voted_at", now=True),
)

# What kept an answer from being posted, for `bot doctor`; one row a place, gone once a post succeeds.
troubles = sa.Table(
    "troubles",
    metadata,
    *key("platform", "workspace", "place"),
    text("kind"),
    text("reason"),
    number("times", 1),
    moment("last_at", now=True),
)

calibrations = sa.Table(
    "calibrations",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("factor", sa.Float, nullable=False),
    number("samples", 1),
    moment("updated_at", now=True),
)

spending = sa.Table(
    "spending",
    metadata,
    *key("platform", "workspace"),
    sa.Column("day", sa.Date, primary_key=True),
    number("tokens", 0),
    sa.Column("cost", sa.Numeric(14, 8), nullable=False, server_default="0"),
)
