"""Every shape that a log or an alert is handed out in, made from one record.

`docs/shapes.md` has a line for each; `tests/test_shapes.py` holds both sides to it.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.an_event import a_role_session, an_event

EVENT_ID = "8d0b1c2e-3f4a-4b5c-9d6e-7f8091a2b3c4"
WHO = a_role_session(path="/teams/")
RECORD = an_event(
    userIdentity=WHO,
    eventTime="2026-03-10T12:00:00Z",
    eventSource="ec2.amazonaws.com",
    eventName="GetPasswordData",
    requestParameters={"instanceId": "i-0123456789abcdef0"},
    eventID=EVENT_ID,
)
TEXT = json.dumps(RECORD)
FIELDS = {
    "eventTime": RECORD["eventTime"], "eventName": RECORD["eventName"],
    "eventSource": RECORD["eventSource"], "eventID": EVENT_ID, "awsRegion": RECORD["awsRegion"],
    "recipientAccountId": RECORD["recipientAccountId"],
    "sourceIPAddress": RECORD["sourceIPAddress"], "userIdentity.type": WHO["type"],
    "userIdentity.arn": WHO["arn"], "userIdentity.principalId": WHO["principalId"],
    "userIdentity.accountId": WHO["accountId"], "userIdentity.accessKeyId": WHO["accessKeyId"],
}  # fmt: skip
SQL = {
    "event_time": RECORD["eventTime"], "event_name": RECORD["eventName"],
    "event_source": RECORD["eventSource"], "event_id": EVENT_ID, "aws_region": "eu-west-1",
    "recipient_account_id": "111122223333", "source_ip_address": "198.51.100.7",
    "username": "work", "user_type": "AssumedRole", "access_key_id": WHO["accessKeyId"],
    "user_identity": WHO, "request_parameters": RECORD["requestParameters"],
}  # fmt: skip
STRUCT = (
    "{type=AssumedRole, principalid=" + WHO["principalId"] + ", arn=" + WHO["arn"] + ", "
    "accountid=111122223333, invokedby=null, accesskeyid=" + WHO["accessKeyId"] + ", "
    "username=null, sessioncontext={attributes={mfaauthenticated=false, "
    "creationdate=2026-03-10T11:50:00Z}, sessionissuer={type=Role, principalid=AROAX, "
    "arn=arn:aws:iam::111122223333:role/teams/reader, accountid=111122223333, username=reader}}}"
)
LOG_EVENTS = {
    "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
    "subscriptionFilters": ["f"],
    "logEvents": [{"id": "1", "timestamp": 1773144000000, "message": TEXT}],
}  # fmt: skip
OCSF = {
    "class_uid": 6003, "class_name": "API Activity", "time": 1773144000000,
    "metadata": {"uid": EVENT_ID, "product": {"name": "CloudTrail", "version": "1.11"}},
    "api": {"operation": "GetPasswordData", "service": {"name": "ec2.amazonaws.com"}},
    "cloud": {"region": "eu-west-1", "account": {"uid": "111122223333"}},
    "src_endpoint": {"ip": "198.51.100.7"},
    "actor": {"user": {
        "type": "AssumedRole", "uid": WHO["arn"], "uid_alt": WHO["principalId"],
        "credential_uid": WHO["accessKeyId"], "account": {"uid": "111122223333"}}},
}  # fmt: skip
ELASTIC = {
    "@timestamp": "2026-03-10T12:00:00.000Z",
    "event": {"action": "GetPasswordData", "provider": "ec2.amazonaws.com", "id": EVENT_ID},
    "source": {"ip": "198.51.100.7"},
    "cloud": {"account": {"id": "111122223333"}, "region": "eu-west-1"},
    "user": {"id": WHO["principalId"], "name": "reader"},
    "aws": {"cloudtrail": {"user_identity": {
        "type": "AssumedRole", "arn": WHO["arn"], "access_key_id": WHO["accessKeyId"]}}},
}  # fmt: skip
SENTINEL = {
    "TimeGenerated": "2026-03-10T12:00:00Z", "EventName": "GetPasswordData",
    "EventSource": "ec2.amazonaws.com", "AwsEventId": EVENT_ID, "UserIdentityArn": WHO["arn"],
    "UserIdentityPrincipalid": WHO["principalId"], "UserIdentityType": "AssumedRole",
    "UserIdentityAccessKeyId": WHO["accessKeyId"],
}  # fmt: skip


DATADOG = {
    **{name: value for name, value in RECORD.items() if name not in (
        "eventName", "eventTime", "eventVersion", "sourceIPAddress", "userAgent")},
    "evt": {"name": "GetPasswordData", "outcome": "success"},
    "network": {"client": {"ip": "198.51.100.7"}}, "http": {"useragent": RECORD["userAgent"]},
}  # fmt: skip


def table(columns: Mapping[str, Any] | Sequence[str], *rows: Sequence[Any], by: str = ",") -> str:
    """A table's text; of a mapping, its keys over its values."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=by)
    writer.writerow(list(columns))
    shown = [list(columns.values())] if isinstance(columns, Mapping) else list(rows)
    writer.writerows([[json.dumps(c) if isinstance(c, dict) else c for c in row] for row in shown])
    return text.getvalue()


