"""Load: whose turn is open, who was told that they wait, how much people and channels asked lately."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go forward; the indexes that belong to it are made by 0006, beside the others' work."""
    op.add_column("turns", sa.Column("tenant", sa.Text(), nullable=False, server_default=""))
    op.add_column("turns", sa.Column("queued_told_at", sa.DateTime(timezone=True)))
    op.add_column("messages", sa.Column("limited", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "rates",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("told_minute", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("key", name="rates_pkey"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("rates")
    op.drop_column("messages", "limited")
    op.drop_column("turns", "queued_told_at")
    op.drop_column("turns", "tenant")
