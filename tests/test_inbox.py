"""The inbox: one row per finding however it came, its queue, its relatives, its answers."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import Alert, Principal
from cases import audit, case, enrichment, inbox
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed, NotFound
from cases.fingerprint import fingerprint
from cases.intake import load_files
from enrich.answer import Answer
from tests.a_case import (
    ACCOUNT,
    FINDING,
    START,
    Clock,
    LiteralStore,
    a_case,
    a_chain_answer,
    a_role_principal,
    a_user_principal,
    an_alert,
    an_answer,
    an_id,
    five_answers,
    put_in_inbox,
)
from trail.errors import QueryFailed
from trail.store import Store

pytest_plugins = ("tests.case_databases",)

FINDING_ARN = f"arn:aws:guardduty:eu-west-1:{ACCOUNT}:detector/12abc34d567e8fa901bc2d34e56789f0"


def from_security_hub(**changes: Any) -> Alert:
    """The usual finding as ASFF has it: its id is the finding's ARN."""
    arn = f"{FINDING_ARN}/finding/{FINDING}"
    raw = json.dumps({"SchemaVersion": "2018-10-08", "Id": arn, "Title": "…"})
    return an_alert(**{"id": arn, "source": "securityhub", "raw": raw, **changes})


def test_same_finding_by_guardduty_and_both_security_hubs_is_one_row(database: Database) -> None:
    ocsf = json.dumps(
        {
            "class_uid": 2004,
            "metadata": {"product": {"name": "GuardDuty"}},
            "finding_info": {"uid": f"{FINDING_ARN}/finding/{FINDING}"},
        }
    )
    ids = put_in_inbox(
        database,
        an_alert(),
        from_security_hub(),
        an_alert(id="another-uid", source="securityhub", raw=ocsf),
    )

    assert len(set(ids)) == 1
    row = inbox.queued_alert(database, ids[0])
    assert row.count == 3
    assert row.sources == ("guardduty", "securityhub")
    assert inbox.queue(database).total == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (an_alert(id=an_id(1)), an_alert(id=an_id(2))),
        (an_alert(source="sigma", id="a"), an_alert(source="sigma", id="b")),
        (an_alert(source="sigma", id="a"), an_alert(source="text", id="a")),
        (
            an_alert(source="cloudtrail", event_id="e", account_id="111122223333"),
            an_alert(source="cloudtrail", event_id="e", account_id="444455556666"),
        ),
        (an_alert(source="text", id="", raw="one"), an_alert(source="text", id="", raw="two")),
    ],
    ids=["finding", "sigma hit", "source", "account", "content"],
)
def test_different_findings_have_different_fingerprints(one: Alert, other: Alert) -> None:
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize("hostile", ["../../x?a=b#c", "a b\n", "\ud800", "x" * 5000, "é&<>"])
def test_a_fingerprint_is_safe_in_an_url_and_in_the_database(hostile: str) -> None:
    for source in ("guardduty", "securityhub", "text"):
        found = fingerprint(an_alert(id=hostile, source=source, raw=hostile))
        assert len(found) <= 80
        assert all(one.isascii() and (one.isalnum() or one == "-") for one in found)


def test_a_finding_that_comes_again_widens_its_window_and_is_asked_again(
    database: Database, clock: Clock
) -> None:
    (alert_id,) = put_in_inbox(database)
    enrichment.save_answers(database, alert_id, "v1", [five_answers()])
    clock.move(hours=6)
    later = START + timedelta(hours=5)

    put_in_inbox(database, an_alert(first_seen=START, last_seen=later, severity=8.0))

    row = inbox.queued_alert(database, alert_id)
    assert (row.count, row.severity) == (2, 8.0)
    assert (row.first_seen, row.last_seen) == (START - timedelta(hours=2), later)
    assert row.first_arrival == START
    assert row.last_arrival == START + timedelta(hours=6)
    assert row.enrichment == "pending"


def test_an_unchanged_finding_keeps_its_answers(database: Database) -> None:
    (alert_id,) = put_in_inbox(database)
    enrichment.save_answers(database, alert_id, "v1", [five_answers()])
    put_in_inbox(database)
    assert inbox.queued_alert(database, alert_id).enrichment == "done"


def test_guardduty_words_are_kept_when_security_hub_repeats_them(database: Database) -> None:
    (alert_id,) = put_in_inbox(database)
    put_in_inbox(database, from_security_hub(title="poorer words", principals=()))
    kept = inbox.get_alert(database, alert_id)
    assert kept.title == an_alert().title
    assert kept.principals == an_alert().principals


