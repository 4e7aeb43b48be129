"""What was heard, where, and by whom."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from bot.memory.models.columns import flag, key, metadata, moment, number, number_of_its_own, of, text

# A message that another conversation has already is kept once more, under `<its key>@<conversation>`.
IS_COPY = sa.text("strpos(key, '@') > 0")
IS_QUOTE = sa.text("quotes <> '{}'")

conversations = sa.Table(
    "conversations",
    metadata,
    number_of_its_own(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    text("platform"),
    text("workspace"),
    text("place"),
    text("root", ""),
    text("kind"),
    text("name", ""),
    text("parent", ""),
    flag("branching"),
    sa.Column("history_read", sa.Boolean, nullable=False, server_default=sa.true()),
    number("last_position", 0),
    number("total_tokens", 0),
    number("lease_epoch", 0),
    moment("lease_until"),
    moment("quiet_at"),
    moment("created_at", now=True),
    moment("last_at", now=True),
    sa.Index("conversations_platform_last_at_index", "platform", sa.text("last_at DESC")),
    sa.Index("conversations_place_index", "platform", "workspace", "place", sa.text("last_at DESC")),
)

eras = sa.Table(
    "eras",
    metadata,
    *key("platform", "workspace", "place"),
    number("number", 0),
    moment("began_at", now=True),
)

messages = sa.Table(
    "messages",
    metadata,
    number_of_its_own(),
    of("conversations"),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    number("position"),
    number("cumulative_tokens"),
    text("platform_id"),
    text("author_id"),
    text("author_name"),
    text("author_time_zone", ""),
    text("author_locale", ""),
    flag("said"),
    flag("mentions_others"),
    flag("limited"),
    text("text"),
    number("tokens"),
    text("encoding"),
    number("revision", 0),
    text("reply_to", ""),
    sa.Column("parent_id", sa.BigInteger),
    sa.Column("parent_turn_id", sa.BigInteger),
    of("turns", null=True),
    sa.Column("files", JSONB, nullable=False, server_default="[]"),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
    moment("accepted_at", now=True),
    moment("edited_at"),
    moment("withdrawn_at"),
    moment("erase_at"),
    sa.UniqueConstraint("conversation_id", "position"),
    sa.Index("messages_cumulative_index", "conversation_id", "cumulative_tokens"),
    sa.Index("messages_turn_id_index", "turn_id"),
    sa.Index("messages_copies_index", "platform_id", postgresql_where=IS_COPY),
    sa.Index("messages_erase_index", "erase_at", postgresql_where=sa.text("erase_at IS NOT NULL")),
)

message_revisions = sa.Table(
    "message_revisions",
    metadata,
    of("messages", key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    text("text"),
    moment("replaced_at", now=True),
    sa.Index("message_revisions_replaced_at_index", "replaced_at"),
)

# Deleted before it came: a later delivery of it is not heard. Swept after a day.
deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    moment("deleted_at", now=True),
    sa.Index("deletions_deleted_at_index", "deleted_at"),
)

# What was read of a message's file: its text, or a picture made small; `note` is why nothing was.
attachments = sa.Table(
    "attachments",
    metadata,
    of("messages", key=True),
    sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    text("name"),
    text("media_type", ""),
    text("text", ""),
    number("tokens", 0),
    sa.Column("picture", sa.LargeBinary),
    text("note", ""),
    sa.Column("quotes", ARRAY(sa.Text), nullable=False, server_default="{}"),
    moment("read_at", now=True),
    sa.Index("attachments_quotes_index", "quotes", postgresql_using="gin", postgresql_where=IS_QUOTE),
    sa.Index("attachments_prune_index", "read_at", postgresql_where=sa.text("picture IS NOT NULL")),
)

summary_blocks = sa.Table(
    "summary_blocks",
    metadata,
    number_of_its_own(),
    of("conversations"),
    number("level", 0),
    number("first_position"),
    number("last_position"),
    number("last_message_id"),
    number("covered_tokens"),
    number("version", 1),
    number("revisions", 0),
    number("revisions_told", 0),
    text("text"),
    number("tokens"),
    sa.Column("folded_into", sa.BigInteger, sa.ForeignKey("summary_blocks.id", ondelete="SET NULL")),
    moment("created_at", now=True),
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

people = sa.Table(
    "people",
    metadata,
    *key("platform", "person_id"),
    text("language", ""),
)

workspaces = sa.Table(
    "workspaces",
    metadata,
    *key("platform", "workspace"),
    text("answers", ""),
    text("language", ""),
    moment("left_at"),
)

# How much a person or a channel asked in this minute; a row that is past is begun anew, an old one swept.
rates = sa.Table(
    "rates",
    metadata,
    *key("key"),
    number("minute"),
    number("count", 1),
    number("told_minute", 0),
)