def eventbridge(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2", "account": "111122223333", "time": "2026-03-10T12:00:05Z",
        "region": "eu-west-1", "resources": [], "detail": detail,
    }  # fmt: skip


def packed(value: object) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a/b.json", data)
        archive.writestr("__MACOSX/a/._b.json", b"\0\5\x16\7")
    return made.getvalue()


def tarred(data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        info = tarfile.TarInfo("b.json")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


@dataclass(frozen=True)
class Shape:
    """`log` and `alert` are "read" (the whole record), "columns" (as far as they go), "refused",
    "skipped", "text" or "" (not tried)."""

    example: str
    log: str
    alert: str
    make: Callable[[], str | bytes]


def j(value: object) -> Callable[[], str]:
    return lambda: json.dumps(value)


SHAPES: dict[str, Shape] = {
    "CloudTrail's own file": Shape('{"Records": [{…}]}', "read", "read", j({"Records": [RECORD]})),
    "one record": Shape('{"eventVersion": …}', "read", "read", lambda: TEXT),
    "array of records": Shape("[{…}, {…}]", "read", "read", j([RECORD])),
    "JSON lines": Shape("{…}⏎{…}", "read", "read", lambda: TEXT + "\n"),
    "gzip": Shape("a.json.gz", "read", "read", lambda: gzip.compress(TEXT.encode())),
    "gzip in gzip": Shape("a.json.gz.gz", "read", "read",
                          lambda: gzip.compress(gzip.compress(TEXT.encode()))),
    "zip": Shape("a.zip, __MACOSX left out", "read", "read", lambda: zipped(TEXT.encode())),
    "tar.gz": Shape("a.tar.gz", "read", "read", lambda: tarred(TEXT.encode())),
    "UTF-16": Shape("PowerShell's >", "read", "read", lambda: TEXT.encode("utf-16")),
    "UTF-8 with a mark": Shape("EF BB BF {…}", "read", "read",
                               lambda: b"\xef\xbb\xbf" + TEXT.encode()),
    "base64 of gzip": Shape("H4sIA…", "read", "read", lambda: packed(RECORD)),
    "JSON in a JSON string": Shape('"{\\"eventVersion\\": …}"', "read", "read", j(TEXT)),
    "EventBridge event": Shape('{"detail-type": …, "detail": {…}}', "read", "read",
                               j(eventbridge(RECORD))),
    "EventBridge in SNS": Shape('{"Type": "Notification", "Message": "{…}"}', "read", "read", j(
        {"Type": "Notification", "TopicArn": "t", "Message": json.dumps(eventbridge(RECORD))})),
    "EventBridge in SNS in SQS": Shape('{"Messages": [{"Body": "{…}"}]}', "read", "read", j(
        {"Messages": [{"MessageId": "m", "Body": json.dumps(
            {"Type": "Notification", "Message": json.dumps(eventbridge(RECORD))})}]})),
    "LookupEvents": Shape('{"Events": [{"CloudTrailEvent": "{…}"}]}', "read", "read", j(
        {"Events": [{"EventId": EVENT_ID, "CloudTrailEvent": TEXT}]})),
    "LookupEvents, --query 'Events[].CloudTrailEvent'": Shape('["{…}", "{…}"]', "read", "read",
                                                              j([TEXT])),
    "LookupEvents, --query 'Events[].[CloudTrailEvent,EventName]'": Shape(
        '[["{…}", "GetPasswordData"]]', "read", "read", j([[TEXT, "GetPasswordData"]])),
    "LookupEvents, --output text": Shape("EVENTS⇥ASIA…⇥{…}⇥…", "read", "read", lambda:
        f"EVENTS\tASIA\t{TEXT}\t{EVENT_ID}\tx\nRESOURCES\ta\tb\n"),
    "LookupEvents, --query and --output text": Shape("{…}⇥{…}", "read", "read",
                                                     lambda: f"{TEXT}\n"),
    "LookupEvents, --output yaml": Shape("Events:⏎- CloudTrailEvent: …", "read", "read",
                                         lambda: f"Events:\n- CloudTrailEvent: '{TEXT}'\n"),
    "one record, YAML": Shape("eventVersion: '1.11'⏎userIdentity:⏎  type: …", "read", "read",
                              lambda: yaml.safe_dump(RECORD, sort_keys=False)),
    "LookupEvents, --output table": Shape("-----⏎ CloudTrailEvent ¦ {…}", "read", "read",
        lambda: f"{'-' * 40}\n|  LookupEvents  |\n||  CloudTrailEvent |  {TEXT} ||\n"),
    "table in Markdown": Shape("¦ eventTime ¦ … ¦⏎¦---¦---¦", "columns", "columns",
        lambda: "\n|---|---|\n".join(
            f"| {' | '.join(line)} |" for line in zip(*(
                (name, str(value)) for name, value in (
                    ("eventTime", RECORD["eventTime"]), ("eventName", RECORD["eventName"]),
                    ("eventSource", RECORD["eventSource"]), ("eventID", EVENT_ID),
                    ("userIdentity.type", WHO["type"]), ("userIdentity.arn", WHO["arn"]),
                    ("userIdentity.principalId", WHO["principalId"]))), strict=True))),
    "CloudWatch Logs subscription": Shape('{"messageType": "DATA_MESSAGE", "logEvents": […]}',
                                          "read", "read", j(LOG_EVENTS)),
    "CloudWatch Logs handed to Lambda": Shape('{"awslogs": {"data": "H4sI…"}}', "read", "read",
                                              j({"awslogs": {"data": packed(LOG_EVENTS)}})),
    "Kinesis event": Shape('{"Records": [{"kinesis": {"data": "H4sI…"}}]}', "read", "read",
                           j({"Records": [{"kinesis": {"data": packed(LOG_EVENTS)}}]})),
    "Firehose's event": Shape('{"records": [{"recordId": …, "data": "eyJ…"}]}', "read", "read", j(
        {"records": [{"recordId": "1", "data": base64.b64encode(TEXT.encode()).decode()}]})),
    "Firehose's object": Shape("members of gzip one behind another", "read", "read",
                               lambda: gzip.compress(json.dumps(LOG_EVENTS).encode())),
    "CloudWatch Logs exported to S3": Shape("2026-03-10T12:00:00.000Z {…}", "read", "read",
                                            lambda: f"2026-03-10T12:00:00.000Z {TEXT}\n"),
    "aws logs tail": Shape("2026-03-10T12:00:00+00:00 stream {…}", "read", "read",
                           lambda: f"2026-03-10T12:00:00+00:00 stream {TEXT}\n"),
    "aws logs filter-log-events": Shape('{"events": [{"message": "{…}"}]}', "read", "read",
                                        j({"events": LOG_EVENTS["logEvents"]})),
    "syslog": Shape("<134>Mar 10 12:00:00 host cloudtrail: {…}", "read", "read",
                    lambda: f"<134>Mar 10 12:00:00 host cloudtrail: {TEXT}\n"),
    "Logs Insights, console CSV": Shape('@timestamp,@message⏎…,"{…}"', "read", "read", lambda:
        table(["@timestamp", "@message"], ["2026-03-10 12:00:00.000", TEXT])),
    "Logs Insights, console JSON": Shape('[{"@timestamp": …, "@message": {…}}]', "read", "read",
                                         j([{"@timestamp": "2026-03-10", "@message": RECORD}])),
    "Logs Insights, get-query-results": Shape(
        '{"results": [[{"field": "@message", "value": "{…}"}]]}', "read", "read",
        j({"results": [[{"field": "@message", "value": TEXT}]]})),
    "Logs Insights, chosen fields": Shape("eventTime,eventName,userIdentity.arn", "columns",
                                          "columns", lambda: table(FIELDS)),
    "Logs Insights without who": Shape("eventTime,eventName,sourceIPAddress", "refused", "columns",
        lambda: table(["eventTime", "eventName", "eventSource"],
                      [RECORD["eventTime"], "GetPasswordData", "ec2.amazonaws.com"])),
    "Athena, CSV": Shape('useridentity⏎"{type=AssumedRole, arn=…}"', "columns", "columns", lambda:
        table(["eventtime", "eventname", "eventsource", "eventid", "useridentity"],
              [RECORD["eventTime"], "GetPasswordData", "ec2.amazonaws.com", EVENT_ID, STRUCT])),
    "Athena, get-query-results": Shape('{"ResultSet": {"Rows": [{"Data": […]}]}}', "columns",
        "columns", j({"ResultSet": {"Rows": [
            {"Data": [{"VarCharValue": name} for name in FIELDS]},
            {"Data": [{"VarCharValue": value} for value in FIELDS.values()]}]}})),
    "Athena, select userIdentity.arn": Shape("eventtime,eventname,arn,principalid", "columns",
        "columns", lambda: table(
            ["eventtime", "eventname", "eventsource", "eventid", "arn", "principalid"],
            [RECORD["eventTime"], "GetPasswordData", "ec2.amazonaws.com", EVENT_ID, WHO["arn"],
             WHO["principalId"]])),
    "Athena, UNLOAD as JSON": Shape('{"eventname": …, "useridentity": {…}}', "columns", "columns",
                                    j({key.lower(): value for key, value in RECORD.items()})),
    "CloudTrail Lake, eventJson": Shape('eventJson⏎"{…}"', "read", "read",
                                        lambda: table(["eventJson"], [TEXT])),
    "CloudTrail Lake, get-query-results": Shape('{"QueryResultRows": [[{"eventJson": "{…}"}]]}',
                                                "read", "read",
                                                j({"QueryResultRows": [[{"eventJson": TEXT}]]})),
    "Splunk, _raw": Shape('{"result": {"_raw": "{…}"}}', "read", "read",
                          j({"preview": False, "result": {"_raw": TEXT, "eventName": "x"}})),
    "Splunk, CSV with _raw": Shape('_raw,_time,eventName⏎"{…}"', "read", "read", lambda: table(
        ["_raw", "_time", "eventName"], [TEXT, "x", "y"])),
    "Splunk, table": Shape("eventTime,eventName,userIdentity.principalId", "columns", "columns",
                           lambda: table(FIELDS)),
    "Splunk, table as JSON": Shape('{"results": [{"userIdentity.arn": …}]}', "columns", "columns",
                                   j({"preview": False, "results": [FIELDS]})),
    "Splunk, HTTP event collector": Shape('{"sourcetype": "aws:cloudtrail", "event": {…}}', "read",
                                          "read",
                                          j({"sourcetype": "aws:cloudtrail", "event": RECORD})),
    "tab-separated": Shape("eventTime⇥eventName⇥…", "columns", "columns",
                            lambda: table(FIELDS, by="\t")),
    "semicolons, sep= before": Shape("sep=;⏎eventTime;eventName;…", "columns", "columns",
                                     lambda: "sep=;\n" + table(FIELDS, by=";")),
    "underscored columns": Shape("eventTime,userIdentity_arn", "columns", "columns", lambda: table(
        {name.replace(".", "_"): value for name, value in FIELDS.items()})),
    "lower-case columns": Shape("eventtime,useridentity.arn", "columns", "columns", lambda: table(
        {name.lower(): value for name, value in FIELDS.items()})),
    "Elastic, event.original": Shape('{"_source": {"event": {"original": "{…}"}}}', "read", "read",
                                     j({"_index": "x", "_source": {"event": {"original": TEXT}}})),
    "Elastic, without the original": Shape('{"aws": {"cloudtrail": {"user_identity": {…}}}}',
                                           "columns", "columns", j(ELASTIC)),
    "Kibana alert": Shape('{"kibana.alert.original_time": …}', "columns", "columns", j(
        {"_index": ".alerts", "_source": ELASTIC | {
            "@timestamp": "2026-03-10T12:06:00Z",
            "kibana.alert.original_time": "2026-03-10T12:00:00Z"}})),
    "Sentinel, AWSCloudTrail": Shape('{"UserIdentityArn": …, "TimeGenerated": …}', "columns",
                                     "columns", j(SENTINEL)),
    "Sentinel, portal CSV": Shape("TimeGenerated [UTC],EventName,UserIdentityArn", "columns",
        "columns", lambda: table({
            ("TimeGenerated [UTC]" if name == "TimeGenerated" else name): (
                "3/10/2026, 12:00:00.000 PM" if name == "TimeGenerated" else value)
            for name, value in SENTINEL.items()})),
    "Sentinel, query API": Shape('{"tables": [{"columns": […], "rows": […]}]}', "columns",
        "columns", j({"tables": [{
            "columns": [{"name": name} for name in SENTINEL],
            "rows": [list(SENTINEL.values())]}]})),
    "Panther": Shape('{"p_log_type": "AWS.CloudTrail", …}', "read", "read", j(RECORD | {
        "p_log_type": "AWS.CloudTrail", "eventTime": "2026-03-10 12:00:00.000000000"})),
    "Wazuh": Shape('{"data": {"aws": {…}}}', "read", "read",
                   j({"rule": {"id": "80202"}, "data": {"integration": "aws", "aws": RECORD}})),
    "Steampipe": Shape('[{"user_identity": {…}, "cloud_trail_event": {…}}]', "read", "read",
                       j([SQL | {"cloud_trail_event": RECORD}])),
    "Steampipe, without the original": Shape('[{"event_name": …, "user_identity": {…}}]', "columns",
                                             "columns", j([SQL])),
    "CloudQuery": Shape('{"cloud_trail_event": "{…}", "account_id": …}', "read", "read",
                        j({"event_name": "x", "account_id": "1", "cloud_trail_event": TEXT})),
    "Sumo Logic": Shape('{"messages": [{"map": {"_raw": "{…}"}}]}', "read", "read",
                        j({"messages": [{"map": {"_raw": TEXT, "_messagetime": "177314"}}]})),
    "Datadog": Shape('{"data": [{"attributes": {"attributes": {…}}}]}', "read", "read",
                     j({"data": [{"id": "x", "attributes": {"attributes": RECORD}}]})),
    "Datadog, its own attributes": Shape('{"attributes": {"evt": {"name": …}, …}}', "columns",
        "columns", j({"data": [{"id": "x", "attributes": {
            "timestamp": "2026-03-10T12:00:00.000Z", "attributes": DATADOG}}]})),
    "Datadog, CSV": Shape("Date,@evt.name,@userIdentity.arn", "columns", "columns", lambda: table(
        {"Date": "2026-03-10T12:00:00.000Z", "@evt.name": "GetPasswordData",
         "@eventSource": "ec2.amazonaws.com", "@eventID": EVENT_ID,
         "@userIdentity.arn": WHO["arn"], "@userIdentity.principalId": WHO["principalId"]})),
    "plaso": Shape('{"data_type": …, "cloud_trail_event": "{…}"}', "read", "read",
                   j({"__container_type__": "event", "cloud_trail_event": TEXT})),
    "plaso, without the original": Shape('{"timestamp": 1773144000000000, "user_identity": "{…}"}',
        "columns", "columns", j({
            "data_type": "aws:cloudtrail:entry", "timestamp": 1773144000000000,
            "event_name": "GetPasswordData", "event_source": "ec2.amazonaws.com",
            "event_id": EVENT_ID, "user_identity": json.dumps(WHO)})),
    "Falcon LogScale": Shape('{"@rawstring": "{…}", "#type": …}', "read", "read",
                             j({"@timestamp": 1773144000000, "#type": "x", "@rawstring": TEXT})),
    "Graylog": Shape("event_name,user_principal_arn", "columns", "columns", lambda: table({
        "timestamp": "2026-03-10T12:00:00.000Z", "source": "x", "event_name": "GetPasswordData",
        "event_source": "ec2.amazonaws.com", "event_id": EVENT_ID, "user_type": "AssumedRole",
        "user_principal_id": WHO["principalId"], "user_principal_arn": WHO["arn"]})),
    "QRadar": Shape('Event Name,Payload⏎…,"<134>Mar 10 12:00:00 host {…}"', "read", "read", lambda:
        table({"Event Name": "x", "Payload": f"<134>Mar 10 12:00:00 host {TEXT}"})),
    "OpenSearch, SQL": Shape('{"schema": […], "datarows": […]}', "columns", "columns", j(
        {"schema": [{"name": name, "type": "text"} for name in FIELDS],
         "datarows": [list(FIELDS.values())]})),
    "ClickHouse, JSONCompact": Shape('{"meta": […], "data": […]}', "columns", "columns", j(
        {"meta": [{"name": name} for name in FIELDS], "data": [list(FIELDS.values())]})),
    "psql": Shape("event_name ¦ event_time⏎---+---⏎(1 row)", "columns", "columns", lambda: (
        "\n".join((" | ".join(FIELDS), "-+-".join("-" * len(name) for name in FIELDS),
         " | ".join(map(str, FIELDS.values())), "(1 row)", "")))),
    "Google SecOps (UDM)": Shape('{"metadata": {"product_event_type": …}, "principal": {…}}',
        "columns", "columns", j({
            "metadata": {"event_timestamp": "2026-03-10T12:00:00Z", "product_log_id": EVENT_ID,
                         "product_event_type": "GetPasswordData"},
            "principal": {"user": {"userid": WHO["arn"], "product_object_id": WHO["principalId"]}},
            "target": {"application": "ec2.amazonaws.com"}})),
    "Kibana threshold alert": Shape('{"kibana.alert.threshold_result": {"terms": […]}}', "refused",
        "columns", j({
            "kibana.alert.original_time": "2026-03-10T12:00:00Z", "event.action": "GetPasswordData",
            "event.provider": "ec2.amazonaws.com", "kibana.alert.threshold_result": {
                "count": 9, "from": "2026-03-10T12:00:00Z", "terms": [
                    {"field": "aws.cloudtrail.user_identity.arn", "value": WHO["arn"]}]}})),
    "Splunk notable, stats": Shape("signature,user,firstTime,lastTime", "refused", "columns", j(
        {"result": {"eventName": "GetPasswordData", "dest": "ec2.amazonaws.com", "user": WHO["arn"],
                    "_time": "2026-03-10T12:20:00Z", "firstTime": "1773144000",
                    "lastTime": "1773144000"}})),
    "Security Lake (OCSF)": Shape('{"class_uid": 6003, "actor": {…}}', "columns", "columns",
                                  j(OCSF)),
    "PagerDuty": Shape('{"event": {"data": {"body": {"details": {…}}}}}', "read", "read",
                       j({"event": {"event_type": "incident.triggered",
                                    "data": {"body": {"details": RECORD}}}})),
    "Opsgenie": Shape('{"alert": {"details": {"raw": "{…}"}}}', "read", "read",
                      j({"action": "Create", "alert": {"details": {"raw": TEXT}}})),
    "Jira": Shape('{"issue": {"fields": {"description": "{code}{…}{code}"}}}', "", "read", j(
        {"issue": {"fields": {"description": "{code:json}\n" + json.dumps(RECORD, indent=1)
                              + "\n{code}"}}})),
    "Slack": Shape('{"attachments": [{"text": "```{…}```"}]}', "", "read",
                   j({"text": "alert", "attachments": [{"text": f"```{TEXT}```"}]})),
    "any other envelope": Shape('{"a": {"b": [{…}]}}', "read", "read",
                                j({"a": {"b": [{"c": RECORD}]}})),
    "event history of the console, CSV": Shape("User name,AWS access key,Event time,…", "refused",
        "columns", lambda: table(
            ["Event name", "Event time", "User name", "Event source", "Event ID", "AWS access key"],
            ["GetPasswordData", RECORD["eventTime"], "work", "ec2.amazonaws.com", EVENT_ID,
             WHO["accessKeyId"]])),
    "mail, quoted": Shape("> {⏎>   …", "", "read", lambda: "".join(
        f"> {line}\n" for line in json.dumps(RECORD, indent=2).splitlines())),
    "mail, wrapped": Shape('"arn": "arn:a⏎ws:sts…', "", "read", lambda: "\n".join(
        TEXT[at : at + 76] for at in range(0, len(TEXT), 76))),
    "mail, quoted-printable": Shape('"arn":=20"arn:a=⏎ws…', "", "read", lambda: "=\n".join(
        TEXT.replace("=", "=3D")[at : at + 70] for at in range(0, len(TEXT), 70))),
    "HTML": Shape("<pre>{&quot;eventVersion&quot;: …", "", "read",
                  lambda: "<pre>" + TEXT.replace('"', "&quot;") + "</pre>"),
    "curly quotes": Shape("{“eventVersion”: …}", "", "read",
                          lambda: TEXT.replace('"', "\u201c")),
    "non-breaking blanks": Shape("{⏎\u00a0\u00a0\"eventVersion\" …", "", "read",
                                 lambda: json.dumps(RECORD, indent="\u00a0\u00a0")),
    "a comma too many": Shape('{"eventVersion": …,}', "", "read", lambda: TEXT[:-1] + ",}"),
    "cut off": Shape('{"eventVersion": …, "userAg', "", "text", lambda: TEXT[: len(TEXT) - 80]),
    "load balancer, VPC flow, WAF, DNS, S3 access, Config logs": Shape(
        "https 2026-03-10T12:00:00Z app/x …", "skipped", "", lambda:
        "https 2026-03-10T12:00:00.1Z app/x 198.51.100.7:1 - 0 0 0 200\n"),
    "digest, insight and aggregated files": Shape("CloudTrail-Digest/…", "skipped", "",
        j({"awsAccountId": "111122223333", "digestS3Object": "k", "logFiles": []})),
}  # fmt: skip
