"""Redaction of names that are written another way, or stand where no field seems to name anyone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cases.redaction import redact

MALLORY = {
    "userIdentity": {
        "type": "IAMUser",
        "userName": "qq.mallory",
        "accountId": "012345678901",
        "arn": "arn:aws:iam::012345678901:user/qq.mallory",
    },
    "sourceIPAddress": "203.0.113.5",
}


def redacted(record: dict[str, Any], note: str = "") -> tuple[dict[str, Any], str]:
    """A quoted record and an analyst's note beside it, after redaction."""
    document = {"evidence": [{"raw": json.dumps(record)}], "notes": [{"text": note}]}
    written = redact(document)
    return json.loads(written["evidence"][0]["raw"]), written["notes"][0]["text"]


def in_64(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


@pytest.mark.parametrize(
    "name",
    [
        "Marta Szabo (marta@acme.example)",
        "CORP Marta Szabo 10.1.1.1",
        "Will Long",
        "Case Manager",
        "Security Lead",
        "Account Owner",
        "EC2 instance i-0123456789abcdef0",
        "Иван Петров",
        "someone named Marta arn:aws:iam::111122223333:user/x",
    ],
)
@pytest.mark.parametrize("field", ["userName", "displayName", "roleSessionName"])
def test_a_name_in_a_quoted_record_is_never_taken_for_a_description(name: str, field: str) -> None:
    record, _ = redacted({"requestParameters": {field: name}})
    assert set(record["requestParameters"][field]) <= set("abcdefghijklmnopqrstuvwxyz-1234567890")
    assert record["requestParameters"][field].endswith("-1")


@pytest.mark.parametrize("name", ["Will Long", "Marta Szabo (marta@acme.example)", "Case Manager"])
@pytest.mark.parametrize("field", ["label", "owner", "author", "display_name"])
def test_nor_is_one_in_a_field_of_ours(name: str, field: str) -> None:
    assert redact({field: name})[field] in ("user-1", "name-1")


def test_a_description_of_ours_keeps_its_words() -> None:
    label = "Identity Center user i-0123456789abcdef0, permission set Qqadmins"
    assert redact({"label": "EC2 instance i-0123456789abcdef0"})["label"].startswith("EC2 instance")
    assert redact({"label": "AWS service ec2.amazonaws.com"}) == {
        "label": "AWS service ec2.amazonaws.com"
    }
    assert "Qqadmins" not in redact({"label": label})["label"]


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Zoltán", in_64("Zoltán")),
        ("Zoltán", in_64("ZOLTÁN was here")),
        ("zoltán", in_64("á á á zoltán á á")),
        ("Иван Петров", in_64("Иван Петров")),
        ("Иван Петров", in_64("это Иван Петров, да")),
        ("Иван Петров", in_64("Иван Петров", "utf-16-le")),
        ("Иван Петров", "Иван Петров".encode().hex()),
        ("山田太郎", in_64("署名者は山田太郎です")),
        ("山田太郎", "署名者は山田太郎です"),
        ("qqali", in_64("qqali")),
        ("qqali", in_64("qqali").rstrip("=")),
        ("qqa", in_64("qqa")),
        ("qqali", b"qqali".hex().upper()),
        ("qqa", b"qqa".hex()),
        ("qq.mallory", " ".join(f"{byte:02x}" for byte in b"by qq.mallory")),
        ("qq.mallory", ":".join(f"{byte:02X}" for byte in b"qq.mallory")),
    ],
)
def test_a_name_that_leaves_no_mark_in_its_encoding_goes(name: str, hidden: str) -> None:
    record, note = redacted({"userIdentity": {"userName": name}}, f"see {hidden} there")
    assert record["userIdentity"]["userName"] == "user-1"
    assert hidden not in note
    assert not any(part in note for part in hidden.split() if len(part) > 3)
    assert note == "[redacted]" or (note.startswith("see ") and note.endswith(" there"))


