"""What is no CloudTrail, by name: other services' logs, what an operating system leaves behind.

Such a file is skipped, and its reason says what it is; a reject is for damage alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CLOUDTRAIL_KINDS = re.compile(
    r"(?:^|/)(?:CloudTrail-(Digest|Insight|Aggregated)(?=/)|[^/]*_CloudTrail-"
    r"(Digest|Insight|Aggregated)_[^/]*$)"
)
_LEFT_BEHIND = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
_FOLDERS = (
    ("/elasticloadbalancing/", "load balancer"),
    ("/WAFLogs/", "WAF"),
    ("/vpcflowlogs/", "VPC flow"),
    ("/vpcdnsquerylogs/", "DNS query"),
    ("/Config/", "AWS Config"),
    ("/network-firewall/", "Network Firewall"),
    ("/cloudfront/", "CloudFront"),
    ("/S3ServerAccessLogs/", "S3 access"),
    ("/globalaccelerator/", "Global Accelerator"),
    ("/GuardDuty/", "GuardDuty finding"),
)
_AWS_LOGS = re.compile(r"(?:^|/)(?:AWSLogs|aws-waf-logs-[^/]*)/")
_FIRST_LINES = (
    (re.compile(rb"(?:https?|h2|grpcs?|wss?) \d{4}-\d\d-\d\dT\S+ (?:app|net|gwy)/\S+ "),
     "a load balancer log"),
    (re.compile(rb"tls \d\.\d \d{4}-\d\d-\d\dT\S+ net/"), "a load balancer log"),
    (re.compile(rb"\d{4}-\d\d-\d\dT\S+Z \S+ \d{1,3}(?:\.\d{1,3}){3}:\d+ \S+ -?\d"),
     "a load balancer log"),
    (re.compile(rb"\d{4}-\d\d-\d\dT\S+Z \d{1,3}(?:\.\d{1,3}){3} \d+ \d+ "), "a load balancer log"),
    (re.compile(rb"1\.0 \d{4}-\d\d-\d\dT\S+Z Z[A-Z0-9]+ \S+ [A-Z]+ "), "a DNS query log"),
    (re.compile(rb"version resource-type |[a-z_,\"-]*\b(?:interface[_-]id|srcaddr)\b[a-z_,\"-]*\n"),
     "a VPC flow log"),
    (re.compile(rb"version account-id|account-id interface-id|\d \d{12} eni-[0-9a-f]+ "
                rb"|(?=[a-z0-9 -]+\n)(?:[a-z0-9-]+ )*(?:interface-id|srcaddr|flow-direction)\b"),
     "a VPC flow log"),
    (re.compile(rb"[0-9a-f]{4,64} \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]+ [+-]\d{4}\] "),
     "an S3 access log"),
    (re.compile(rb"#Version: 1\.0\s+#Fields: date time x-edge-location"), "a CloudFront log"),
    (re.compile(rb"#Version: "), "a log of a web server"),
    (re.compile(rb"\d{1,3}(?:\.\d{1,3}){3} \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:"),
     "a log of a web server"),
    (re.compile(rb"<\?xml|<!DOCTYPE|<html", re.IGNORECASE), "XML or HTML"),
    (re.compile(rb"%PDF-|\x89PNG|GIF8|\xff\xd8\xff"), "a document or an image"),
    (re.compile(rb"SQLite format 3\0|ElfFile\0|regf"), "a database or an event log of a system"),
    (re.compile(rb"---\s|AWSTemplateFormatVersion:"), "YAML"),
)  # fmt: skip


def kind_skipped_by_path(path: str) -> str | None:
    """Why a file of this name holds no per-call events, or None."""
    if "CloudTrail-" in path and (match := _CLOUDTRAIL_KINDS.search(path)) is not None:
        return f"a CloudTrail {match[1] or match[2]} file: not per-call events"
    if ("__MACOSX" in path or "/." in path or path[-3:] in ("ini", ".db")) and (
        _LEFT_BEHIND.search(path)
    ):
        return "a file that an operating system left behind: no log"
    if "/CloudTrail/" in path or "AWSLogs" not in path:  # nearly all
        return None
    for folder, what in _FOLDERS:
        if folder in path and _AWS_LOGS.search(path):
            return f"{what} log: no CloudTrail"
    return None


def kind_of_text(start: bytes) -> str | None:
    """What a text that is no CloudTrail is, by how it begins; None where that is not known."""
    for begins, what in _FIRST_LINES:
        if begins.match(start):
            return f"{what}: no CloudTrail"
    return None


_SHAPES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), what)
    for keys, what in (
        ("webaclId action httpRequest", "a WAF log"),
        ("query_name query_type", "a DNS query log"),
        ("account_id query_name", "a DNS query log"),
        ("configurationItems", "an AWS Config file"),
        ("configRuleName awsAccountId", "an AWS Config file"),
        ("configurationItemCaptureTime resourceType", "an AWS Config file"),
        ("messageType configurationItem", "an AWS Config notice"),
        ("detail-type source detail", "an EventBridge event of another kind"),
        ("s3Bucket s3ObjectKey", "CloudTrail's notice that a file was written"),
        ("x-edge-location c-ip", "a CloudFront log"),
        ("protoPayload logName", "a Google Cloud audit log"),
        ("operationName category time", "an Azure log"),
        ("Operation Workload CreationTime", "a Microsoft 365 audit log"),
        ("eventType published actor", "an Okta log"),
        ("firewall_name event_timestamp", "a Network Firewall log"),
        ("interface-id srcaddr", "a VPC flow log"),
        ("interface_id srcaddr", "a VPC flow log"),
        ("modelId inferenceRegion", "a Bedrock invocation log"),
        ("kind apiVersion auditID", "a Kubernetes audit log"),
        ("schemaVersion detectorId", "a GuardDuty finding"),
        ("SchemaVersion ProductArn", "a Security Hub finding"),
        ("Version Statement", "an IAM policy"),
        ("Resources AWSTemplateFormatVersion", "a CloudFormation template"),
    )
)


def kind_of_object(value: Mapping[str, Any]) -> str | None:
    """What a JSON object is that holds no CloudTrail record; None where that is not known."""
    service = value.get("service")
    if isinstance(service, Mapping) and "detectorId" in service and "type" in value:
        return "a GuardDuty finding: paste or upload it as an alert"
    for keys, what in _SHAPES:
        if keys <= value.keys():
            return f"{what}: no CloudTrail"
    return None