def test_an_alert_comes_back_from_the_inbox_as_it_went_in(database: Database) -> None:
    hostile = "nul \x00 half \ud83d mark \ue000ffff <b>|`\u202e 中"
    alert = an_alert(
        title=hostile,
        raw=hostile,
        user_agent=hostile,
        principals=(a_role_principal(session=hostile), a_user_principal()),
        notes=("a", "b"),
        event_ids=("e1",),
        origins={"title": hostile},
    )
    (alert_id,) = put_in_inbox(database, alert)
    assert inbox.get_alert(database, alert_id) == alert
    assert inbox.queued_alert(database, alert_id).title == hostile


def test_a_closed_alert_that_is_seen_later_is_new_again(database: Database) -> None:
    opened = a_case(database)
    case.close_case(database, "ann", opened.id, opened.version, verdict="benign", reason="ok")
    (alert_id,) = put_in_inbox(database)
    assert inbox.queued_alert(database, alert_id).state == "closed"

    put_in_inbox(database, an_alert(last_seen=START + timedelta(days=1)))

    row = inbox.queued_alert(database, alert_id)
    assert row.state == "new"
    assert row.case_ids == (opened.id,)


# The queue


def three_alerts(database: Database) -> dict[str, str]:
    """Short name → inbox id of a low, a high and an unrated alert."""
    alerts = {
        "low": an_alert(
            id=an_id(1),
            severity=2.0,
            account_id="444455556666",
            last_seen=START - timedelta(days=2),
            first_seen=START - timedelta(days=2),
            principals=(a_user_principal("zoe"),),
        ),
        "high": an_alert(id=an_id(2), severity=8.0, title="100% unusual_place"),
        "unrated": an_alert(
            id=an_id(3), severity=None, first_seen=None, last_seen=None, principals=()
        ),
    }
    ids = put_in_inbox(database, *alerts.values())
    return dict(zip(alerts, ids, strict=True))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["high", "low", "unrated"]),
        ({"descending": False}, ["low", "high", "unrated"]),
        ({"sort": "last_seen"}, ["high", "low", "unrated"]),
        ({"sort": "last_seen", "descending": False}, ["low", "high", "unrated"]),
        ({"severity_at_least": 7}, ["high"]),
        ({"account_id": "444455556666"}, ["low"]),
        ({"principal": "USER/Zo"}, ["low"]),
        ({"principal": "%"}, []),
        ({"text": "100%"}, ["high"]),
        ({"text": "l_place"}, ["high"]),
        ({"text": "lxplace"}, []),
        ({"seen_since": START - timedelta(days=1)}, ["high"]),
        ({"seen_until": START - timedelta(days=1)}, ["low"]),
        ({"states": ["closed"]}, []),
        ({"states": ["new", "closed"], "limit": 1}, ["high"]),
        ({"limit": 1, "offset": 1}, ["low"]),
    ],
    ids=str,
)
def test_the_queue_filters_and_sorts(
    database: Database, arguments: dict[str, Any], expected: list[str]
) -> None:
    names = {alert_id: name for name, alert_id in three_alerts(database).items()}
    found = inbox.queue(database, **arguments)
    assert [names[one.id] for one in found.alerts] == expected


def test_the_total_counts_what_a_page_leaves_out(sqlite_database: Database) -> None:
    three_alerts(sqlite_database)
    found = inbox.queue(sqlite_database, limit=1)
    assert (len(found.alerts), found.total) == (1, 3)


def test_sorting_by_a_made_up_column_is_refused(sqlite_database: Database) -> None:
    sort: Any = "raw; drop table alerts"
    with pytest.raises(CaseRefused):
        inbox.queue(sqlite_database, sort=sort)


def test_badges_come_in_the_order_of_the_questions(database: Database) -> None:
    (alert_id,) = put_in_inbox(database)
    enrichment.save_answers(database, alert_id, "v1", [five_answers(baseline="not_covered")])
    badges = inbox.queue(database).alerts[0].badges
    assert [one.name for one in badges] == [
        "assumed_by",
        "roles_assumed",
        "services_used",
        "interesting_calls",
        "baseline",
    ]
    assert badges[4].status == "not_covered"


# Relatives


def related(database: Database, alert_id: str) -> dict[str, str]:
    return {one.alert.alert_id: one.reason for one in inbox.related_alerts(database, alert_id)}


