"""Where the bot is installed, and which invitations were used."""

from __future__ import annotations

import sqlalchemy as sa

from bot.memory.models.columns import key, metadata, moment, text

# `token` is encrypted before it comes here.
installations = sa.Table(
    "installations",
    metadata,
    *key("platform", "workspace"),
    text("name", ""),
    text("token"),
    text("user_id"),
    text("bot_id", ""),
    text("bot_name", ""),
    text("url", ""),
    moment("installed_at", now=True),
)

# An OAuth state is written down when it is used, so that it is used once. Swept after a day.
oauth_states = sa.Table(
    "oauth_states",
    metadata,
    *key("state"),
    moment("used_at", now=True),
    sa.Index("oauth_states_used_at_index", "used_at"),
)
