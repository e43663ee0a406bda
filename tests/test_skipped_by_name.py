"""What is no CloudTrail is skipped, and its reason names what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trail.index.ingest import Task, read_task
from trail.read.formats import Bad, Loose, Skipped, read_source

ADDRESS = "198.51.100.7"
FILES: dict[str, tuple[str, object]] = {
    "a load balancer log": (
        "c.log", f"2026-03-10T12:00:00.1Z {ADDRESS} 41000 443 TLSv1.3 TLS_AES_128 1.0 - - -\n"),
    "a DNS query log": (
        "r.log", f"1.0 2026-03-10T12:00:00Z Z123 example.com A NOERROR UDP IAD12 {ADDRESS} -\n"),
    "a VPC flow log": ("f.csv", "account_id,interface_id,srcaddr,dstaddr\n1,eni-1,1,1\n"),
    "an AWS Config notice": (
        "n.json", {"messageType": "ConfigurationItemChangeNotification", "configurationItem": {}}),
    "an EventBridge event of another kind": (
        "e.json", {"detail-type": "EC2 State-change", "source": "aws.ec2", "detail": {}}),
    "CloudTrail's notice": ("s.json", {"s3Bucket": "b", "s3ObjectKey": ["AWSLogs/x"]}),
    "a CloudFront log": ("cf.json", {"date": "2026-03-10", "x-edge-location": "I", "c-ip": "1"}),
    "a Google Cloud audit log": ("g.json", {"protoPayload": {"methodName": "x"}, "logName": "x"}),
    "an Azure log": ("az.json", {"records": [
        {"time": "t", "operationName": "Sign-in", "category": "SignInLogs"}]}),
    "a Microsoft 365 audit log": (
        "o.json", {"CreationTime": "t", "Operation": "UserLoggedIn", "Workload": "x"}),
    "an Okta log": ("k.json", [{"eventType": "user.session.start", "published": "t", "actor": {}}]),
    "aws:dynamodb record": ("d.json", {"Records": [
        {"eventID": "1", "eventName": "INSERT", "eventVersion": "1.1",
         "eventSource": "aws:dynamodb", "dynamodb": {}}]}),
    "aws:sqs record": ("q.json", {"Records": [
        {"messageId": "1", "eventSource": "aws:sqs", "body": "hi"}]}),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_other_services_logs_are_named(what: str, tmp_path: Path) -> None:
    name, content = FILES[what]
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content) + "\n")
    result = read_task(Task(str(tmp_path / "index"), [str(path)]))
    assert (result.events, result.files[0].rejects) == (0, [])
    assert [reason for _, reason, _, _ in result.files[0].skips if reason.startswith(what)]


def test_the_lines_of_elastics_bulk_form_are_no_damage(tmp_path: Path) -> None:
    record = {"eventTime": "2026-03-10T12:00:00Z", "eventName": "X", "eventSource": "s",
              "userIdentity.arn": "arn:aws:iam::111122223333:user/al"}  # fmt: skip
    path = tmp_path / "bulk.json"
    path.write_text("\n".join(map(json.dumps, [{"index": {"_index": "x"}}, record] * 2)) + "\n")
    found = list(read_source(path))
    assert sum(isinstance(one, Loose) for one in found) == 2
    assert sum(isinstance(one, Skipped) for one in found) == 2
    assert not any(isinstance(one, Bad) for one in found)
