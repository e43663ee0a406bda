"""What each kept answer found, in two or three words, and which way that points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Answers that are kept already say their status until they are asked again.
    op.add_column("answers", sa.Column("found", sa.Text()))
    op.add_column("answers", sa.Column("way", sa.String(8)))