def in_32(text: str) -> str:
    return base64.b32encode(text.encode()).decode()


@pytest.mark.parametrize("name", ["qqali", "qq.mallory", "qq.mallory-1234567"])
@pytest.mark.parametrize("around", ["{}", "by {}", "it was {}, it seems", "{} and others"])
@pytest.mark.parametrize(
    "written",
    [
        lambda text: in_32(text),
        lambda text: in_32(text).rstrip("="),
        lambda text: in_32(text).lower(),
        lambda text: in_32(text.upper()),
        lambda text: in_32(in_64(text)),
        lambda text: in_64(in_32(text)),
        lambda text: f"/{in_32(text)}/x",
    ],
)
def test_a_name_in_base32_goes(name: str, around: str, written: Callable[[str], str]) -> None:
    hidden = written(around.format(name))
    record, note = redacted({"userIdentity": {"userName": name}}, f"see {hidden} there")
    assert record["userIdentity"]["userName"] == "user-1"
    assert not any(part in note for part in re.findall("[A-Za-z2-7]{5,}", hidden))
    assert note.startswith("see ")
    assert note.endswith(" there")


def test_words_that_could_be_base32_stay() -> None:
    said = "unauthorizedoperation MFRGGZDFMZTWQ2LK administratoraccess JBSWY3DPEBLW64TMMQ======"
    assert redacted(MALLORY, said)[1] == said


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n    ", "\\n", "\\r\\n"])
@pytest.mark.parametrize("before", [50, 51, 52, 53])
def test_a_name_across_the_lines_of_wrapped_base64_goes(line_break: str, before: int) -> None:
    whole = in_64("a" * before + "qq.mallory" + " and so on" * 12)
    wrapped = line_break.join(whole[at : at + 76] for at in range(0, len(whole), 76))
    record, note = redacted({**MALLORY, "requestParameters": {"command": wrapped}}, wrapped)
    for said in (note, record["requestParameters"]["command"]):
        assert whole[60:76] not in said
        assert whole[76:90] not in said


def test_a_list_of_event_ids_or_digests_one_a_line_stays() -> None:
    ids = "\n".join(f"{n:08d}-0000-4000-8000-000000000001" for n in range(200))
    digests = "\n".join(f"{n:064x}" for n in range(200))
    _, note = redacted(MALLORY, f"{ids}\n\n{digests}")
    assert note == f"{ids}\n\n{digests}"


@pytest.mark.parametrize(
    "login",
    [
        "https://qq-payments.signin.aws.amazon.com/console",
        "qq-payments.signin.amazonaws.com",
    ],
)
def test_an_account_alias_goes_wherever_it_stands(login: str) -> None:
    record, note = redacted(
        {"additionalEventData": {"LoginTo": login}},
        "the qq-payments account; signin.aws.amazon.com",
    )
    assert "payments" not in json.dumps(record) + note
    assert note.endswith("signin.aws.amazon.com")
    record, _ = redacted({"requestParameters": {"accountAlias": "qq-payments"}})
    assert record["requestParameters"]["accountAlias"] == "alias-1"
    regional = {"LoginTo": "https://eu-west-1.signin.aws.amazon.com/console"}
    assert redacted({"additionalEventData": regional})[0]["additionalEventData"] == regional


NAMING = """loadBalancerName stateMachineName streamName deliveryStreamName pipelineName vaultName
 applicationName environmentName workGroup hostedZoneName certificateName serverName endpointName
 jobName createdBy lastModifiedBy assignee requester approver contact mail upn nameId NameID surname
 nickname customer company organizationName tenant dBClusterIdentifier companyName newUserName
 resourceName apiName serviceName layerName recipients samlSubject workspace department"""


@pytest.mark.parametrize("field", NAMING.split())
def test_what_any_field_of_a_quoted_record_names_goes(field: str) -> None:
    record, note = redacted({"requestParameters": {field: "qqcorp-x"}}, "of QQCORP-X itself")
    assert "qqcorp" not in json.dumps([record, note]).casefold()
    assert list(record["requestParameters"]) == [field]


