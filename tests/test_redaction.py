"""Redaction: none of the originals survives, in any output, in any field, encoded or not."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cases import case, enrichment, evidence, inbox
from cases.database import Database
from cases.redaction import DROPPED, Redactor, redact
from cases.report import FORMATS, render_report
from cases.report.blocks import report_blocks
from cases.report.content import report_document
from cases.report.html import render_html
from cases.report.json import render_json
from cases.report.markdown import render_markdown
from cases.report.pdf import render_pdf
from tests.a_case import (
    LiteralStore,
    a_case,
    a_role_principal,
    a_user_principal,
    an_alert,
    an_answer,
    five_answers,
)
from tests.pdf_text import pdf_text

pytest_plugins = ("tests.case_databases",)

EVENT = "11111111-0000-4000-8000-000000000001"


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _b64(text: str, before: str = "") -> str:
    return base64.b64encode((before + text + " and more").encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "inside a word": lambda t: f"zz{t}zz" if t.isalpha() else t,
    "URL": lambda t: quote(t, safe=""),
    "URL twice": lambda t: quote(quote(t, safe=""), safe=""),
    "URL, every character": _percent,
    "JSON": lambda t: json.dumps({"q": t}),
    "JSON in JSON": lambda t: json.dumps(json.dumps({"q": t})),
    "JSON, every character": lambda t: "".join(f"\\u{ord(c):04X}" for c in t),
    "backslash x": lambda t: "".join(f"\\x{ord(c):02x}" for c in t),
    "HTML": lambda t: html.escape(t).replace("@", "&#64;").replace(":", "&colon;"),
    "HTML, every character": lambda t: "".join(f"&#x{ord(c):x};" for c in t),
    "base64": _b64,
    "base64, shifted": lambda t: _b64(t, "a"),
    "base64, shifted twice": lambda t: _b64(t, "ab"),
    "base64 after a path": lambda t: "x/y/" + _b64(t),
    "base64url": lambda t: base64.urlsafe_b64encode(f"??>{t}".encode()).decode().rstrip("="),
    "base64 of UTF-16": lambda t: base64.b64encode(t.encode("utf-16-le")).decode(),
    "base64 of base64": lambda t: _b64(_b64(t)),
    "base64 in an URL": lambda t: quote(_b64(t), safe=""),
    "hex": lambda t: t.encode().hex(),
    "hex, upper case": lambda t: t.encode().hex().upper(),
}

# Placeholders stand for the identities in a document made once; each example puts others in.
PLACES: dict[str, str] = {
    "account": "444433332222",
    "user": "qqplaceüser",
    "role": "qqplacerole",
    "session": "qqplacesession",
    "key": "ASIAQQPLACEKEY000000",
    "role_id": "AROAQQPLACEROLEID000",
    "ipv4": "203.0.113.77",
    "ipv6": "2001:db8:77::1",
    "email": "qqplace.mail@qqplace-mail.example",
    "host": "qqplacehost.corp.internal",
    "bucket": "qqplace-bucket",
    "instance": "i-0123456789abcdef0",
    "hidden_account": "555566667777",
    "hidden_key": "AKIAQQPLACEHIDDEN000",
    "hidden_ip": "198.51.100.233",
    "hidden_email": "qqhidden@qqhidden-mail.example",
}
HIDDEN = [name for name in PLACES if name.startswith("hidden")]
WORDS_HERE = "WORDSGOHERE"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report's document with a placeholder in every place where an identity can be."""
    from cases.database import open_database
    from tests.a_case import Clock, add_people

    database = open_database(str(tmp_path_factory.mktemp("redaction") / "cases.db"), Clock())
    add_people(database)
    p = PLACES
    role_arn = f"arn:aws:iam::{p['account']}:role/service/{p['role']}"
    session_arn = f"arn:aws:sts::{p['account']}:assumed-role/{p['role']}/{p['session']}"
    words = WORDS_HERE
    record = {
        "eventTime": "2026-03-10T11:50:00Z",
        "eventID": EVENT,
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{p['role_id']}:{p['session']}",
            "arn": session_arn,
            "accountId": p["account"],
            "accessKeyId": p["key"],
            "userName": p["user"],
        },
        "sourceIPAddress": p["ipv4"],
        "vpcEndpointId": "vpce-0123456789abcdef0",
        "userAgent": words,
        "requestParameters": {
            "bucketName": p["bucket"],
            "Host": f"{p['bucket']}.s3.eu-west-1.amazonaws.com",
            "instanceId": p["instance"],
            "policyDocument": json.dumps({"Resource": f"arn:aws:s3:::{p['bucket']}/{words}"}),
            "tags": {p["user"]: words, words: p["host"]},
            "clientIp": p["ipv6"],
            "numbers": [int(p["account"])],
            "mail": p["email"],
        },
    }
    principals = (
        a_role_principal(
            p["session"],
            arn=session_arn,
            principal_id=f"{p['role_id']}:{p['session']}",
            access_key_id=p["key"],
            role_arn=role_arn,
            account_id=p["account"],
        ),
        a_user_principal(p["user"], arn=f"arn:aws:iam::{p['account']}:user/{p['user']}"),
    )
    alert = an_alert(
        title=f"{words} {p['email']}",
        account_id=p["account"],
        source_ip_address=p["ipv6"],
        user_agent=words,
        principals=principals,
        raw=json.dumps({"finding": record, "text": words}),
    )
    opened = a_case(database, alert)
    alert_id = inbox.queue(database).alerts[0].id
    data = {
        "owner_host": p["host"],
        p["ipv4"]: {"count": 3, words: [words]},
        "chain": [{"role_arn": role_arn, "session_name": p["session"], "by": {"arn": session_arn}}],
        "origin": {"label": p["user"], "arn": session_arn, "type": "IAMUser"},
    }
    answers = [
        *five_answers(),
        an_answer("extra", sentence=f"{p['user']}: {words}", data=data, caveats=(words,)),
        an_answer("assumed_by", sentence=words, data=data, question=words),
    ]
    enrichment.save_answers(database, alert_id, "v1", [answers[1:]])
    store = LiteralStore({EVENT: json.dumps(record)})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    evidence.pin_event(database, "ann", opened.id, EVENT, store, words)
    case.add_note(database, "ann", opened.id, f"{words}\n{p['host']} {p['ipv4']}, {p['user']}.")
    version = case.get_case(database, opened.id).version
    case.save_case(
        database,
        "ann",
        opened.id,
        version,
        {"title": words, "summary": words, "reason": f"{p['account']} {words}", "tags": [words]},
    )
    document = report_document(database, opened.id)
    database.close()
    return document


