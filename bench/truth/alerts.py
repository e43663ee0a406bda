"""One event asked about in many forms: as a record, as a finding, as pasted text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.truth import aws
from bench.truth.aws import Json
from bench.truth.damage import Damage, is_key
from bench.truth.world import Rec, Session, World


@dataclass
class Asked:
    """One alert, the event behind it, and every session that it may rightly be about."""

    form: str
    text: str
    rec: Rec
    key: str | None
    """The access key that the alert shows, if it is one."""
    starts: list[Session] = field(default_factory=list)
    own_record: bool = True
    """Whether the event behind it is in the logs."""
    principal: str | None = None
    """Whom of those that the alert names it is asked about."""
    changing: bool = False
    """Whether the key of the event is not the session's own: the console's, a service's."""


@dataclass
class _Case:
    world: World
    done: Damage
    rec: Rec
    key: str | None
    first: datetime
    last: datetime
    beside: Rec | None = None
    """Another's call that the same alert is about as well."""

    @property
    def record(self) -> Json:
        return self.rec.record

    @property
    def who(self) -> Json:
        who: Json = self.rec.record["userIdentity"]
        return who


def _event(case: _Case) -> str:
    return json.dumps(case.done.as_logged(case.rec))


def _eventbridge(case: _Case) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": aws.guid(case.world.rng),
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws." + case.record["eventSource"].partition(".")[0],
            "account": case.record["recipientAccountId"],
            "time": case.record["eventTime"],
            "region": case.record["awsRegion"],
            "resources": [],
            "detail": case.done.as_logged(case.rec),
        }
    )


def _lookup(case: _Case) -> str:
    shown = case.done.as_logged(case.rec)
    return json.dumps(
        {
            "Events": [
                {
                    "EventId": case.rec.id,
                    "EventName": case.record["eventName"],
                    "EventSource": case.record["eventSource"],
                    "EventTime": case.record["eventTime"],
                    "CloudTrailEvent": json.dumps(shown),
                }
            ]
        }
    )


def _user_name(who: Json) -> str:
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {})
    if who["type"] == "AssumedRole":
        return str(issuer.get("userName") or who["arn"].split("/")[1])
    if who["type"] == "FederatedUser":
        return str(who["arn"].rpartition("/")[2])
    return str(who.get("userName") or "Root")


def _finding(case: _Case, *, with_key: bool = True, seen: bool = True) -> Json:
    who, record, rng = case.who, case.record, case.world.rng
    details: Json = {
        "userName": _user_name(who),
        "userType": who["type"],
        "principalId": who["principalId"],
    }
    if with_key and case.key is not None:
        details["accessKeyId"] = case.key
    call: Json = {
        "api": record["eventName"],
        "serviceName": record["eventSource"],
        "callerType": "Remote IP",
        "remoteIpDetails": {"ipAddressV4": record["sourceIPAddress"]},
    }
    if rng.random() < 0.3:
        call["userAgent"] = record["userAgent"]
    service: Json = {
        "serviceName": "guardduty",
        "count": 1,
        "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": call},
    }
    if seen:
        service["eventFirstSeen"] = f"{case.first:%Y-%m-%dT%H:%M:%S}.000Z"
        service["eventLastSeen"] = f"{case.last:%Y-%m-%dT%H:%M:%S}.000Z"
    told = case.last + timedelta(minutes=rng.randint(5, 300))
    region, account = record["awsRegion"], who["accountId"]
    id_ = f"{rng.getrandbits(128):032x}"
    return {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": "aws",
        "id": id_,
        "arn": f"arn:aws:guardduty:{region}:{account}:detector/d1/finding/{id_}",
        "type": "Persistence:IAMUser/AnomalousBehavior",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": details},
        "service": service,
        "severity": 5,
        "createdAt": aws.stamp(told),
        "updatedAt": aws.stamp(told),
        "title": "An anomalous call was made",
        "description": "Unusual for this account.",
    }


def _guardduty(case: _Case) -> str:
    return json.dumps(_finding(case))


def _guardduty_no_key(case: _Case) -> str:
    return json.dumps(_finding(case, with_key=False))