def test_what_aws_itself_named_stays() -> None:
    record = {
        "eventName": "GetObject",
        "eventSource": "s3.amazonaws.com",
        "awsRegion": "eu-west-1",
        "userIdentity": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"},
        "requestParameters": {
            "regionName": "eu-west-1",
            "serviceName": "com.amazonaws.eu-west-1.s3",
            "metricName": "CPUUtilization",
            "availabilityZoneName": "eu-west-1a",
            "roleName": "eu-west-1",
            "sortBy": "Name",
        },
        "service": {"serviceName": "guardduty", "countryName": "Hungary"},
    }
    written, note = redacted(record, "in eu-west-1")
    assert (written, note) == (record, "in eu-west-1")


@pytest.mark.parametrize(
    ("url", "gone"),
    [
        ("s3://qq-hr-bucket/qq-salaries/all.csv", ("qq-hr-bucket", "qq-salaries")),
        ("https://s3.amazonaws.com/qq-hr-bucket/a?x=1", ("qq-hr-bucket",)),
        ("https://s3.eu-west-1.amazonaws.com/qq-hr-bucket", ("qq-hr-bucket",)),
        ("https://s3-eu-west-1.amazonaws.com/qq-hr-bucket/", ("qq-hr-bucket",)),
        ("https://qq-hr-bucket.s3.eu-west-1.amazonaws.com/x", ("qq-hr-bucket",)),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/qq-hr-bucket", ("qq-hr-bucket", "1111")),
    ],
)
def test_a_bucket_and_a_queue_in_a_url_go_there_and_elsewhere(
    url: str, gone: tuple[str, ...]
) -> None:
    record, note = redacted({"requestParameters": {"url": url}}, "as for qq-hr-bucket, it is ours")
    for one in gone:
        assert one not in json.dumps(record) + note
    assert note.endswith(", it is ours")


@pytest.mark.parametrize(
    "written",
    [
        "203[.]0[.]113[.]5",
        "203(.)0(.)113(.)5",
        "203[dot]0[dot]113[dot]5",
        "203 [.] 0 [.] 113 [.] 5",
        "3405803781",  # ((203 · 256 + 0) · 256 + 113) · 256 + 5
        "0xCB007105",
        "cb007105",
        "203.000.113.005",
        "5.113.0.203.in-addr.arpa",
        "012,345,678,901",
        "12,345,678,901",
        "12345678901",
        "0123.4567.8901",
        "0123_4567_8901",
        "012 345 678 901",
        "0123\u20134567\u20138901",
    ],
)
def test_an_address_or_an_account_written_another_way_goes(written: str) -> None:
    _, note = redacted(MALLORY, f"seen {written} twice")
    assert written not in note
    assert note.startswith("seen ")
    assert note.endswith(" twice")
    for digits in ("203", "113", "0345", "8901", "901", "3405803781"):
        assert digits not in note


@pytest.mark.parametrize(
    "written",
    [
        "2001:DB8:A0B:12F0::1",
        "2001:0db8:0a0b:12f0:0000:0000:0000:0001",
        "2001:0db8:a0b:12f0:0:0:0:1",
        "2001:db8:a0b:12f0:0:0:0.0.0.1",  # the last 32 bits as IPv4 has them (RFC 4291, 2.2)
        "2001[:]db8[:]a0b[:]12f0[::]1",
        "2001-db8-a0b-12f0--1",
        "2001-0db8-0a0b-12f0-0000-0000-0000-0001",
        "42540766414390830568948465903729639425",
        "20010db80a0b12f00000000000000001",
        "0x20010DB80A0B12F00000000000000001",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.f.2.1.b.0.a.0.8.b.d.0.1.0.0.2.ip6.arpa",
    ],
)
def test_an_address_of_ipv6_written_another_way_is_the_same_address(written: str) -> None:
    record, note = redacted({**MALLORY, "sourceIPAddress": "2001:db8:a0b:12f0::1"}, written)
    assert (record["sourceIPAddress"], note) == ("address-1", "address-1")


