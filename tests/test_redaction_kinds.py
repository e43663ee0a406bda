"""What a field or an ARN says of a name decides its stand-in, wherever it was met first."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import case
from cases.database import Database
from cases.redaction import redact
from cases.report import FORMATS, render_report
from tests.a_case import a_case, a_role_principal, a_user_principal, an_alert
from tests.pdf_text import pdf_text

pytest_plugins = ("tests.case_databases",)

ACCOUNT = "111122223333"

SAYS: Mapping[str, Any] = {
    "user": lambda name: {"user_name": name},
    "user by ARN": lambda name: {"arn": f"arn:aws:iam::{ACCOUNT}:user/{name}"},
    "user in a record": lambda name: {"raw": json.dumps({"userIdentity": {"userName": name}})},
    "role": lambda name: {"roleName": name},
    "role by ARN": lambda name: {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
    "role that issued a session": lambda name: {
        "raw": json.dumps(
            {"sessionIssuer": {"userName": name, "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}}
        )
    },
    "session": lambda name: {"session_name": name},
    "session by ARN": lambda name: {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/qqrole/{name}"},
    "session by its id": lambda name: {"principal_id": f"AROAQQQQQQQQQQQQQQQQQ:{name}"},
    "bucket": lambda name: {"raw": json.dumps({"requestParameters": {"bucketName": name}})},
    "bucket by ARN": lambda name: {"raw": f"arn:aws:s3:::{name}/qqkey"},
}
"""What says of a name what it names; the first word is the stand-in's."""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for one in value.values() for text in _strings(one)]


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("name", ["kim.osterholt", "kim.osterholt@acme.example", "qq.ledger.prod"])
@pytest.mark.parametrize("first", ["{}", "{} took it, says QQ", "ask https://{}/ or <{}>"])
def test_a_text_that_comes_first_makes_no_host_of_a_name(says: str, name: str, first: str) -> None:
    said = SAYS[says](name)
    title = first.replace("{}", name)
    for document in ({"title": title, "x": said}, {"x": said, "title": title}):
        found = redact(document)
        stand_in = f"{says.partition(' ')[0]}-1"
        assert found["title"] == first.replace("{}", stand_in)
        (text,) = _strings(found["x"])
        assert stand_in in text
        assert "redacted.example" not in text


_WORD = st.text("qxzjkw", min_size=5, max_size=9)
_NAMES = st.one_of(
    st.lists(_WORD, min_size=2, max_size=4).map(".".join),
    st.tuples(_WORD, _WORD, _WORD).map(lambda w: f"{w[0]}.{w[1]}@{w[2]}.example"),
    _WORD,
)


@settings(max_examples=150, deadline=None)
@given(
    names=st.dictionaries(_NAMES, st.sampled_from(sorted(SAYS)), min_size=1, max_size=5),
    shouted=st.booleans(),
    data=st.data(),
)
def test_the_order_in_which_names_are_met_changes_no_kind(
    names: dict[str, str], shouted: bool, data: st.DataObject
) -> None:
    parts = {f"said {at}": SAYS[says](name) for at, (name, says) in enumerate(names.items())}
    parts |= {
        f"note {at}": {"note": f"see {name.upper() if shouted else name} there"}
        for at, name in enumerate(names)
    }
    found = redact({key: parts[key] for key in data.draw(st.permutations(sorted(parts)))})
    for at, (name, says) in enumerate(names.items()):
        stand_in = found[f"note {at}"]["note"].removeprefix("see ").removesuffix(" there")
        kind = says.partition(" ")[0]
        assert stand_in.rpartition("-")[0] == kind, (name, says)
        (text,) = _strings(found[f"said {at}"])
        assert stand_in in text


def test_a_name_of_several_things_is_called_by_the_one_that_is_surest() -> None:
    user, role = "kim.osterholt", "pay.admin"
    issuer = {"userName": role, "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}
    document = {
        "note": f"{user} in {role}",
        "tags": {"Owner": user},
        "session_name": user,
        "raw": json.dumps({"createdBy": role, "sessionIssuer": issuer}),
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
    }
    assert redact(document)["note"] == "user-1 in role-1"
    assert redact(dict(reversed(document.items())))["note"] == "user-1 in role-1"


def test_what_is_nobodys_name_still_is_a_host_and_a_mail() -> None:
    note = redact({"note": "qq.acme.example, ask kim@acme.example"})["note"]
    assert note == "host-1.redacted.example, ask person-1@redacted.example"
    # Told by its form, an account or an address is nothing else, whatever field it stands in.
    found = redact({"user_name": ACCOUNT, "session_name": "198.51.100.7", "note": "198.51.100.7"})
    assert found["user_name"].isdigit()
    assert found["session_name"] == found["note"] == "address-1"


def test_a_name_of_other_letters_goes_as_a_host_writes_it_too() -> None:
    name = "qqkim.österholt"
    found = redact({"note": f"{name}, xn--{'qqkim'}", "user_name": name, "x": _idna(name)})
    assert found["user_name"] == "user-1"
    assert found["x"] == "user-1"


def _idna(name: str) -> str:
    return name.encode("idna").decode()


@pytest.mark.parametrize("form", FORMATS)
def test_in_every_form_of_report(sqlite_database: Database, form: Any) -> None:
    user, role, session, bucket = "kim.osterholt", "pay.admin", "kim.laptop", "acme.ledger.prod"
    principals = (
        a_role_principal(
            session,
            arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            account_id=ACCOUNT,
        ),
        a_user_principal(
            user,
            arn=f"arn:aws:iam::{ACCOUNT}:user/{user}",
            principal_id="AIDAQQQQQQQQQQQQQQQQQ",
            access_key_id="AKIAQQQQQQQQQQQQQQQQ",
        ),
    )
    raw = json.dumps({"requestParameters": {"bucketName": bucket}})
    opened = a_case(sqlite_database, an_alert(principals=principals, raw=raw))
    note = f"{user} took {bucket} as {role}, in {session}."
    case.add_note(sqlite_database, "ann", opened.id, note)
    version = case.get_case(sqlite_database, opened.id).version
    case.save_case(sqlite_database, "ann", opened.id, version, {"title": note})
    content = render_report(sqlite_database, opened.id, form, redacted=True)
    text = pdf_text(content).replace("\n", " ") if form == "pdf" else content.decode()
    said = r"(user-\d+) took bucket-\d+ as role-\d+, in session-\d+\."
    assert len(set(re.findall(said, text.replace("\\", "")))) == 1  # title and note say the same
    assert "host-" not in text
    for name in (user, role, session, bucket):
        assert name not in text