def _guardduty_updated(case: _Case) -> str:
    return json.dumps(_finding(case, seen=False))


def _sequence(case: _Case) -> str:
    """An attack sequence, whose actors are its only identities."""
    who, finding = case.who, _finding(case)
    details = finding["resource"].pop("accessKeyDetails")
    finding["resource"] = {"resourceType": "AttackSequence"}
    finding["type"], finding["severity"] = "AttackSequence:IAM/CompromisedCredentials", 9
    session: Json = {"mfaStatus": "DISABLED"}
    created = who.get("sessionContext", {}).get("attributes", {}).get("creationDate")
    if created is not None and case.beside is None:
        session["createdTime"] = created
    user: Json = {
        "name": details["userName"],
        "uid": who["principalId"],
        "type": who["type"],
        "account": {"uid": who["accountId"]},
    }
    if case.key is not None:
        user["credentialUid"] = case.key
    call = finding["service"].pop("action")["awsApiCallAction"]
    actor = f"user:{who['type']}:{who['principalId']}"
    actors = [{"id": actor, "user": user, "session": session}]
    endpoints = [{"id": "e1", "ip": case.record["sourceIPAddress"]}]
    if (beside := case.beside) is not None:
        other = beside.record["userIdentity"]
        place = case.world.rng.randrange(2)
        named = {
            "name": _user_name(other),
            "uid": other["principalId"],
            "type": other["type"],
            "account": {"uid": other["accountId"]},
        }
        actors.insert(place, {"id": f"user:{other['type']}:{other['principalId']}", "user": named})
        endpoints.insert(place, {"id": "e2", "ip": beside.record["sourceIPAddress"]})
    finding["service"]["detection"] = {
        "sequence": {
            "uid": finding["id"],
            "description": "A sequence of actions.",
            "actors": actors,
            "endpoints": endpoints,
            "signals": [
                {
                    "uid": aws.guid(case.world.rng),
                    "type": "CLOUD_TRAIL",
                    "name": f"{call['serviceName']}:{call['api']}",
                    "count": 2,
                    "firstSeenAt": aws.stamp(case.first),
                    "lastSeenAt": aws.stamp(case.last),
                    "actorIds": [actor],
                    "endpointIds": ["e1"],
                }
            ],
        }
    }
    return json.dumps(finding)


def _instance(case: _Case) -> str:
    """A finding about an instance, which names no credential but the instance's profile."""
    finding, role = _finding(case), case.who["sessionContext"]["sessionIssuer"]
    finding["type"] = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
    finding["resource"] = {
        "resourceType": "Instance",
        "instanceDetails": {
            "instanceId": case.who["principalId"].partition(":")[2],
            "iamInstanceProfile": {
                "arn": f"arn:aws:iam::{role['accountId']}:instance-profile/{role['userName']}",
                "id": "AIPAJGAZMFPZHKIBOUFGA",
            },
        },
    }
    finding["service"]["action"] = {
        "actionType": "DNS_REQUEST",
        "dnsRequestAction": {"domain": "pool.example.net", "protocol": "UDP", "blocked": False},
    }
    return json.dumps(finding)


def _older_hub(case: _Case) -> str:
    return _hub(case, older=True)


