"""The first schema: users, inbox, cases, evidence, audit chain, and the triggers that guard it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("finding_type", sa.Text()),
        sa.Column("severity", sa.Float()),
        sa.Column("account_id", sa.Text()),
        sa.Column("region", sa.Text()),
        sa.Column("principal", sa.Text()),
        sa.Column("source_ip_address", sa.Text()),
        sa.Column("first_seen", sa.String(27)),
        sa.Column("last_seen", sa.String(27)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_arrival", sa.String(27), nullable=False),
        sa.Column("last_arrival", sa.String(27), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("enrichment", sa.String(16), nullable=False),
        sa.Column("enrichment_error", sa.Text()),
        sa.Column("enriched_at", sa.String(27)),
        sa.Column("index_version", sa.Text()),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("parsed", sa.Text(), nullable=False),
    )
    op.create_index("alerts_by_state", "alerts", ["state", "severity"])
    op.create_index("alerts_by_last_seen", "alerts", ["last_seen"])
    op.create_index("alerts_by_enrichment", "alerts", ["enrichment"])
    op.create_table(
        "alert_links",
        sa.Column(
            "alert_id",
            sa.String(80),
            sa.ForeignKey("alerts.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.Text(), primary_key=True),
    )
    op.create_index("alert_links_by_value", "alert_links", ["value"])
    op.create_table(
        "answers",
        sa.Column(
            "alert_id",
            sa.String(80),
            sa.ForeignKey("alerts.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("principal", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("index_version", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(27), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("triaged_at", sa.String(27)),
        sa.Column("decided_at", sa.String(27)),
        sa.Column("decided_by", sa.Text()),
        sa.Column("closed_at", sa.String(27)),
        sa.Column("closed_by", sa.Text()),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("review", sa.String(16), nullable=False),
        sa.Column("review_reasons", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text()),
        sa.Column("review_comment", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.String(27)),
        sa.Column("seal", sa.String(64)),
    )
    op.create_index("cases_by_state", "cases", ["state"])
    op.create_table(
        "case_alerts",
        sa.Column("case_id", sa.Integer(), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("alert_id", sa.String(80), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("added_at", sa.String(27), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
    )
    op.create_index("case_alerts_by_alert", "case_alerts", ["alert_id"])
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer(), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("written_at", sa.String(27), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_index("notes_by_case", "notes", ["case_id"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Integer(), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("alert_id", sa.String(80), sa.ForeignKey("alerts.id")),
        sa.Column("principal", sa.Integer()),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("index_version", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.String(27), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_index("evidence_by_case", "evidence", ["case_id"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer()),
        sa.Column("case_version", sa.Integer()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("hash", name="audit_hash_once"),
    )
    op.create_index("audit_by_case", "audit", ["case_id"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    _guard_history()


def _guard_history() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            """
            create function backtrail_refuse() returns trigger language plpgsql as $$
            begin
                raise exception 'history in % is never changed or deleted', tg_table_name;
            end $$
            """
        )
    for table in ("audit", "evidence", "notes"):
        if postgresql:
            op.execute(
                f"create trigger {table}_is_history before update or delete on {table}"
                " for each row execute function backtrail_refuse()"
            )
            op.execute(
                f"create trigger {table}_is_kept before truncate on {table}"
                " for each statement execute function backtrail_refuse()"
            )
            continue
        for change in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{change} before {change} on {table} begin"
                f" select raise(abort, 'history in {table} is never changed or deleted'); end"
            )
