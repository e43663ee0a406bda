"""Kept answers belong to one index: two dashboards over two indexes keep theirs side by side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEPT = "alert_id, principal, name, index_version, position, status, sentence, document, asked_at"


def upgrade() -> None:
    op.rename_table("answers", "answers_before")
    op.create_table(
        "answers",
        sa.Column(
            "alert_id",
            sa.String(80),
            sa.ForeignKey("alerts.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("index_id", sa.Text(), primary_key=True),
        sa.Column("principal", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("index_version", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(27), nullable=False),
    )
    database = op.get_bind()
    versions = database.execute(sa.text("select distinct index_version from answers_before"))
    for version in versions.scalars().all():
        # The id before the last dash, as trail.index.index_version has it when this is written.
        database.execute(
            sa.text(
                f"insert into answers ({_KEPT}, index_id) select {_KEPT}, :index_id"  # noqa: S608
                " from answers_before where index_version = :version"
            ),
            {"index_id": version.rpartition("-")[0], "version": version},
        )
    op.drop_table("answers_before")
