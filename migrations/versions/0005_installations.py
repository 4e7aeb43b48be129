"""Several workspaces: where the bot is installed, and which invitations were used."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text("now()")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "installations",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("bot_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("url", sa.Text(), nullable=False, server_default=""),
        sa.Column("installed_at", _MOMENT, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("platform", "workspace", name="installations_pkey"),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("state", name="oauth_states_pkey"),
    )
    op.create_index("oauth_states_used_at_index", "oauth_states", ["used_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("oauth_states")
    op.drop_table("installations")
