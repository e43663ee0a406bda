"""The tables, as the newest migration leaves them (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from cases.columns import Document, Utc, Words

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("name", Words, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Utc, nullable=False),
    # Who they are at the provider; a local user has none of it.
    Column("issuer", Words),
    Column("subject", Words),
    Column("email", Words),
    Index("users_by_subject", "issuer", "subject", unique=True),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", String(64), primary_key=True),  # the SHA-256 of what the browser holds
    Column("person", Words),  # users.name; none without a role
    Column("provider", Words, nullable=False),  # its name in the settings
    Column("issuer", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("email", Words, nullable=False),
    Column("role_values", Document, nullable=False),  # what the claim held
    Column("signed_in_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Index("sign_ins_by_subject", "issuer", "subject"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(80), primary_key=True),  # the fingerprint: safe in a URL
    Column("alert_id", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("sources", Document, nullable=False),  # every source that it came by
    Column("title", Words, nullable=False),
    Column("finding_type", Words),
    Column("severity", Float),
    Column("account_id", Words),
    Column("region", Words),
    Column("principal", Words),  # how the first principal is named on the screen
    Column("source_ip_address", Words),
    Column("first_seen", Utc),
    Column("last_seen", Utc),
    Column("state", String(16), nullable=False),  # new, in_case, closed
    Column("count", Integer, nullable=False),
    Column("first_arrival", Utc, nullable=False),
    Column("last_arrival", Utc, nullable=False),
    Column("sample", Boolean, nullable=False),
    Column("enrichment", String(16), nullable=False),  # pending, running, done, failed
    Column("enrichment_error", Words),
    Column("enriched_at", Utc),
    Column("index_version", Words),
    Column("incident", String(80), nullable=False),  # the id of the first of its actor's alerts
    Column("raw", Words, nullable=False),
    Column("parsed", Document, nullable=False),
    Index("alerts_by_state", "state", "severity"),
    Index("alerts_by_last_seen", "last_seen"),
    Index("alerts_by_enrichment", "enrichment"),
    Index("alerts_by_incident", "incident"),
    Index("alerts_by_address", "source_ip_address"),
)

alert_links = Table(
    "alert_links",
    metadata,
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),  # principal, role, session, chain
    Column("value", Words, primary_key=True),
    Index("alert_links_by_value", "value"),
)

answers = Table(
    "answers",
    metadata,
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("index_id", Words, primary_key=True),  # whose answers they are: index_of(version)
    Column("principal", Integer, primary_key=True),  # its position in the alert
    Column("name", Words, primary_key=True),
    Column("index_version", Words, nullable=False),
    Column("position", Integer, nullable=False),  # the order the questions are asked in
    Column("status", String(16), nullable=False),
    Column("sentence", Words, nullable=False),
    Column("document", Document, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("found", Words),  # its chip's words, and which way they point (enrich.verdict.chips)
    Column("way", String(8)),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False),
    Column("title", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", Words),
    Column("severity", String(16), nullable=False),
    Column("verdict", String(16)),
    Column("reason", Words, nullable=False),
    Column("tags", Document, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("opened_by", Words, nullable=False),
    Column("triaged_at", Utc),  # the first action of anyone
    Column("decided_at", Utc),  # the first verdict
    Column("decided_by", Words),
    Column("closed_at", Utc),
    Column("closed_by", Words),
    Column("reopened", Integer, nullable=False),
    Column("review", String(16), nullable=False),  # none, requested, returned, approved
    Column("review_reasons", Document, nullable=False),
    Column("reviewer", Words),
    Column("review_comment", Words, nullable=False),
    Column("reviewed_at", Utc),
    Column("seal", String(64)),
    Index("cases_by_state", "state"),
)

case_alerts = Table(
    "case_alerts",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True),
    Column("added_at", Utc, nullable=False),
    Column("added_by", Words, nullable=False),
    Index("case_alerts_by_alert", "alert_id"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("author", Words, nullable=False),
    Column("written_at", Utc, nullable=False),
    Column("text", Words, nullable=False),
    Index("notes_by_case", "case_id"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("alert_id", ForeignKey("alerts.id")),
    Column("principal", Integer),
    Column("kind", String(16), nullable=False),  # alert, answer, event
    Column("title", Words, nullable=False),
    Column("document", Words, nullable=False),  # the name of a blob: its canonical JSON
    Column("records", Document, nullable=False),  # event id → the name of a blob: raw JSON text
    Column("missing", Document, nullable=False),  # cited ids whose record could not be read
    Column("coverage", Document, nullable=False),
    Column("index_version", Words, nullable=False),
    Column("frozen_at", Utc, nullable=False),
    Column("frozen_by", Words, nullable=False),
    Column("sha256", String(64), nullable=False),
    Index("evidence_by_case", "case_id"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of what is packed
    Column("size", Integer, nullable=False),  # likewise, in bytes
    Column("packed", LargeBinary, nullable=False),  # zlib
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, … without a gap
    Column("at", String(27), nullable=False),
    Column("actor", Words, nullable=False),
    Column("case_id", Integer),
    Column("case_version", Integer),
    Column("action", Words, nullable=False),
    # Canonical JSON text, hashed as it stands.
    Column("before", Words, nullable=False),
    Column("after", Words, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("by", Words),  # how the actor is known, canonical JSON text; none in old entries
    UniqueConstraint("hash", name="audit_hash_once"),
    Index("audit_by_case", "case_id"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

NOT_KEPT = ("sign_ins",)
"""What no backup holds: a restored database must let in nobody who had signed in to another."""

FROZEN_TABLES = ("audit", "blobs", "evidence", "notes")
"""The tables that the database itself refuses to update or delete from."""
