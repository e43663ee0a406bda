"""Sign-in: who people are at their provider, their sign-ins, and how an actor is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("issuer", "subject", "email"):
        op.add_column("users", sa.Column(name, sa.Text()))
    op.create_index("users_by_subject", "users", ["issuer", "subject"], unique=True)
    # Old entries keep their hashes: what is not there is not hashed.
    op.add_column("audit", sa.Column("by", sa.Text()))
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text()),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role_values", sa.Text(), nullable=False),
        sa.Column("signed_in_at", sa.String(27), nullable=False),
        sa.Column("seen_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("ended_at", sa.String(27)),
    )
    op.create_index("sign_ins_by_subject", "sign_ins", ["issuer", "subject"])
