"""A case on real logs from end to end: alert, answers, evidence, verdict, report, redaction."""

from __future__ import annotations

import json
import re

import pytest

from alerts import parse_alerts
from cases import case, enrichment, evidence, inbox
from cases.database import Database
from cases.report import render_report
from cases.verify import heads_in, verify
from enrich import QUESTIONS, ask_all
from tests.pdf_text import pdf_text
from trail.store import Store

pytest_plugins = ("tests.case_databases",)


@pytest.fixture
def stolen_key_alert(ec2_store: Store) -> str:
    """The record of a call made with a stolen instance credential, as it is in the logs."""
    summary = ec2_store.summary()
    assert summary.first is not None
    assert summary.last is not None
    rows = ec2_store.query(
        """
        select event_id from events
        where identity_type = 'AssumedRole' and event_name = 'ListBuckets'
        order by event_time, event_id limit 1
        """,
        first=summary.first,
        last=summary.last,
    ).rows
    event_id = str(rows[0]["event_id"])
    return ec2_store.raw_records([event_id])[event_id]


def test_a_real_alert_becomes_a_proven_and_redactable_case(
    database: Database, ec2_store: Store, stolen_key_alert: str
) -> None:
    (received,) = inbox.receive(database, "ann", parse_alerts(stolen_key_alert))
    assert enrichment.enrich_pending(database, ec2_store, ask_all) == 1
    row = inbox.queued_alert(database, received.id)
    assert [badge.name for badge in row.badges] == [one.name for one in QUESTIONS]
    assert "failed" not in {badge.status for badge in row.badges}

    opened = case.open_case(database, "ann", [received.id])
    frozen = evidence.freeze_answers(database, "ann", opened.id, received.id, ec2_store)
    cited = [set(one.document["evidence"]) for one in frozen]
    assert [set(one.records) for one in frozen] == cited
    assert any(cited)
    version = case.get_case(database, opened.id).version
    case.close_case(
        database, "ann", opened.id, version, verdict="true_positive", reason="A stolen key."
    )

    identity = json.loads(stolen_key_alert)["userIdentity"]
    role = identity["sessionContext"]["sessionIssuer"]["userName"]
    secrets = [identity["accountId"], identity["accessKeyId"], identity["principalId"], role]
    for form in ("md", "html", "pdf", "json"):
        whole = render_report(database, opened.id, form)
        hidden = render_report(database, opened.id, form, redacted=True)
        read = pdf_text if form == "pdf" else bytes.decode
        assert identity["accountId"] in re.sub(r"\n", "", read(whole))
        for secret in secrets:
            assert secret.casefold() not in read(hidden).replace("\n", "").casefold(), form
        if form != "pdf":
            assert verify(database, heads_in(read(hidden))).ok