def _hub(case: _Case, *, older: bool = False) -> str:
    finding = _finding(case)
    call = finding["service"]["action"]["awsApiCallAction"]
    details = finding["resource"]["accessKeyDetails"]
    prefix = "" if older else "aws/guardduty/service/"
    fields = {
        prefix + "action/actionType": "AWS_API_CALL",
        prefix + "action/awsApiCallAction/api": call["api"],
        prefix + "action/awsApiCallAction/serviceName": call["serviceName"],
        prefix + "action/awsApiCallAction/callerType": "Remote IP",
        prefix + "action/awsApiCallAction/remoteIpDetails/ipAddressV4": case.record[
            "sourceIPAddress"
        ],
        prefix + "count": "1",
    }
    region = finding["region"]
    return json.dumps(
        {
            "SchemaVersion": "2018-10-08",
            "Id": finding["arn"],
            "ProductArn": f"arn:aws:securityhub:{region}::product/aws/guardduty",
            "GeneratorId": finding["arn"].rpartition("/finding")[0],
            "AwsAccountId": finding["accountId"],
            "Region": region,
            "Types": ["TTPs/Persistence/Persistence:IAMUser-AnomalousBehavior"],
            "FirstObservedAt": finding["service"]["eventFirstSeen"],
            "LastObservedAt": finding["service"]["eventLastSeen"],
            "CreatedAt": finding["createdAt"],
            "UpdatedAt": finding["updatedAt"],
            "Severity": {"Product": 5, "Normalized": 50, "Label": "MEDIUM"},
            "Title": finding["title"],
            "Description": finding["description"],
            "ProductFields": fields,
            "Resources": [
                {
                    "Type": "AwsIamAccessKey",
                    "Id": f"AWS::IAM::AccessKey:{case.key or ''}",
                    "Partition": "aws",
                    "Region": region,
                    "Details": {
                        "AwsIamAccessKey": {
                            "PrincipalId": details["principalId"],
                            "PrincipalType": details["userType"],
                            "PrincipalName": details["userName"],
                        }
                    },
                }
            ],
            "RecordState": "ACTIVE",
        }
    )


def _call(record: Json) -> str:
    return f"{record['eventSource'].partition('.')[0]}:{record['eventName']}"


def _text_key(case: _Case) -> str:
    return (
        f"Please look: {case.key} called {_call(case.record)} from"
        f" {case.record['sourceIPAddress']} at {case.record['eventTime']}"
    )


def _text_arn(case: _Case) -> str:
    return (
        f"Suspicious {_call(case.record)} by {case.who['arn']}\n"
        f"source {case.record['sourceIPAddress']}, time {case.record['eventTime']}"
    )


def _text_key_only(case: _Case) -> str:
    return f"Whose is {case.key}?"


def _text_event(case: _Case) -> str:
    return f"see CloudTrail event {case.rec.id}"


@dataclass(frozen=True)
class _Form:
    write: Callable[[_Case], str]
    states_key: bool = True
    window: bool = False
    identifies: bool = False
    """Whether it names its event, so that only that event's session can be meant."""
    needs_key: bool = False
    needs_arn: bool = False
    of_instance: bool = False
    has_other: bool = False


FORMS: dict[str, _Form] = {
    "event": _Form(_event, identifies=True),
    "eventbridge": _Form(_eventbridge, identifies=True),
    "lookup": _Form(_lookup, identifies=True),
    "guardduty": _Form(_guardduty),
    "guardduty, no key": _Form(_guardduty_no_key, states_key=False),
    "guardduty, window": _Form(_guardduty, window=True),
    "guardduty, window, no key": _Form(_guardduty_no_key, states_key=False, window=True),
    "guardduty, updatedAt only": _Form(_guardduty_updated),
    "security hub": _Form(_hub, window=True),
    "security hub, older": _Form(_older_hub),
    "attack sequence": _Form(_sequence, window=True),
    "attack sequence, two actors": _Form(_sequence, window=True, has_other=True),
    "guardduty, instance": _Form(_instance, states_key=False, window=True, of_instance=True),
    "text, key": _Form(_text_key, needs_key=True),
    "text, ARN": _Form(_text_arn, states_key=False, needs_arn=True),
    "text, key alone": _Form(_text_key_only, needs_key=True),
    "text, event id": _Form(_text_event, states_key=False, identifies=True),
}

_SKEW = timedelta(seconds=2)
_FINDINGS_OF = {"AssumedRole", "IAMUser", "Root", "FederatedUser"}
_ONLY_RECORDS = ("event", "eventbridge", "lookup", "text, event id")


def ask_about(world: World, done: Damage) -> Asked:
    """An alert of this world, in one form; the event behind it may be lost then."""
    rng = world.rng
    uses = [rec for rec in world.records if rec.kind == "use"]
    told = [rec for rec in uses if rec.by is not None and rec.by.steps]
    mints = [rec for rec in world.records if rec.kind == "mint" and "errorCode" not in rec.record]
    calls = [rec for rec in mints if rec.by is not None and rec.by.steps]
    pool = told or uses
    if calls and rng.random() < 0.15:
        pool = calls
    elif rng.random() < 0.07:
        pool = uses
    asked = _ask(world, done, rng.choice(pool))
    if rng.random() < 0.2 and asked.rec.kind == "use" and asked.rec.id not in world.kept:
        done.gone.add(asked.rec.id)
    asked.own_record = asked.rec.id not in done.gone
    return asked


