"""Indexes: of what is open or was set aside, and of what is kept for a time only once that time is over."""

from alembic import op

revision = "0006"
down_revision = "0005"

_OPEN = "state IN ('waiting', 'answering')"
_UNTOLD = "state = 'waiting' AND queued_told_at IS NULL AND visible_at IS NULL"
_INDEXES = {
    "turns_tenant_index": f"turns (tenant, id) WHERE {_OPEN}",
    "turns_untold_index": f"turns (created_at) WHERE {_UNTOLD}",
    "turns_poisoned_index": "turns (id) WHERE error = 'poisoned'",
    "turns_prune_index": "turns (finished_at) WHERE manifest IS NOT NULL",
    "message_revisions_replaced_at_index": "message_revisions (replaced_at)",
    "attachments_prune_index": "attachments (read_at) WHERE picture IS NOT NULL",
}


def upgrade() -> None:
    """Go forward, beside the others' work: an index that an earlier try left half made is made anew."""
    with op.get_context().autocommit_block():
        # It waits for older transactions to end, and meanwhile holds nobody up.
        op.execute("SET lock_timeout = 0")
        for name, columns in _INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    """Go back."""
    for name in _INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