def test_an_address_of_ipv4_in_ipv6_is_the_same_address() -> None:
    for written in ("::ffff:203.0.113.5", "::ffff:cb00:7105"):
        assert redacted(MALLORY, f"from {written}")[1] == "from address-1"


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("encode", [base64.b64encode, lambda data: data.hex().encode()])
def test_a_name_in_either_utf_16_goes(
    encode: Callable[[bytes], bytes], encoding: str, before: str
) -> None:
    hidden = encode(f"{before}qq.mallory".encode(encoding)).decode()
    assert redacted(MALLORY, f"see {hidden} there")[1] == "see [redacted] there"


@pytest.mark.parametrize(
    "written", ["qqzk@acme[.]example", "qqzk[@]acme.example", "qqzk[at]acme[dot]example"]
)
def test_a_mail_that_nobody_shall_click_goes(written: str) -> None:
    _, note = redacted(MALLORY, f"from {written}, today")
    assert note == "from person-1@redacted.example, today"


@pytest.mark.parametrize("number", [12345678901, 12345678901.0])
def test_an_account_as_a_number_stays_a_number_of_another(number: float) -> None:
    record, _ = redacted({**MALLORY, "requestParameters": {"accountId": number, "n": number}})
    written = record["requestParameters"]
    assert written["accountId"] == written["n"] != number
    assert type(written["n"]) is type(number)
    alone, _ = redacted({"requestParameters": {"accountId": number}})
    assert alone["requestParameters"]["accountId"] != number


def test_other_numbers_stay_whatever_addresses_there_are() -> None:
    record = {"sourceIPAddress": "203.0.113.5", "n": [1700000000, 12345678901, 3, 1.5, True]}
    written, note = redacted(record, "34058037810 bytes, 13405803781 in all")
    assert written["n"] == record["n"]
    assert note == "34058037810 bytes, 13405803781 in all"


def test_an_identity_as_a_key_goes_and_the_fields_stay() -> None:
    asked = {
        "item": {"qq.mallory": 1, "qqzoltan": 2, "bucketName": None, "key": None},
        "tags": {"deep": {"qq.mallory": 1}},
    }
    record, _ = redacted(
        {**MALLORY, "sessionName": "qqzoltan", "roleName": "bucketName", "requestParameters": asked}
    )
    assert list(record["requestParameters"]) == ["item", "tags"]
    keys = [*record["requestParameters"]["item"], *record["requestParameters"]["tags"]["deep"]]
    assert keys[2:4] == ["bucketName", "key"]
    assert not [key for key in keys if key.startswith("qq")]


def test_an_id_that_is_a_name_in_hex_goes_and_an_events_stays() -> None:
    name = "qq.mallory-12345"
    asked = {"id": name.encode().hex()}
    record, _ = redacted({"userIdentity": {"userName": name}, "requestParameters": asked})
    assert record["requestParameters"] != asked
    kept = {"id": "0123456789abcdef0123456789abcdef"}
    assert redacted({"requestParameters": kept})[0]["requestParameters"] == kept


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("großmann.h", "GROSSMANN.H did it"),
        ("zoltan", "zoltanprod and LaptopZoltan"),
        ("+36301234567", "36301234567 and 0036301234567"),
    ],
)
def test_a_name_in_other_letters_or_within_a_word_goes(name: str, text: str) -> None:
    field = "phoneNumber" if name.startswith("+") else "userName"
    _, note = redacted({"userIdentity": {field: name}}, text)
    for gone in ("grossmann", "zoltan", "30123"):
        assert gone not in note.casefold()


def test_a_host_with_other_letters_goes_whole() -> None:
    _, note = redacted(MALLORY, "https://qqzoltán-laptop.acme.example/ today")
    assert note == "https://host-1.redacted.example/ today"