def test_alerts_are_related_by_principal_session_role_and_chain(database: Database) -> None:
    same_session = an_alert(id=an_id(1))
    same_role = an_alert(
        id=an_id(2),
        principals=(a_role_principal("carol@example.com", access_key_id="ASIAOTHER0Q0Q0Q0Q0Q1"),),
    )
    origin = an_alert(id=an_id(3), principals=(a_user_principal("alice"),))
    stranger = an_alert(id=an_id(4), principals=(a_user_principal("mallory"),))
    first, *_ = put_in_inbox(database, an_alert(), same_session, same_role, origin, stranger)
    assert related(database, first) == {
        an_id(1): "same role session or key",
        an_id(2): "same role",
    }

    enrichment.save_answers(database, first, "v1", [[a_chain_answer()]])

    found = related(database, first)
    assert found[an_id(3)] == "linked session"
    assert an_id(4) not in found
    assert list(found)[0] == an_id(1)


def test_two_alerts_are_linked_when_their_chains_meet(database: Database) -> None:
    other_role = Principal(
        type="AssumedRole",
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/writer/w",
        principal_id="AROAWRITERXXXXXXXXXXX:w",
    )
    first, second = put_in_inbox(
        database, an_alert(), an_alert(id=an_id(1), principals=(other_role,))
    )
    assert related(database, first) == {}
    for alert_id in (first, second):
        enrichment.save_answers(database, alert_id, "v1", [[a_chain_answer()]])
    assert related(database, first) == {an_id(1): "linked session"}


def test_placeholders_of_sample_findings_relate_nothing(sqlite_database: Database) -> None:
    placeholder = a_user_principal("GeneratedFindingUserName")
    first, _ = put_in_inbox(
        sqlite_database,
        an_alert(id=an_id(1), sample=True, principals=(placeholder,)),
        an_alert(id=an_id(2), sample=True, principals=(placeholder,)),
    )
    assert related(sqlite_database, first) == {}


# Answers ahead


def test_enrichment_asks_each_principal_and_the_severest_alert_first(database: Database) -> None:
    ids = three_alerts(database)
    put_in_inbox(
        database, an_alert(id=an_id(9), principals=(a_user_principal(), a_role_principal()))
    )
    asked: list[tuple[str, str]] = []

    def ask(alert: Alert, principal: Principal, store: Store) -> list[Answer]:
        asked.append((alert.id, principal.type))
        return [an_answer()]

    steps: list[tuple[int, int]] = []
    done = enrichment.enrich_pending(
        database, LiteralStore(), ask, lambda at, of, _: steps.append((at, of))
    )

    assert done == 4
    assert asked == [
        (an_id(2), "AssumedRole"),
        (an_id(9), "IAMUser"),
        (an_id(9), "AssumedRole"),
        (an_id(1), "IAMUser"),
        (an_id(3), "Unknown"),
    ]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert inbox.queued_alert(database, ids["unrated"]).enrichment == "done"
    assert enrichment.enrich_pending(database, LiteralStore(), ask) == 0


def test_a_failed_enrichment_says_why_and_the_others_go_on(database: Database) -> None:
    ids = three_alerts(database)

    def ask(alert: Alert, principal: Principal, store: Store) -> list[Answer]:
        if alert.id == an_id(2):
            raise QueryFailed("The disk of the index is gone. Mount it again.")
        return [an_answer()]

    assert enrichment.enrich_pending(database, LiteralStore(), ask) == 3
    failed = inbox.queued_alert(database, ids["high"])
    assert failed.enrichment == "failed"
    assert failed.enrichment_error == "The disk of the index is gone. Mount it again."
    assert inbox.queued_alert(database, ids["low"]).enrichment == "done"


def test_a_newer_index_is_asked_again_and_old_answers_are_not_taken_for_new(
    database: Database,
) -> None:
    (alert_id,) = put_in_inbox(database)
    store = LiteralStore()
    enrichment.enrich_pending(database, store, lambda *_: [an_answer(sentence="old")])
    store.index_version = "v2"
    assert enrichment.stored_answers(database, alert_id, "v2") == []
    assert enrichment.pending_count(database, "v2") == 1

    enrichment.enrich_pending(database, store, lambda *_: [an_answer(sentence="new")])

    (kept,) = enrichment.stored_answers(database, alert_id, "v2")
    assert kept.sentence == "new"
    assert kept.document["queries"][0]["parameters"] == {"id": "e1"}


def test_stopping_leaves_the_rest_pending(database: Database) -> None:
    three_alerts(database)
    answered: list[str] = []
    done = enrichment.enrich_pending(
        database,
        LiteralStore(),
        lambda *_: [an_answer()],
        lambda _at, _of, alert_id: answered.append(alert_id),
        lambda: len(answered) == 1,
    )
    assert done == 1
    assert enrichment.pending_count(database, "v1") == 2


