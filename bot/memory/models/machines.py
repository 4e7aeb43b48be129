"""Which processes are at work, who holds what only one may hold, and how far workspaces were heard."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from bot.memory.models.columns import key, metadata, moment, number, text

processes = sa.Table(
    "processes",
    metadata,
    *key("id"),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    text("version"),
    text("host"),
    number("pid"),
    moment("started_at", now=True),
    moment("beat_at", now=True),
)

# A Discord shard, a Slack socket, an IDENTIFY: whoever has the row has the right, until `held_until`.
seats = sa.Table(
    "seats",
    metadata,
    *key("kind"),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    text("holder"),
    number("epoch", 1),
    sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
)

# All that was written up to then was heard, or is being; a row with a place is of a gap that is being closed.
marks = sa.Table(
    "marks",
    metadata,
    *key("platform", "workspace", "place"),
    sa.Column("seen_until", sa.DateTime(timezone=True), nullable=False),
)
