"""The tables, as SQLAlchemy Core sees them; `docs/decisions/0001-the-spine.md` says what each is for."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=default)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _number(name: str, default: int | None = None) -> sa.Column[int]:
    shown = None if default is None else str(default)
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=shown)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _of(table: str, *, null: bool = False, key: bool = False) -> sa.Column[int]:
    name, parent = f"{table[:-1]}_id", sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.BigInteger, parent, nullable=null, primary_key=key, autoincrement=False)


# A message that another conversation has already is kept once more, under `<its key>@<conversation>`.
IS_COPY = sa.text("strpos(key, '@') > 0")
IS_QUOTE = sa.text("quotes <> '{}'")

conversations = sa.Table(
    "conversations",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _text("platform"),
    _text("workspace"),
    _text("place"),
    _text("root", ""),
    _text("kind"),
    _text("name", ""),
    _text("parent", ""),
    _flag("branching"),
    sa.Column("history_read", sa.Boolean, nullable=False, server_default=sa.true()),
    _number("last_position", 0),
    _number("total_tokens", 0),
    _number("lease_epoch", 0),
    _moment("lease_until"),
    _moment("quiet_at"),
    _moment("created_at", now=True),
    _moment("last_at", now=True),
    sa.Index("conversations_platform_last_at_index", "platform", sa.text("last_at DESC")),
    sa.Index("conversations_place_index", "platform", "workspace", "place", sa.text("last_at DESC")),
)

eras = sa.Table(
    "eras",
    metadata,
    *_key("platform", "workspace", "place"),
    _number("number", 0),
    _moment("began_at", now=True),
)

turns = sa.Table(
    "turns",
    metadata,
    _id(),
    _of("conversations"),
    _text("state", "waiting"),
    _text("wanted", "answer"),
    _text("asker_id"),
    _number("revision", 0),
    _number("epoch", 0),
    _number("attempts", 0),
    _moment("created_at", now=True),
    _moment("started_at"),
    _moment("visible_at"),
    _moment("finished_at"),
    _text("model", ""),
    sa.Column("prompt_tokens", sa.BigInteger),
    sa.Column("completion_tokens", sa.BigInteger),
    sa.Column("cached_tokens", sa.BigInteger),
    sa.Column("reasoning_tokens", sa.BigInteger),
    sa.Column("cost", sa.Numeric(14, 8)),
    sa.Column("seconds", sa.Float),
    sa.Column("first_text_seconds", sa.Float),
    sa.Column("manifest", JSONB),
    _text("error", ""),
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
        postgresql_where=sa.text("state IN ('waiting', 'answering')"),
    ),
)

messages = sa.Table(
    "messages",
    metadata,
    _id(),
    _of("conversations"),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    _number("position"),
    _number("cumulative_tokens"),
    _text("platform_id"),
    _text("author_id"),
    _text("author_name"),
    _text("author_time_zone", ""),
    _text("author_locale", ""),
    _flag("said"),
    _flag("mentions_others"),
    _text("text"),
    _number("tokens"),
    _text("encoding"),
    _number("revision", 0),
    _text("reply_to", ""),
    sa.Column("parent_id", sa.BigInteger),
    sa.Column("parent_turn_id", sa.BigInteger),
    _of("turns", null=True),
    sa.Column("files", JSONB, nullable=False, server_default="[]"),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
    _moment("accepted_at", now=True),
    _moment("edited_at"),
    _moment("withdrawn_at"),
    _moment("erase_at"),
    sa.UniqueConstraint("conversation_id", "position"),
    sa.Index("messages_cumulative_index", "conversation_id", "cumulative_tokens"),
    sa.Index("messages_turn_id_index", "turn_id"),
    sa.Index("messages_copies_index", "platform_id", postgresql_where=IS_COPY),
    sa.Index("messages_erase_index", "erase_at", postgresql_where=sa.text("erase_at IS NOT NULL")),
)

message_revisions = sa.Table(
    "message_revisions",
    metadata,
    _of("messages", key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    _text("text"),
    _moment("replaced_at", now=True),
)

# Deleted before it came: a later delivery of it is not heard. Swept after a day.
deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    _moment("deleted_at", now=True),
    sa.Index("deletions_deleted_at_index", "deleted_at"),
)

# What was read of a message's file: its text, or a picture made small; `note` is why nothing was.
attachments = sa.Table(
    "attachments",
    metadata,
    _of("messages", key=True),
    sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("name"),
    _text("media_type", ""),
    _text("text", ""),
    _number("tokens", 0),
    sa.Column("picture", sa.LargeBinary),
    _text("note", ""),
    sa.Column("quotes", ARRAY(sa.Text), nullable=False, server_default="{}"),
    _moment("read_at", now=True),
    sa.Index("attachments_quotes_index", "quotes", postgresql_using="gin", postgresql_where=IS_QUOTE),
)

votes = sa.Table(
    "votes",
    metadata,
    _of("turns", key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("up", sa.Boolean, nullable=False),
    _text("reason", ""),
    _moment("voted_at", now=True),
)

people = sa.Table(
    "people",
    metadata,
    *_key("platform", "person_id"),
    _text("language", ""),
)

workspaces = sa.Table(
    "workspaces",
    metadata,
    *_key("platform", "workspace"),
    _text("answers", ""),
    _text("language", ""),
    _moment("left_at"),
)

# What kept an answer from being posted, for `bot doctor`; one row a place, gone once a post succeeds.
troubles = sa.Table(
    "troubles",
    metadata,
    *_key("platform", "workspace", "place"),
    _text("kind"),
    _text("reason"),
    _number("times", 1),
    _moment("last_at", now=True),
)

pieces = sa.Table(
    "pieces",
    metadata,
    _id(),
    _of("turns"),
    _of("conversations"),
    _number("ordinal"),
    _text("state", "sending"),
    sa.Column("nonce", sa.Text, nullable=False, server_default=sa.text("substr(md5(random()::text), 1, 24)")),
    sa.Column("message_id", sa.Text),
    sa.Column("key", sa.Text),
    _text("text", ""),
    _number("epoch"),
    _moment("recorded_at", now=True),
    _moment("sent_at"),
    sa.CheckConstraint("state IN ('sending', 'sent', 'final', 'removed')", name="state"),
    sa.UniqueConstraint("turn_id", "ordinal"),
    sa.Index("pieces_key_index", "key", postgresql_where=sa.text("key IS NOT NULL")),
    sa.Index("pieces_conversation_id_index", "conversation_id"),
)

summary_blocks = sa.Table(
    "summary_blocks",
    metadata,
    _id(),
    _of("conversations"),
    _number("level", 0),
    _number("first_position"),
    _number("last_position"),
    _number("last_message_id"),
    _number("covered_tokens"),
    _number("version", 1),
    _number("revisions", 0),
    _number("revisions_told", 0),
    _text("text"),
    _number("tokens"),
    sa.Column("folded_into", sa.BigInteger, sa.ForeignKey("summary_blocks.id", ondelete="SET NULL")),
    _moment("created_at", now=True),
    sa.Index("summary_blocks_conversation_id_index", "conversation_id"),
    sa.Index(
        "summary_blocks_folded_into_index", "folded_into", postgresql_where=sa.text("folded_into IS NOT NULL")
    ),
    sa.Index(
        "summary_blocks_live_index",
        "conversation_id",
        "first_position",
        postgresql_where=sa.text("folded_into IS NULL"),
    ),
)

calibrations = sa.Table(
    "calibrations",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("factor", sa.Float, nullable=False),
    _number("samples", 1),
    _moment("updated_at", now=True),
)

spending = sa.Table(
    "spending",
    metadata,
    *_key("platform", "workspace"),
    sa.Column("day", sa.Date, primary_key=True),
    _number("tokens", 0),
    sa.Column("cost", sa.Numeric(14, 8), nullable=False, server_default="0"),
)
