"""Evidence kept once: the answers, alerts and raw records of evidence move into blobs."""

from __future__ import annotations

import hashlib
import json
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("alter table evidence disable trigger evidence_is_history")
    else:
        op.execute("drop trigger evidence_no_update")
    _move()
    if postgresql:
        op.execute("alter table evidence enable trigger evidence_is_history")
        op.execute(
            "create trigger blobs_is_history before update or delete on blobs"
            " for each row execute function backtrail_refuse()"
        )
        op.execute(
            "create trigger blobs_is_kept before truncate on blobs"
            " for each statement execute function backtrail_refuse()"
        )
        return
    for table, change in (("evidence", "update"), ("blobs", "update"), ("blobs", "delete")):
        op.execute(
            f"create trigger {table}_no_{change} before {change} on {table} begin"
            f" select raise(abort, 'history in {table} is never changed or deleted'); end"
        )


def _move() -> None:
    """One piece of evidence at a time, since some are large. What its hash is over stays: the
    document and the records, however they are kept."""
    database = op.get_bind()
    blobs = sa.table("blobs", sa.column("sha256"), sa.column("size"), sa.column("packed"))
    kept: set[str] = set()

    def keep(content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        if name not in kept:
            kept.add(name)
            packed = zlib.compress(content, 6)
            database.execute(sa.insert(blobs).values(sha256=name, size=len(content), packed=packed))
        return name

    for number in database.execute(sa.text("select id from evidence order by id")).scalars().all():
        document, records = database.execute(
            sa.text("select document, records from evidence where id = :id"), {"id": number}
        ).one()
        names = {
            event_id: keep(text.encode("utf-8", "surrogatepass"))
            for event_id, text in json.loads(records).items()
        }
        database.execute(
            sa.text("update evidence set document = :document, records = :records where id = :id"),
            {
                "id": number,
                "document": keep(document.encode("ascii")),
                "records": json.dumps(names, sort_keys=True, separators=(",", ":")),
            },
        )