def test_an_interrupted_enrichment_is_taken_up_again(database: Database, clock: Clock) -> None:
    put_in_inbox(database)

    def crash(*_: object) -> list[Answer]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enrichment.enrich_pending(database, LiteralStore(), crash)
    assert enrichment.enrich_pending(database, LiteralStore(), lambda *_: [an_answer()]) == 0
    clock.move(minutes=11)
    assert enrichment.enrich_pending(database, LiteralStore(), lambda *_: [an_answer()]) == 1


def test_an_alert_that_arrives_while_it_is_asked_about_is_asked_again(database: Database) -> None:
    put_in_inbox(database)
    times: list[int] = []

    def ask(*_: object) -> list[Answer]:
        if not times:
            put_in_inbox(database, an_alert(last_seen=START + timedelta(hours=1)))
        times.append(1)
        return [an_answer()]

    assert enrichment.enrich_pending(database, LiteralStore(), ask) == 2


# Rights


def test_a_viewer_receives_nothing_and_only_a_lead_deletes(database: Database) -> None:
    with pytest.raises(NotAllowed):
        put_in_inbox(database, actor="vic")
    (alert_id,) = put_in_inbox(database)
    with pytest.raises(NotAllowed):
        inbox.delete_alert(database, "ann", alert_id)

    inbox.delete_alert(database, "lea", alert_id)

    with pytest.raises(NotFound):
        inbox.get_alert(database, alert_id)
    assert audit.history(database)[-1].action == "alert deleted"


def test_an_alert_of_a_case_is_not_deleted(database: Database) -> None:
    a_case(database)
    (alert_id,) = put_in_inbox(database)
    with pytest.raises(CaseRefused):
        inbox.delete_alert(database, "lea", alert_id)


def test_all_of_a_batch_is_kept_or_none(database: Database) -> None:
    def broken() -> Any:
        yield an_alert(id=an_id(1))
        raise RuntimeError("the file ended in the middle")

    with pytest.raises(RuntimeError):
        inbox.receive(database, "ann", broken())
    assert inbox.queue(database).total == 0


# Files and folders


def test_a_folder_of_alerts_is_loaded_and_other_files_are_named(
    sqlite_database: Database, tmp_path: Path
) -> None:
    arn = f"{FINDING_ARN}/finding/{FINDING}"
    finding = {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": "eu-west-1",
        "id": FINDING,
        "arn": arn,
        "type": "Discovery:S3/AnomalousBehavior",
        "resource": {"resourceType": "AccessKey"},
        "service": {"eventFirstSeen": "2026-03-10T10:00:00Z", "count": 1},
        "severity": 5,
    }
    asff = {
        "SchemaVersion": "2018-10-08",
        "Id": arn,
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "AwsAccountId": ACCOUNT,
        "Types": ["TTPs/Discovery/Discovery:S3-AnomalousBehavior"],
        "Title": "An unusual place",
        "Severity": {"Product": 5},
        "Resources": [{"Type": "AwsIamAccessKey", "Id": "AWS::IAM::AccessKey:ASIAX"}],
    }
    folder = tmp_path / "alerts"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    lines = "\n".join(json.dumps({**finding, "id": an_id(n)}) for n in range(3))
    (inner / "findings.jsonl").write_text(lines)
    (folder / "event.json").write_text(
        json.dumps({"source": "aws.guardduty", "detail-type": "GuardDuty Finding"})[:-1]
        + f', "detail": {json.dumps(finding)}}}'
    )
    (folder / "hub.json").write_text(json.dumps({"Findings": [asff]}))
    (folder / "notes.txt").write_text("Call the customer.")

    found = load_files(sqlite_database, "ann", [folder, tmp_path / "missing.json"])

    assert inbox.queue(sqlite_database).total == 4
    both = [one for one in inbox.queue(sqlite_database).alerts if one.count == 2]
    assert [one.sources for one in both] == [("guardduty", "securityhub")]
    assert [Path(file).name for file, _ in found.refused] == ["notes.txt", "missing.json"]


@pytest.mark.parametrize("form", ["gzip", "plain"])
def test_guarddutys_export_files_are_loaded_as_they_lie_in_s3(
    sqlite_database: Database, tmp_path: Path, form: str
) -> None:
    finding: dict[str, Any] = {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "id": FINDING,
        "type": "Recon:IAMUser/TorIPCaller",
        "service": {},
        "resource": {},
        "severity": 5,
    }
    text = json.dumps(finding).encode()
    file = tmp_path / "export.jsonl.gz"
    file.write_bytes(gzip.compress(text) if form == "gzip" else text)
    (one,) = load_files(sqlite_database, "ann", [file]).received
    assert one.id == f"guardduty-{FINDING}"
