"""Many processes: which are at work, and who holds what only one of them may hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text("now()")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "processes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False, server_default=_NOW),
        sa.Column("beat_at", _MOMENT, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("id", name="processes_pkey"),
    )
    op.create_table(
        "seats",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("held_until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name="seats_pkey"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("seats")
    op.drop_table("processes")
