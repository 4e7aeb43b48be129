"""Alembic's door: runs the revisions, each by itself, on the connection of `bot.memory.migrations`."""

from alembic import context

from bot.memory.models import metadata


def _ours(_object: object, name: str | None, *_rest: object) -> bool:
    """Leave the queue engine's own tables out of the comparison."""
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate_"))


def _run() -> None:
    given = context.config.attributes
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    else:
        context.configure(
            connection=given["connection"],
            target_metadata=metadata,
            include_object=_ours,
            # What a revision locked is free again before the next one begins.
            transaction_per_migration=True,
            on_version_apply=given.get("done", ()),
        )
    with context.begin_transaction():
        context.run_migrations()


_run()