def filled(value: Any, identities: Mapping[str, str], words: str) -> Any:
    """The template with these identities in place, and the words wherever words go."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("{", "["):
            try:
                return json.dumps(filled(json.loads(value), identities, words))
            except ValueError:
                pass
        for name, place in PLACES.items():
            value = value.replace(place, identities[name])
        return value.replace(WORDS_HERE, words)
    if isinstance(value, dict):
        return {
            filled(key, identities, words): filled(inner, identities, words)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [filled(inner, identities, words) for inner in value]
    if value == int(PLACES["account"]) and isinstance(value, int):
        return int(identities["account"])
    return value


def outputs(document: dict[str, Any]) -> dict[str, str]:
    """The text of every form of a report."""
    blocks = report_blocks(document)
    return {
        "json": render_json(document).decode(),
        "md": render_markdown(blocks).decode("utf-8"),
        "html": render_html(blocks).decode("utf-8"),
        # Lines are broken anywhere in a PDF.
        "pdf": pdf_text(render_pdf(blocks)).replace("\n", ""),
    }


def _unslashed(text: str) -> str:
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), text)
    return text.replace('\\"', '"').replace("\\/", "/").replace("\\\\", "\\")


def readings(text: str) -> set[str]:
    """The text in every way in which somebody might read it, written apart from the program."""
    found = {text}
    for _ in range(4):
        found |= {
            change(one)
            for one in found
            for change in (unquote, unquote_plus, html.unescape, _unslashed)
        }
        if len(found) > 64:
            break
    return {one.casefold() for one in found}


def encoded(original: str) -> set[str]:
    """The parts of base64 and hex that do not depend on what stands around the original."""
    found = {original.encode().hex()}
    for raw in (original.encode(), original.encode("utf-16-le")):
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            first = -(-shift * 8 // 6)
            last = (shift + len(raw)) * 8 // 6
            found |= {whole[first:last], whole[first:last].replace("+", "-").replace("/", "_")}
    return found


def survivors(text: str, originals: Mapping[str, str]) -> list[str]:
    read = readings(text)
    found = [
        f"{name}: {original}"
        for name, original in originals.items()
        if any(original.casefold() in one for one in read)
    ]
    found += [
        f"{name}, encoded: {form}"
        for name, original in originals.items()
        for form in encoded(original)
        if any(form.casefold() in one for one in read if len(form) > 6)
    ]
    return found


# Letters that no hexadecimal hash and no word of the report is made of.
NAME = st.text("qxzjkwv", min_size=5, max_size=12)
DIGITS = st.text("0123456789", min_size=12, max_size=12).filter(lambda d: not d.startswith("9999"))
KEY = st.text("QXZJKWV234567", min_size=16, max_size=16)
OCTET = st.integers(1, 239)


@st.composite
def identities(draw: st.DrawFn) -> dict[str, str]:
    name = [draw(NAME) + str(number) for number in range(9)]
    return {
        "account": draw(DIGITS),
        "user": name[0] + draw(st.sampled_from(["", ".", "_", "-", "+", "=", ",", "é"])) + "x",
        "role": draw(st.sampled_from(["", "Aws", "R-"])) + name[1].upper(),
        "session": name[2] + draw(st.sampled_from(["", "@", "=", ".q"])) + "w",
        "key": "ASIA" + draw(KEY),
        "role_id": "AROA" + draw(KEY) + "Q",
        "ipv4": ".".join(str(draw(OCTET)) for _ in range(4)),
        "ipv6": f"2001:db8:{draw(st.integers(0x1000, 0xFFFE)):x}::{draw(OCTET):x}",
        "email": f"{name[3]}.{name[4]}@{name[5]}.example",
        "host": f"{name[6]}.corp.internal",
        "bucket": f"{name[7]}-bucket",
        "instance": f"i-{draw(st.integers(1 << 60, (1 << 68) - 1)):017x}",
        "hidden_account": draw(DIGITS),
        "hidden_key": "AKIA" + draw(KEY),
        "hidden_ip": ".".join(str(draw(OCTET)) for _ in range(4)),
        "hidden_email": f"{name[8]}@{name[8]}.example",
    }


def test_the_checker_sees_every_identity_in_the_report_that_is_not_redacted(
    template: dict[str, Any],
) -> None:
    hidden = " ; ".join(PLACES[name] for name in HIDDEN)
    for form, text in outputs(filled(template, PLACES, hidden)).items():
        seen = {one.partition(":")[0] for one in survivors(text, PLACES)}
        # The raw alert is in the JSON alone, and with it the mail in its title is everywhere.
        assert seen >= set(PLACES), form


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(who=identities(), encodings=st.lists(st.sampled_from(sorted(ENCODINGS)), min_size=4))
def test_no_original_survives_in_any_form_in_any_field(
    template: dict[str, Any], who: dict[str, str], encodings: list[str]
) -> None:
    # A name in "hidden" fields stands nowhere but in these words.
    words = " ; ".join(
        f"w{at} {ENCODINGS[encodings[at % len(encodings)]](original)}"
        for at, original in enumerate(who.values())
    )
    document = filled(template, who, words)
    for form, text in outputs({**redact(document), "redacted": True}).items():
        assert survivors(text, who) == [], form


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("name", sorted(PLACES))
def test_each_identity_in_each_encoding_is_gone(name: str, encoding: str) -> None:
    original = PLACES[name]
    words = f"see {ENCODINGS[encoding](original)} there"
    known = [] if name in HIDDEN or "email" in name else [original]
    written = Redactor({"note": words}, words=known).redact({"note": words})["note"]
    assert survivors(written, {name: original}) == []
    assert written.startswith("see ") or written == DROPPED


def test_the_checker_itself_finds_every_encoding() -> None:
    for name, encode in ENCODINGS.items():
        if name in ("base64 of base64",):
            continue  # what it does not depend on lies two levels deep
        original = PLACES["host"]
        assert survivors(f"a {encode(original)} b", {"host": original}), name


def test_the_same_original_has_the_same_stand_in_everywhere() -> None:
    found = redact(
        {
            "user_name": "mallory",
            "arn": "arn:aws:iam::111122223333:user/mallory",
            "sentence": "MALLORY of 111122223333 (mallory@corp.example) from 198.51.100.7",
            "account_id": "111122223333",
            "source_ip_address": "198.51.100.7",
        }
    )
    name, account, address = found["user_name"], found["account_id"], found["source_ip_address"]
    assert found["arn"] == f"arn:aws:iam::{account}:user/{name}"
    assert found["sentence"].startswith(f"{name} of {account} (person-1@redacted.example) from")
    assert found["sentence"].endswith(address)
    assert len({name, account, address}) == 3
    assert re.fullmatch(r"[0-9]{12}", account)


def test_different_originals_have_different_stand_ins() -> None:
    addresses = [f"198.51.100.{n}" for n in range(200)]
    found = redact({"addresses": addresses})["addresses"]
    assert len(set(found)) == 200
    assert not set(found) & set(addresses)


def test_what_identifies_nobody_stays() -> None:
    kept = {
        "event_source": "ec2.amazonaws.com",
        "event_name": "AssumeRole",
        "policy": "arn:aws:iam::aws:policy/AdministratorAccess",
        "finding_type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "event_id": EVENT,
        "at": "2026-03-10T11:50:00.000000Z",
        "count": 1234567890123,
        "sha256": "ab12" * 16,
        "head": {"text": f"12:{'0123456789abcdef' * 4}"},
        "user_agent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
        "region": "eu-west-1",
        "nothing": None,
        "flag": True,
    }
    assert redact(kept) == kept


def test_hashes_keep_a_redacted_report_verifiable(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    document = report_document(sqlite_database, opened.id)
    redacted = json.loads(render_report(sqlite_database, opened.id, "json", redacted=True))
    assert redacted["head"] == document["head"]
    assert [e["hash"] for e in redacted["history"]] == [e["hash"] for e in document["history"]]


@pytest.mark.parametrize(
    "host",
    [
        "qqbucket.s3.amazonaws.com",
        "qqbucket.s3.eu-west-1.amazonaws.com",
        "qqid.execute-api.eu-west-1.amazonaws.com",
        "ec2-203-0-113-77.compute-1.amazonaws.com",
        "ip-10-9-8-7.ec2.internal",
        "intra.qqcorp",
    ],
)
def test_hosts_that_name_the_customer_are_replaced(host: str) -> None:
    written = redact({"sentence": f"It called {host}, and s3.amazonaws.com too."})["sentence"]
    assert host not in written
    assert "qq" not in written
    assert "s3.amazonaws.com too" in written


def test_a_label_keeps_its_words_around_what_is_replaced() -> None:
    found = redact(
        {"label": "EC2 instance i-0123456789abcdef0", "session_name": "i-0123456789abcdef0"}
    )
    assert found["label"] == f"EC2 instance {found['session_name']}"
    assert found["session_name"] != "i-0123456789abcdef0"


def test_stand_ins_never_are_originals() -> None:
    # Everything that the program would give out is already somebody's.
    document = {
        "user_name": "name-1",
        "role_name": "name",
        "email": "person-1@redacted.example",
        "source_ip_address": "240.0.0.1",
        "account_id": "999900000001",
        "host": "host",
    }
    found = redact(document)
    text = json.dumps(found).casefold()
    for key, original in document.items():
        values = json.dumps([found[name] for name in found if name == key])
        assert original not in values, key
    assert "person-1@redacted.example" not in text
    assert '240.0.0.1"' not in text


def test_short_names_are_replaced_as_words_only() -> None:
    found = redact(
        {"user_name": "ann", "sentence": "ANN planned it; ann1 and x-ann_y did it, ann."}
    )
    name = found["user_name"]
    assert found["sentence"] == f"{name} planned it; {name}_1 and x-{name}_y did it, {name}."


def test_a_record_stays_json_and_keeps_its_shape() -> None:
    record = json.dumps(
        {"userIdentity": {"userName": "mallory", "accountId": "111122223333"}, "n": [1, None, True]}
    )
    found = json.loads(redact({"record": record})["record"])
    assert found["userIdentity"].keys() == {"userName", "accountId"}
    assert found["n"] == [1, None, True]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=12,
    )
)
@example({"user_name": "half \ud800 name"})
@example({"user_name": "((((", "x": "[[[["})
@example({"user_name": "%", "x": "%%%"})
@example({"x": "{" * 2000})
@example({"x": '{"a":' * 900 + "1" + "}" * 900})
@example({"x": "[" * 900 + "]" * 900})
def test_any_document_can_be_redacted(document: Any) -> None:
    redact(document)


def test_what_is_nested_too_deeply_to_walk_is_redacted_as_text() -> None:
    nested = '{"a":' * 900 + '"mallory 111122223333"' + "}" * 900
    written = redact({"user_name": "mallory", "x": nested})["x"]
    assert "mallory" not in written
    assert "111122223333" not in written


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_says_that_it_is_redacted(sqlite_database: Database, form: Any) -> None:
    opened = a_case(sqlite_database)
    content = render_report(sqlite_database, opened.id, form, redacted=True)
    text = pdf_text(content) if form == "pdf" else content.decode()
    assert ("Redacted: accounts" in text) or ('"redacted": true' in text)
    assert "111122223333" not in text
    assert "@example.com" not in text


@pytest.mark.parametrize("key", ["userAgent", "user_agent", "user_agents"])
def test_an_id_within_a_user_agent_is_no_events(key: str) -> None:
    own = "5f1d3e62-2b1c-4d52-9a0b-0c5d9e7a1f44"
    agent = f"stratus-red-team_{own}"
    document = {
        "alert": {key: [agent] if key.endswith("s") else agent, "event_id": EVENT},
        "answers": [{"sentence": f"Not seen: {agent}. Event {EVENT}.", "evidence": [EVENT]}],
        "records": {EVENT: json.dumps({"eventID": EVENT, "userAgent": agent})},
    }
    said = json.dumps(redact(document, ()))
    assert own not in said
    assert said.count(EVENT) == 5


def test_a_note_names_nobody_whom_any_of_the_case_s_own_data_knows(
    sqlite_database: Database,
) -> None:
    """carol stands in the alert's own text alone, no answer and no frozen evidence names her."""
    raw = json.dumps({"Resource": {"AccessKeyDetails": {"UserName": "carolsmith"}}})
    opened = a_case(sqlite_database, an_alert(raw=raw))
    case.add_note(sqlite_database, "ann", opened.id, "Ask carolsmith; Dave was on call.")
    assert "carolsmith" in render_report(sqlite_database, opened.id, "md").decode()
    text = render_report(sqlite_database, opened.id, "md", redacted=True).decode()
    assert "carolsmith" not in text
    # Whom a person's text alone names nobody can find: the page says so.
    assert "Dave was on call" in text
