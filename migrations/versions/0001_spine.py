"""The spine: the queue engine's own tables, then ours."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Nothing tells a waiting worker that a lock is free again, so the queue would find the next job of a
# conversation only when it polls.
_NOTIFY_WHEN_A_LOCK_FREES = """
CREATE FUNCTION frontdesk_lock_freed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
    PERFORM pg_notify('procrastinate_queue_v1#' || old.queue_name,
                      json_build_object('type', 'job_inserted', 'job_id', old.id)::text);
    RETURN NULL;
END $f$;
CREATE TRIGGER frontdesk_lock_freed_by_update AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (old.status = 'doing' AND new.status <> 'doing' AND old.lock IS NOT NULL)
    EXECUTE FUNCTION frontdesk_lock_freed();
CREATE TRIGGER frontdesk_lock_freed_by_delete AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW WHEN (old.status = 'doing' AND old.lock IS NOT NULL)
    EXECUTE FUNCTION frontdesk_lock_freed();
"""

# Each accepted message asks whether its conversation has a wake-up waiting.
_FIND_WAITING_LOCKS = """
CREATE INDEX frontdesk_waiting_lock_index ON procrastinate_jobs (lock) WHERE status = 'todo';
"""


def upgrade() -> None:
    """Go forward."""
    # The schema of the pinned procrastinate; when the pin moves, a revision of its own applies what changed.
    _run_as_it_is(SchemaManager.get_schema())
    _run_as_it_is(_NOTIFY_WHEN_A_LOCK_FREES)
    _run_as_it_is(_FIND_WAITING_LOCKS)
    _create_tables()


def _run_as_it_is(script: str) -> None:
    """Give a script with % and : in it to the driver, so that nothing in it is taken for a parameter."""
    cursor = op.get_bind().connection.cursor()
    try:
        cursor.execute(script)
    finally:
        cursor.close()


def _create_tables() -> None:
    op.create_table(
        "calibrations",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("factor", sa.Float(), nullable=False),
        sa.Column("samples", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("model", name=op.f("calibrations_pkey")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("branching", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("history_read", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("conversations_pkey")),
        sa.UniqueConstraint("key", name=op.f("conversations_key_key")),
    )
    op.create_index(
        "conversations_place_index",
        "conversations",
        ["platform", "workspace", "place", sa.literal_column("last_at DESC")],
        unique=False,
    )
    op.create_index(
        "conversations_platform_last_at_index",
        "conversations",
        ["platform", sa.literal_column("last_at DESC")],
        unique=False,
    )
    op.create_table(
        "eras",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "place", name=op.f("eras_pkey")),
    )
    op.create_table(
        "spending",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "day", name=op.f("spending_pkey")),
    )
    op.create_table(
        "summary_blocks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("last_message_id", sa.BigInteger(), nullable=False),
        sa.Column("covered_tokens", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("revisions", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revisions_told", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("folded_into", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("summary_blocks_conversation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["folded_into"],
            ["summary_blocks.id"],
            name=op.f("summary_blocks_folded_into_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("summary_blocks_pkey")),
    )
    op.create_index(
        "summary_blocks_conversation_id_index", "summary_blocks", ["conversation_id"], unique=False
    )
    op.create_index(
        "summary_blocks_live_index",
        "summary_blocks",
        ["conversation_id", "first_position"],
        unique=False,
        postgresql_where=sa.text("folded_into IS NULL"),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("asker_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visible_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=True),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("first_text_seconds", sa.Float(), nullable=True),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'answering', 'done', 'failed')", name=op.f("turns_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("turns_conversation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("turns_pkey")),
    )
    op.create_index("turns_conversation_id_id_index", "turns", ["conversation_id", "id"], unique=False)
    op.create_index(
        "turns_open_index",
        "turns",
        ["conversation_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'answering')"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("cumulative_tokens", sa.BigInteger(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_time_zone", sa.Text(), server_default="", nullable=False),
        sa.Column("author_locale", sa.Text(), server_default="", nullable=False),
        sa.Column("said", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reply_to", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_turn_id", sa.BigInteger(), nullable=True),
        sa.Column("turn_id", sa.BigInteger(), nullable=True),
        sa.Column("files", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("messages_conversation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name=op.f("messages_turn_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("messages_pkey")),
        sa.UniqueConstraint(
            "conversation_id", "position", name=op.f("messages_conversation_id_position_key")
        ),
        sa.UniqueConstraint("key", name=op.f("messages_key_key")),
    )
    op.create_index(
        "messages_cumulative_index", "messages", ["conversation_id", "cumulative_tokens"], unique=False
    )
    op.create_index("messages_turn_id_index", "messages", ["turn_id"], unique=False)
    op.create_index(
        "messages_copies_index",
        "messages",
        ["platform_id"],
        unique=False,
        postgresql_where=sa.text("strpos(key, '@') > 0"),
    )
    op.create_table(
        "pieces",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("turn_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="sending", nullable=False),
        sa.Column(
            "nonce", sa.Text(), server_default=sa.text("substr(md5(random()::text), 1, 24)"), nullable=False
        ),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('sending', 'sent', 'final', 'removed')", name=op.f("pieces_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("pieces_conversation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name=op.f("pieces_turn_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pieces_pkey")),
        sa.UniqueConstraint("turn_id", "ordinal", name=op.f("pieces_turn_id_ordinal_key")),
    )
    op.create_index(
        "pieces_key_index", "pieces", ["key"], unique=False, postgresql_where=sa.text("key IS NOT NULL")
    )
    op.create_table(
        "message_revisions",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("message_revisions_message_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "revision", name=op.f("message_revisions_pkey")),
    )
