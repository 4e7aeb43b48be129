"""Both platforms whole: what people ask for, take away, attach and choose."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_STATES = "state IN ('waiting', 'answering', 'done', 'failed', 'stopped', 'withdrawn')"
_EARLIER_STATES = "state IN ('waiting', 'answering', 'done', 'failed')"
_WANTED = "wanted IN ('answer', 'stop', 'withdraw')"

# The names of files become objects that also say what they are and where to fetch them.
_FILES = """
ALTER TABLE messages ALTER COLUMN files DROP DEFAULT;
CREATE FUNCTION frontdesk_files(names text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $f$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', name)), '[]') FROM unnest(names) AS name
$f$;
ALTER TABLE messages ALTER COLUMN files TYPE jsonb USING frontdesk_files(files);
DROP FUNCTION frontdesk_files(text[]);
ALTER TABLE messages ALTER COLUMN files SET DEFAULT '[]';
"""
_NAMES = """
ALTER TABLE messages ALTER COLUMN files DROP DEFAULT;
CREATE FUNCTION frontdesk_names(files jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $f$
    SELECT coalesce(array_agg(file ->> 'name'), '{}') FROM jsonb_array_elements(files) AS file
$f$;
ALTER TABLE messages ALTER COLUMN files TYPE text[] USING frontdesk_names(files);
DROP FUNCTION frontdesk_names(jsonb);
ALTER TABLE messages ALTER COLUMN files SET DEFAULT '{}';
"""


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    kind = sa.DateTime(timezone=True)
    return sa.Column(name, kind, nullable=not now, server_default=sa.text("now()") if now else None)


def upgrade() -> None:
    """Go forward."""
    op.execute(_FILES)
    op.add_column("spending", sa.Column("cost", sa.Numeric(14, 8), nullable=False, server_default="0"))
    op.add_column("conversations", _moment("quiet_at"))
    op.add_column("conversations", _text("parent", ""))
    op.add_column(
        "messages", sa.Column("mentions_others", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("messages", _moment("withdrawn_at"))
    op.add_column("messages", _moment("erase_at"))
    op.create_index(
        "messages_erase_index", "messages", ["erase_at"], postgresql_where=sa.text("erase_at IS NOT NULL")
    )
    op.create_index("pieces_conversation_id_index", "pieces", ["conversation_id"])
    folded = sa.text("folded_into IS NOT NULL")
    op.create_index(
        "summary_blocks_folded_into_index", "summary_blocks", ["folded_into"], postgresql_where=folded
    )
    _widen_turns()
    _create_tables()


def _widen_turns() -> None:
    op.add_column("turns", _text("wanted", "answer"))
    op.add_column("turns", sa.Column("cached_tokens", sa.BigInteger()))
    op.add_column("turns", sa.Column("reasoning_tokens", sa.BigInteger()))
    op.add_column("turns", sa.Column("cost", sa.Numeric(14, 8)))
    op.drop_constraint(op.f("turns_state_check"), "turns")
    op.create_check_constraint(op.f("turns_state_check"), "turns", _STATES)
    op.create_check_constraint(op.f("turns_wanted_check"), "turns", _WANTED)
    op.create_index("turns_asker_id_index", "turns", ["asker_id", sa.text("id DESC")])


def _create_tables() -> None:
    op.create_table(
        "deletions",
        sa.Column("key", sa.Text(), nullable=False),
        _moment("deleted_at", now=True),
        sa.PrimaryKeyConstraint("key", name=op.f("deletions_pkey")),
    )
    op.create_index(op.f("deletions_deleted_at_index"), "deletions", ["deleted_at"])
    op.create_table(
        "attachments",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("name"),
        _text("media_type", ""),
        _text("text", ""),
        sa.Column("tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("picture", sa.LargeBinary()),
        _text("note", ""),
        sa.Column("quotes", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        _moment("read_at", now=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("attachments_message_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "ordinal", name=op.f("attachments_pkey")),
    )
    quoting = sa.text("quotes <> '{}'")
    op.create_index(
        "attachments_quotes_index",
        "attachments",
        ["quotes"],
        postgresql_using="gin",
        postgresql_where=quoting,
    )
    op.create_table(
        "votes",
        sa.Column("turn_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        _text("reason", ""),
        _moment("voted_at", now=True),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name=op.f("votes_turn_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("turn_id", "person_id", name=op.f("votes_pkey")),
    )
    op.create_table(
        "people",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        _text("language", ""),
        sa.PrimaryKeyConstraint("platform", "person_id", name=op.f("people_pkey")),
    )
    op.create_table(
        "workspaces",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        _text("answers", ""),
        _text("language", ""),
        _moment("left_at"),
        sa.PrimaryKeyConstraint("platform", "workspace", name=op.f("workspaces_pkey")),
    )
    op.create_table(
        "troubles",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        _text("kind"),
        _text("reason"),
        sa.Column("times", sa.BigInteger(), nullable=False, server_default="1"),
        _moment("last_at", now=True),
        sa.PrimaryKeyConstraint("platform", "workspace", "place", name=op.f("troubles_pkey")),
    )


def downgrade() -> None:
    """Go back; what was withdrawn, voted, chosen and attached is lost."""
    for table in ("troubles", "workspaces", "people", "votes", "attachments", "deletions"):
        op.drop_table(table)
    op.drop_index("turns_asker_id_index", "turns")
    op.drop_constraint(op.f("turns_wanted_check"), "turns")
    op.execute("UPDATE turns SET state = 'done' WHERE state IN ('stopped', 'withdrawn')")
    op.drop_constraint(op.f("turns_state_check"), "turns")
    op.create_check_constraint(op.f("turns_state_check"), "turns", _EARLIER_STATES)
    op.drop_column("spending", "cost")
    for column in ("cost", "reasoning_tokens", "cached_tokens", "wanted"):
        op.drop_column("turns", column)
    op.drop_index("summary_blocks_folded_into_index", "summary_blocks")
    op.drop_index("pieces_conversation_id_index", "pieces")
    op.drop_index("messages_erase_index", "messages")
    op.drop_column("messages", "erase_at")
    op.drop_column("messages", "withdrawn_at")
    op.drop_column("messages", "mentions_others")
    op.drop_column("conversations", "parent")
    op.drop_column("conversations", "quiet_at")
    op.execute(_NAMES)
