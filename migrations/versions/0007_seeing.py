"""Seeing it: since when what is wanted of a turn is wanted, so that an answer asked for again counts anew."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Go forward."""
    op.add_column("turns", sa.Column("wanted_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Go back."""
    op.drop_column("turns", "wanted_at")
