"""The tables, as SQLAlchemy Core sees them; `docs/decisions/0001` and `0008` say what each is for."""

from bot.memory.models.answers import calibrations, pieces, spending, troubles, turns, votes
from bot.memory.models.columns import metadata
from bot.memory.models.installed import installations, oauth_states
from bot.memory.models.machines import marks, processes, seats
from bot.memory.models.talk import (
    IS_COPY,
    IS_QUOTE,
    attachments,
    conversations,
    deletions,
    eras,
    message_revisions,
    messages,
    people,
    rates,
    summary_blocks,
    workspaces,
)

__all__ = [
    "IS_COPY",
    "IS_QUOTE",
    "attachments",
    "calibrations",
    "conversations",
    "deletions",
    "eras",
    "installations",
    "marks",
    "message_revisions",
    "messages",
    "metadata",
    "oauth_states",
    "people",
    "pieces",
    "processes",
    "rates",
    "seats",
    "spending",
    "summary_blocks",
    "troubles",
    "turns",
    "votes",
    "workspaces",
]
