"""An alert that names no AWS identity, or one that the index does not know: never only a form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from alerts.parse import parse_alerts
from alerts.resources import Resource, action_of, described, resources_of
from enrich.calls.named_in import User, seen_with
from tests.a_page import a_page, links, table, words
from tests.an_event import a_role_session, an_event
from tests.memory_store import MemoryStore
from trail.events import parse_time
from trail.index.build import add

pytest_plugins = ("tests.case_pages",)

INSTANCE = "i-0123456789abcdef0"
ON_INSTANCE: dict[str, Any] = {
    "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "id": "e" * 32,
    "partition": "aws", "type": "CryptoCurrency:EC2/BitcoinTool.B", "severity": 8,
    "title": f"The EC2 instance {INSTANCE} queries a mining pool.",
    "description": "EC2 instance is communicating with a pool.",
    "resource": {
        "resourceType": "Instance",
        "instanceDetails": {
            "instanceId": INSTANCE, "instanceType": "t2.micro", "imageId": "ami-4836a123",
            "tags": [{"key": "Name", "value": "shop-web"}],
            "networkInterfaces": [{"publicIp": "198.51.100.20", "privateIpAddress": "10.0.0.7"}],
        },
    },
    "service": {
        "eventFirstSeen": "2026-03-10T12:00:00Z", "eventLastSeen": "2026-03-10T12:30:00Z",
        "action": {
            "actionType": "NETWORK_CONNECTION",
            "networkConnectionAction": {
                "connectionDirection": "OUTBOUND", "protocol": "TCP",
                "remotePortDetails": {"port": 8333}, "localPortDetails": {"port": 40112},
                "remoteIpDetails": {"ipAddressV4": "203.0.113.66"},
            },
        },
    },
}  # fmt: skip


def changed(**parts: Any) -> dict[str, Any]:
    return {**ON_INSTANCE, **parts}


def of_rds() -> dict[str, Any]:
    return changed(
        id="d" * 32,
        type="CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin",
        title="A user logged in to database shop-db in an unusual way.",
        resource={
            "resourceType": "RDSDBInstance",
            "rdsDbInstanceDetails": {"dbInstanceIdentifier": "shop-db", "engine": "aurora-mysql"},
            "rdsDbUserDetails": {"user": "app", "database": "orders"},
        },
        service={
            "eventFirstSeen": "2026-03-10T12:00:00Z", "eventLastSeen": "2026-03-10T12:30:00Z",
            "action": {
                "actionType": "RDS_LOGIN_ATTEMPT",
                "rdsLoginAttemptAction": {"remoteIpDetails": {"ipAddressV4": "203.0.113.66"}},
            },
        },
    )  # fmt: skip


def of_eks() -> dict[str, Any]:
    return changed(
        id="c" * 32,
        type="Discovery:Kubernetes/SuccessfulAnonymousAccess",
        title="An anonymous user listed secrets of cluster shop.",
        resource={
            "resourceType": "EKSCluster",
            "eksClusterDetails": {"name": "shop", "status": "ACTIVE"},
            "kubernetesDetails": {"kubernetesWorkloadDetails": {"name": "web-7d", "type": "pods",
                                                                "namespace": "default"}},
        },
        service={
            "eventFirstSeen": "2026-03-10T12:00:00Z", "eventLastSeen": "2026-03-10T12:30:00Z",
            "action": {
                "actionType": "KUBERNETES_API_CALL",
                "kubernetesApiCallAction": {"verb": "list", "requestUri": "/api/v1/secrets",
                                            "sourceIps": ["203.0.113.66"], "statusCode": 200},
            },
        },
    )  # fmt: skip


def parsed(finding: dict[str, Any]) -> Any:
    (alert,) = parse_alerts(json.dumps(finding))
    return alert


def test_a_finding_on_an_instance_names_it_and_its_addresses() -> None:
    alert = parsed(ON_INSTANCE)
    assert resources_of(alert) == (
        Resource("EC2 instance", INSTANCE, "t2.micro, ami-4836a123, shop-web"),
        Resource("address of the instance", "198.51.100.20"),
        Resource("address of the instance", "10.0.0.7"),
    )
    assert described(alert) == "EC2 instance is communicating with a pool."
    assert action_of(alert) == (
        "network connection, outbound, TCP, local port 40112, remote port 8333"
    )


def test_databases_clusters_and_workloads_are_named() -> None:
    assert resources_of(parsed(of_rds())) == (
        Resource("database", "shop-db", "aurora-mysql"),
        Resource("database user", "app", "orders"),
    )
    assert action_of(parsed(of_rds())) == "database login"
    assert resources_of(parsed(of_eks())) == (
        Resource("EKS cluster", "shop", "ACTIVE"),
        Resource("Kubernetes workload", "web-7d", "pods, default"),
    )
    assert action_of(parsed(of_eks())) == ("Kubernetes API call, list, /api/v1/secrets, status 200")


def test_a_finding_in_envelopes_and_in_security_hubs_form_names_them_too() -> None:
    wrapped = {"Type": "Notification", "Message": json.dumps({
        "source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": ON_INSTANCE,
    })}  # fmt: skip
    assert resources_of(parsed(wrapped))[0].name == INSTANCE
    asff = {
        "SchemaVersion": "2018-10-08", "Id": "arn:aws:guardduty:eu-west-1:111122223333:detector/d/"
        "finding/" + "f" * 32, "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "GeneratorId": "g", "AwsAccountId": "111122223333", "Types": ["TTPs/x/y"], "Title": "t",
        "Description": "d", "Severity": {"Label": "HIGH"}, "FirstObservedAt":
        "2026-03-10T12:00:00Z", "LastObservedAt": "2026-03-10T12:00:00Z",
        "Resources": [
            {"Type": "AwsEc2Instance",
             "Id": f"arn:aws:ec2:eu-west-1:111122223333:instance/{INSTANCE}"},
            {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::shop-orders"},
            {"Type": "AwsIamRole", "Id": "arn:aws:iam::111122223333:role/web"},
        ],
    }  # fmt: skip
    assert resources_of(parsed(asff)) == (
        Resource("EC2 instance", INSTANCE, "AwsEc2Instance"),
        Resource("bucket", "shop-orders", "AwsS3Bucket"),
    )


@pytest.mark.parametrize("text", ["", "{", '{"resource": 5}', '{"resources": [1, null]}', "[[[]]]"])
def test_no_text_breaks_it(text: str) -> None:
    alert = parsed(ON_INSTANCE)
    broken = type(alert)(**{**vars(alert), "raw": text})
    assert resources_of(broken) == ()
    assert (described(broken), action_of(broken)) == (None, None)


OF_INSTANCE = a_role_session(role="web", session=INSTANCE, key="ASIAOFTHEINSTANCE0Q1")
RECORDS = [
    an_event(sourceIPAddress="203.0.113.66", eventTime="2026-03-10T11:00:00Z"),
    an_event(sourceIPAddress="203.0.113.66", eventTime="2026-03-10T12:00:00Z",
             errorCode="AccessDenied"),
    an_event(sourceIPAddress="203.0.113.66", eventTime="2026-03-09T12:00:00Z",
             userIdentity=OF_INSTANCE),
    an_event(sourceIPAddress="198.51.100.9"),
]  # fmt: skip


def test_what_the_index_has_of_an_address_a_session_name_and_a_key() -> None:
    store = MemoryStore(RECORDS)
    seen = seen_with("203.0.113.66", "address", store)
    assert (seen.events, seen.failed, seen.users_total) == (3, 1, 2)
    assert seen.first == parse_time("2026-03-09T12:00:00Z")
    assert seen.users[0] == User(
        "arn:aws:iam::111122223333:user/alice",
        2,
        parse_time("2026-03-10T11:00:00Z"),
        parse_time("2026-03-10T12:00:00Z"),
    )
    assert seen_with(INSTANCE, "session", store).events == 1
    assert seen_with("ASIAOFTHEINSTANCE0Q1", "key", store).events == 1
    assert seen_with("192.0.2.1", "address", store).events == 0


@pytest.fixture
def indexed(tmp_path: Path, own_folders: None) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.json").write_text(json.dumps({"Records": RECORDS}))
    add([logs], tmp_path / "index")


def pasted(text: str) -> AppTest:
    at = a_page()
    at.text_area(key="paste-box").set_value(text)
    return next(b for b in at.button if b.label == "Answer the five questions").click().run()


def buttons(at: AppTest) -> set[str]:
    return {one.label for one in at.button}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (json.dumps(ON_INSTANCE), INSTANCE),
        (json.dumps(of_rds()), "shop-db"),
        (json.dumps(of_eks()), "shop"),
        ("traffic from 203.0.113.66 looks odd", "203.0.113.66"),
        ("leaked: AKIAUNKNOWNKEY0Q0Q01", "AKIAUNKNOWNKEY0Q0Q01"),
        ("arn:aws:iam::999988887777:role/unknown", "role/unknown"),
    ],
)
@pytest.mark.usefixtures("indexed")
def test_it_says_what_it_is_and_names_and_can_be_worked_on(text: str, named: str) -> None:
    at = pasted(text)
    assert not at.exception
    rows = table(at, "What the alert names")
    assert named in [row[1] for row in rows]
    assert any(address.startswith("entity?of=") for _, address in links(at))
    assert "What it is" in words(at)
    assert "Open a case" in buttons(at)
    assert not at.text_input  # the form is behind "What was read, and correct it"


@pytest.mark.usefixtures("indexed")
def test_it_leads_to_those_whose_calls_show_its_address() -> None:
    at = pasted(json.dumps(of_rds()))
    row = next(row for row in table(at, "What the alert names") if row[1] == "203.0.113.66")
    assert row[2] == "3 events, 1 failed"
    address = next(address for text, address in links(at) if text == "user/alice" and "arn=" in
                   address)  # fmt: skip
    assert address.startswith("triage?")
    assert "from=" not in address  # the finding says when it was
    at = a_page("triage", dict(pair.split("=", 1) for pair in
                               address.partition("?")[2].replace("%3A", ":").replace("%2F", "/")
                               .split("&")))  # fmt: skip
    assert not at.exception
    assert "Who is behind it" in words(at)


@pytest.mark.usefixtures("indexed")
def test_an_address_without_a_time_is_asked_about_at_its_last_call() -> None:
    at = pasted("traffic from 203.0.113.66 looks odd")
    address = next(address for text, address in links(at) if text == "user/alice" and "arn=" in
                   address)  # fmt: skip
    assert "from=2026-03-10T12%3A00%3A00Z" in address


@pytest.mark.usefixtures("indexed")
def test_a_role_that_the_index_does_not_know_has_its_five_answers() -> None:
    at = pasted("arn:aws:iam::999988887777:role/unknown")
    said = words(at)
    assert said.count("No logs for it") >= 5
    assert "names no time" in said


@pytest.mark.usefixtures("indexed")
def test_a_case_is_opened_and_related_alerts_are_listed() -> None:
    at = pasted(json.dumps(of_rds()))
    at.button(key="triage-open").click().run()
    assert not at.exception
    at = pasted(json.dumps(of_eks()))
    assert "Related alerts" in words(at)
    assert "A user logged in to database shop-db in an unusual way." in words(at)
    assert "names the same IP address" in words(at)


@pytest.mark.usefixtures("indexed")
def test_a_sample_s_placeholders_are_not_looked_up() -> None:
    at = pasted(json.dumps(changed(title="[SAMPLE] x", resource={
        **ON_INSTANCE["resource"], "instanceDetails": {"instanceId": "i-99999999"},
    })))  # fmt: skip
    assert not at.exception
    assert {row[2] for row in table(at, "What the alert names")} == {"open it to search"}