def _ask(world: World, done: Damage, rec: Rec) -> Asked:
    rng = world.rng
    session = rec.by
    assert session is not None
    shown = done.as_logged(rec)["userIdentity"]
    true_key = rec.record["userIdentity"].get("accessKeyId")
    # A finding comes from elsewhere: its key may be whole where the logs are masked.
    key = true_key if rng.random() < 0.5 else done.hides(true_key)
    forms = list(FORMS)
    if rec.kind != "use" or rec.record["userIdentity"]["type"] not in _FINDINGS_OF:
        forms = list(_ONLY_RECORDS)
    name = rng.choice(forms)
    form = FORMS[name]
    if "ec2RoleDelivery" in session.context and rec.kind == "use" and rng.random() < 0.25:
        name, form = "guardduty, instance", FORMS["guardduty, instance"]
    while (
        (form.needs_key and not is_key(true_key))
        or (form.needs_arn and not shown.get("arn"))
        or (form.of_instance and "ec2RoleDelivery" not in session.context)
    ):
        name = rng.choice(forms)
        form = FORMS[name]
    if form.needs_key:
        key = true_key
    group = _same_activity(world, rec, by_arn=form.needs_arn)
    first = last = rec.time
    if form.window:
        chosen = group[rng.randrange(len(group)) :]
        chosen = [one for one in chosen if one.time - chosen[0].time <= timedelta(hours=12)]
        rec, first, last = chosen[-1], chosen[0].time, chosen[-1].time
        session = rec.by
        assert session is not None
        true_key = rec.record["userIdentity"].get("accessKeyId")
        key = true_key if rng.random() < 0.5 else done.hides(true_key)
    case = _Case(world, done, rec, key, first, last)
    if form.has_other:
        principal = rec.record["userIdentity"]["principalId"]
        others = [
            one for one in world.records
            if one.kind == "use" and one.record["userIdentity"].get("principalId") != principal
            and one.record["userIdentity"]["type"] in _FINDINGS_OF
        ]  # fmt: skip
        case.beside = rng.choice(others) if others else None
    shows = None
    if form.identifies:
        shows = done.as_logged(rec)["userIdentity"].get("accessKeyId")
        if name == "text, event id":
            done.gone.discard(rec.id)
            world.kept.add(rec.id)
    elif form.states_key:
        shows = key
    shows = shows if is_key(shows) else None
    starts = [session]
    if form.of_instance:
        # It tells of the instance, not of a call: any session of its name that was alive then.
        starts += [
            one for one in world.sessions
            if one.arn == session.arn and one.began - _SKEW <= last and one.ends + _SKEW >= first
        ]  # fmt: skip
    if not form.identifies and shows is None:
        starts += [
            one.by for one in group
            if one.by is not None and first - _SKEW <= one.time <= last + _SKEW
        ]  # fmt: skip
        if name == "guardduty, updatedAt only":
            starts += [one.by for one in group if one.by is not None]
    return Asked(
        name, form.write(case), rec, shows, list(dict.fromkeys(starts)),
        changing=true_key != session.key, principal=rec.record["userIdentity"].get("principalId"),
    )  # fmt: skip


def _same_activity(world: World, rec: Rec, *, by_arn: bool) -> list[Rec]:
    """The calls that one alert may be about: one principal, API and address; oldest first.

    An ARN alone does not tell a role from the one that was deleted before it.
    """

    def about(one: Rec) -> tuple[object, ...]:
        who = one.record["userIdentity"]
        called = one.record["eventName"], one.record["sourceIPAddress"]
        return (who.get("arn") if by_arn else who.get("principalId"), *called)

    same = [one for one in world.records if one.kind == rec.kind and about(one) == about(rec)]
    return sorted(same, key=lambda one: one.time)
