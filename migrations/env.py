"""Alembic's door: runs the revisions on the connection that `bot.memory.migrations` hands in."""

from alembic import context
from sqlalchemy import Connection

from bot.memory.models import metadata


def _ours(_object: object, name: str | None, *_rest: object) -> bool:
    """Leave the queue engine's own tables out of the comparison."""
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate_"))


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, include_object=_ours)
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
