"""Which alerts are one incident."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Alerts that are here already are joined when they come again or are answered anew.
    op.add_column("alerts", sa.Column("incident", sa.String(80), nullable=False, server_default=""))
    alerts = sa.table("alerts", sa.column("id", sa.String), sa.column("incident", sa.String))
    op.execute(alerts.update().values(incident=alerts.c.id))
    op.create_index("alerts_by_incident", "alerts", ["incident"])
    op.create_index("alerts_by_address", "alerts", ["source_ip_address"])
