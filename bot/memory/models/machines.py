"""Which processes are at work, and who holds what only one of them may hold."""

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
