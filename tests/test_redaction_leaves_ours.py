"""Redaction by what values are: ours stays to the letter, theirs goes whatever it is called."""

from __future__ import annotations

import base64
import json
import random
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases import case, evidence
from cases.database import Database
from cases.redaction import DROPPED, Redactor, redact
from cases.redaction.own_words import own_words, words_in_sources
from cases.report import render_report
from cases.report.content import report_document
from tests.a_case import LiteralStore, a_case, a_role_principal, an_alert, an_answer, five_answers

pytest_plugins = ("tests.case_databases",)

EVENT = "11111111-0000-4000-8000-000000000001"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

AWKWARD = ["console", "answers", "2026", "session", "alert", "10", "role_arn", "assumed", "12:00"]
"""What a session may be called to look like something of ours."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path of keys and places."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def record_of(session: str) -> dict[str, Any]:
    return {
        "eventTime": "2026-03-10T11:50:00Z",
        "eventID": EVENT,
        "eventName": "ConsoleLogin",
        "eventSource": "signin.amazonaws.com",
        "awsRegion": "eu-west-1",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAQQPLACEROLEID000:{session}",
            "arn": f"arn:aws:sts::444433332222:assumed-role/reader/{session}",
        },
        "requestParameters": {
            "bucketName": "qq-payroll",
            "key": "2026/reports/console/answers.csv",
            "roleSessionName": session,
        },
    }


def document_of(database: Database, session: str) -> dict[str, Any]:
    """A report of a case whose session has that name, with sentences of ours about it."""
    arn = f"arn:aws:sts::444433332222:assumed-role/reader/{session}"
    alert = an_alert(
        title="ConsoleLogin by reader",
        principals=(
            a_role_principal(
                session,
                arn=arn,
                principal_id=f"AROAQQPLACEROLEID000:{session}",
                role_arn="arn:aws:iam::444433332222:role/reader",
                session_name=session,
            ),
        ),
        raw=json.dumps(record_of(session)),
    )
    opened = a_case(database, alert)
    from cases import enrichment, inbox

    alert_id = inbox.queue(database).alerts[0].id
    answers = [
        an_answer(
            "assumed_by",
            sentence="A console session assumed the role at 12:00 on 10 March 2026: 10 answers.",
            data={
                "chain": [
                    {
                        "role_arn": "arn:aws:iam::444433332222:role/reader",
                        "session_name": session,
                        "interface": "console",
                        "method": "switch_role",
                        "confidence": "high",
                        "event_name": "SwitchRole",
                        "event_time": "2026-03-10T11:00:00Z",
                        "time_distance_s": 2026,
                    }
                ],
                "origin": {"label": session, "type": "AssumedRole"},
            },
            caveats=("The session's own role was assumed 10 times in 2026.",),
        ),
        *five_answers()[1:],
    ]
    enrichment.save_answers(database, alert_id, "v1", [answers])
    store = LiteralStore({EVENT: json.dumps(record_of(session))})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    evidence.pin_event(database, "ann", opened.id, EVENT, store, "look")
    case.add_note(database, "ann", opened.id, f"It was {session}, I think.")
    return json.loads(json.dumps(report_document(database, opened.id)))


@pytest.mark.parametrize("session", AWKWARD)
def test_nothing_of_ours_changes_whatever_a_session_is_called(
    sqlite_database: Database, session: str
) -> None:
    plain = document_of(sqlite_database, session)
    redacted = redact(plain)
    before, after = dict(leaves(plain)), dict(leaves(redacted))
    assert before.keys() == after.keys()  # our keys, and as many items in every list
    for path, value in before.items():
        assert type(after[path]) is type(value), path
        if not isinstance(value, str) or MOMENT.fullmatch(value):
            assert after[path] == value, path
    ours = (".sentence", ".question", ".interface", ".method", ".status", ".event_name", ".action")
    for path, value in before.items():
        key = "." + re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
        if key in ours or key == ".caveats":
            assert after[path] == value, path
    for path, value in after.items():
        if path.endswith((".session_name", "origin.label")):
            assert re.fullmatch(r"session-\d+|user-\d+|name-\d+", value), (path, value)
    (alert,) = redacted["alerts"]
    assert json.loads(alert["raw"])["userIdentity"]["arn"].endswith(
        json.loads(alert["raw"])["requestParameters"]["roleSessionName"]
    )
    assert json.loads(alert["raw"])["userIdentity"]["arn"].rpartition("/")[2] != session
    # In what a person wrote the name goes; a time of day stays one, whoever is called like it.
    if session != "12:00":
        assert re.fullmatch(r"It was \w+-\d+, I think.", redacted["notes"][0]["text"])


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    session=st.one_of(
        st.sampled_from(sorted(own_words())),
        st.from_regex(r"[0-9]{1,6}", fullmatch=True),
        st.text("abcdefghij-_.@=,+ABC0123456789", min_size=2, max_size=20),
    )
)
def test_schema_times_and_numbers_are_the_plain_reports(
    tmp_path_factory: pytest.TempPathFactory, session: str
) -> None:
    from cases.database import open_database
    from tests.a_case import Clock, add_people

    folder = tmp_path_factory.mktemp("ours")
    database = open_database(str(folder / "cases.db"), Clock())
    try:
        add_people(database)
        plain = document_of(database, session)
    finally:
        database.close()
    redacted = redact(plain)
    before, after = dict(leaves(plain)), dict(leaves(redacted))
    assert before.keys() == after.keys()
    for path, value in before.items():
        assert type(after[path]) is type(value), path
        if not isinstance(value, str) or MOMENT.fullmatch(value):
            assert after[path] == value, path
    inner = json.loads(redacted["alerts"][0]["raw"])
    assert [path for path, _ in leaves(inner)] == [path for path, _ in leaves(record_of(session))]
    assert inner["eventTime"] == "2026-03-10T11:50:00Z"


def test_an_object_key_is_one_thing_and_its_folders_are_not_searched_for() -> None:
    found = redact(
        {
            "raw": json.dumps(record_of("worker-session-1")),
            "sentence": "2026: reports in answers, from the console.",
            "summary": "reports of 2026, console",
        }
    )
    parameters = json.loads(found["raw"])["requestParameters"]
    assert parameters["key"] == "object-1"
    assert parameters["bucketName"] == "bucket-1"
    assert found["sentence"] == "2026: reports in answers, from the console."
    assert found["summary"] == "reports of 2026, console"


def test_stand_ins_say_what_they_stand_for() -> None:
    found = redact(
        {
            "user_name": "mallory",
            "role_arn": "arn:aws:iam::111122223333:role/team/x/deployer",
            "session_name": "qq-session",
            "source_ip_address": "198.51.100.7",
            "account_id": "111122223333",
            "raw": json.dumps(
                {
                    "requestParameters": {
                        "secretId": "prod/db-password",
                        "bucketName": "qq-payroll",
                        "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
                    },
                    "resources": [{"ARN": "arn:aws:s3:::qq-payroll/2026/a.csv"}],
                }
            ),
        }
    )
    record = json.loads(found["raw"])
    assert found["user_name"] == "user-1"
    account = found["account_id"]
    assert re.fullmatch(r"\d{12}", account)
    assert re.fullmatch(rf"arn:aws:iam::{account}:role/path-\d/path-\d/role-1", found["role_arn"])
    assert found["session_name"] == "session-1"
    assert found["source_ip_address"] == "address-1"
    assert record["requestParameters"]["secretId"] == "secret-1"
    assert record["requestParameters"]["policyArn"].endswith(":policy/AdministratorAccess")
    assert record["resources"][0]["ARN"] == "arn:aws:s3:::bucket-1/object-1"


@pytest.mark.parametrize(
    "name", ["user", "user-1", "role-2", "address", "redacted", "999900000001"]
)
def test_its_own_stand_ins_are_never_rewritten(name: str) -> None:
    found = redact(
        {
            "user_name": name,
            "session_name": "qq-mallory",
            "note": f"qq-mallory and {name}, 198.51.100.7",
        }
    )
    assert found["user_name"] != name
    session = found["session_name"]
    assert session != "qq-mallory"
    assert found["note"].startswith(f"{session} and ")
    assert name not in found["note"].removeprefix(f"{session} and ").split(", ")[0].split()


def test_the_customers_own_words_can_be_listed() -> None:
    document = {
        "sentence": "Falcon One was seen, and falcons fly.",
        "note": "the Project Bluebird plan",
        "user_agent": "bluebird-agent/1.0",
    }
    found = redact(document, words=["falcon one", "Bluebird", "console"])
    text = json.dumps(found).casefold()
    assert "falcon one" not in text
    assert "bluebird" not in text
    assert found["sentence"].endswith("and falcons fly.")


def test_six_fields_of_a_megabyte_take_five_seconds_at_most() -> None:
    random.seed(7)
    words = ["alpha", "s3://qq-payroll/x", "arn:aws:iam::111122223333:user/mallory", "a%20b", "1.2"]
    prose = " ".join(random.choice([*words, f"w{random.randrange(10**9)}"]) for _ in range(90_000))
    fields: Mapping[str, str] = {
        "note": prose[:1_000_000],
        "comment": "A" * 1_000_000,
        "summary": "".join(random.choices("abcdefghijklmnop0123456789+/", k=1_000_000)),
        "reason": "%41" * 333_000,
        "detail": "é" * 500_000 + "-a" * 250_000,
        "raw": json.dumps({"requestParameters": {"x": ["mallory/" * 12] * 10_000}}),
    }
    document = {"user_name": "mallory", "alerts": [dict(fields)]}
    begun = time.process_time()
    found = redact(document)
    # Processor time, and four times the goal: the machine may be busy.
    assert time.process_time() - begun < 20
    assert "mallory" not in json.dumps(found)
    assert found["alerts"][0]["comment"] == DROPPED


def test_a_megabyte_of_event_ids_takes_no_longer_than_other_text() -> None:
    chosen = random.Random(5)
    ids = ",".join(str(uuid.UUID(int=chosen.getrandbits(128))) for _ in range(27_000))
    begun = time.process_time()
    found = redact({"user_name": "mallory", "notes": [{"text": f"mallory: {ids}"}]})
    assert time.process_time() - begun < 5
    assert found["notes"][0]["text"] == f"user-1: {ids}"


def test_the_list_of_our_words_is_that_of_the_sources() -> None:
    missing = words_in_sources(Path(__file__).parents[1]) - own_words()
    assert not missing, "run `python -m cases.redaction.own_words`"


def test_a_redacted_report_shows_its_times(sqlite_database: Database) -> None:
    document_of(sqlite_database, "2026")
    plain = render_report(sqlite_database, 1, "md").decode()
    redacted = render_report(sqlite_database, 1, "md", redacted=True).decode()
    moments = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    assert moments.findall(redacted) == moments.findall(plain)


def test_the_command_line_takes_a_file_of_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> None:
    from cases.__main__ import main
    from cases.database import open_database
    from tests.a_case import Clock, add_people

    url = str(tmp_path / "cases.db")
    database = open_database(url, Clock())
    add_people(database)
    opened = a_case(database)
    case.add_note(database, "ann", opened.id, "about the Bluebird plan")
    database.close()
    listed = tmp_path / "words.txt"
    listed.write_text("# ours\n\nbluebird\n", "utf-8")
    monkeypatch.setenv("BACKTRAIL_CASES_URL", url)

    def report(*more: str) -> tuple[int, str, str]:
        code = main(["report", str(opened.id), "--redact", *more])
        said = capsysbinary.readouterr()
        return code, said.out.decode(), said.err.decode()

    assert "Bluebird" in report()[1]
    assert "bluebird" not in report("--words", str(listed))[1].casefold()
    monkeypatch.setenv("BACKTRAIL_REDACTED_WORDS", str(listed))
    assert "bluebird" not in report()[1].casefold()
    listed.unlink()
    code, out, said = report()
    assert (code != 0, out) == (True, "")
    assert "words.txt, cannot be read" in said


def test_pieces_of_base64_and_lists_of_addresses_grow_with_their_length() -> None:
    """Six megabytes of each take a few seconds; they took minutes, growing with the square."""
    chosen = random.Random(5)
    pieces = " ".join(
        base64.b64encode(chosen.randbytes(60) + b"hello there").decode() for _ in range(10_000)
    )
    addresses = " ".join(
        ".".join(str(chosen.randrange(1, 250)) for _ in range(4)) for _ in range(70_000)
    )
    some = " ".join(f"host{n}.corp.example 10.1.{n // 250}.{n % 250}" for n in range(2_000))
    for text in (pieces, addresses, some):
        begun = time.process_time()
        written = redact({"notes": [{"text": f"{text} {number}"} for number in range(6)]})
        assert time.process_time() - begun < 30
        said = json.dumps(written)
        for one in text.split()[:2_000:50] if text is not pieces else ():
            assert not re.search(rf"(?<![0-9.]){re.escape(one)}(?![0-9.])", said)
    assert all(one["text"].count("host-") == 2_000 for one in written["notes"])


def test_a_piece_beyond_those_that_are_decoded_goes_whole() -> None:
    filler = " ".join(
        base64.b64encode(f"{n:06} harmless words".encode()).decode() for n in range(4_000)
    )
    hidden = base64.b64encode(b"it was qqmallorysmith who did it").decode()
    document = {"notes": [{"author": "qqmallorysmith", "text": f"{filler} {hidden} the end"}]}
    text = redact(document)["notes"][0]["text"]
    assert hidden not in text
    assert text.endswith(" the end")


def test_the_names_of_a_person_are_replaced() -> None:
    asked = {"familyName": "Mustermann", "givenName": "Erika"}
    record = {"eventID": EVENT, "requestParameters": asked}
    said = json.dumps(redact({"records": {EVENT: json.dumps(record)}}))
    assert not [one for one in asked.values() if one in said]


def test_a_service_s_name_stays_whatever_a_session_is_called() -> None:
    document = {
        "answer": {"service": "S3", "sentence": "12 calls to 2 services: S3 1, EC2 11."},
        "title": "ListBuckets (s3.amazonaws.com)",
        "raw": {"userIdentity": {"sessionName": "s3"}, "requestParameters": {"note": "by s3"}},
    }
    written = Redactor(document).redact(document)
    assert written["answer"] == document["answer"]
    assert written["title"] == document["title"]
    raw = Redactor({"records": [json.dumps(document["raw"])]})
    (text,) = raw.redact({"records": [json.dumps(document["raw"])]})["records"]
    assert "s3" not in text


def test_a_stand_in_never_runs_into_the_figures_of_a_longer_name() -> None:
    record = json.dumps(
        {"requestParameters": {"roleName": "al-admin-role", "note": "al-admin-role2"}}
    )
    (text,) = redact({"records": [record]})["records"]
    assert json.loads(text)["requestParameters"] == {"roleName": "role-1", "note": "role-1_2"}


@pytest.mark.parametrize(
    ("parameters", "gone"),
    [
        ({"x-amz-copy-source": "/other-bucket/hr/pay"}, "other-bucket"),
        ({"prefix": "finance/q3/"}, "finance"),
        ({"delete": {"objects": [{"key": "secret-plan"}]}}, "secret-plan"),
        ({"tags": [{"key": "Owner", "value": "Grace Hopper"}]}, "Grace"),
        ({"phoneNumber": "+49 170 1234567"}, "1234567"),
        ({"note": "of account 4444 3333 2222"}, "3333"),
    ],
)
def test_what_a_field_names_goes(parameters: dict[str, Any], gone: str) -> None:
    record = json.dumps({"requestParameters": parameters})
    (text,) = redact({"records": [record]})["records"]
    assert gone not in text
    assert json.loads(text)["requestParameters"].keys() == parameters.keys()


@pytest.mark.parametrize(
    "spelt",
    [
        "zoe\u0308-quillfeather",  # composed of two
        "\uff5aoë-quillfeather",  # one letter of full width
        "zo\u200bë-quillfeather",  # a space of no width
        "zo%u00EB-quillfeather",
        "zo=C3=AB-quillfeather",
        "zo\\U000000eb-quillfeather",
        "zo\\u{eb}-quillfeather",
        base64.b64encode(base64.b64encode(base64.b64encode("zoë-quillfeather".encode()))).decode(),
    ],
)
def test_a_name_in_any_spelling_goes(spelt: str) -> None:
    records = [
        json.dumps({"userIdentity": {"userName": "zoë-quillfeather"}}),
        json.dumps({"requestParameters": {"note": f"by {spelt} today"}}),
    ]
    written = redact({"records": records})["records"]
    assert "quill" not in written[1]
    assert spelt not in json.loads(written[1])["requestParameters"]["note"]


def test_the_command_lines_user_is_the_same_with_our_words_behind_it() -> None:
    """`root` names nobody, wherever it acts from; a person is one stand-in."""
    document = {
        "owner": "tom",
        "history": [{"actor": "root (command line)"}, {"actor": "tom (command line)"}],
    }
    assert redact(document) == {
        "owner": "user-1",
        "history": [{"actor": "root (command line)"}, {"actor": "user-1 (command line)"}],
    }
