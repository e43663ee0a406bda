"""Every number that a sentence states, and every event it cites, looked up again in raw records.

Plain Python over the JSON as written, with none of our row rules or SQL: what the conditions of
`enrich.count` mean is stated here a second time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from answered import data_of

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.count import Cited, Count, Events
from enrich.verdict.weighing import weigh

Record = Mapping[str, Any]


def at(record: Record) -> datetime:
    return datetime.fromisoformat(record["eventTime"]).astimezone(UTC)


def failed(record: Record) -> bool:
    sign_in = record["eventSource"] == "signin.amazonaws.com"
    result = (record.get("responseElements") or {}).get("ConsoleLogin")
    told = sign_in and bool(record.get("errorMessage"))
    return bool(record.get("errorCode")) or result == "Failure" or told


def interesting(record: Record) -> bool:
    name = record["eventName"]
    read = name.startswith(("Get", "List", "Head", "Describe")) and name != "GetPasswordData"
    return failed(record) or not read


def by_service(record: Record) -> bool:
    service = record["userIdentity"].get("invokedBy") or ""
    return service.endswith(".amazonaws.com") and service != "signin.amazonaws.com"


def assumption(record: Record) -> bool:
    source, name = record["eventSource"], record["eventName"]
    portal = source == "sso.amazonaws.com" and name in ("GetRoleCredentials", "Federate")
    return portal or (source == "sts.amazonaws.com" and name.startswith("AssumeRo"))


def role(record: Record) -> str | None:
    """ "account/name" of the role that is asked for."""
    asked = (record.get("requestParameters") or {}).get("roleArn") or ""
    for resource in record.get("resources") or ():
        asked = asked or (resource["ARN"] if resource.get("type") == "AWS::IAM::Role" else "")
    told = re.search(r"on resource: (arn:aws:iam::\d{12}:role/\S+)", record.get("errorMessage", ""))
    asked = asked or (told[1] if told else "")
    if not asked:
        return None
    return f"{asked.split(':')[4]}/{asked.rpartition('/')[2].lower()}"


def role_name(record: Record) -> str | None:
    return (role(record) or "").partition("/")[2] or None


DETAILS: dict[str, Callable[[Record], bool]] = {
    "with start-up code": lambda r: "userData" in (r.get("requestParameters") or {}),
    "without a second factor": lambda r: (
        not failed(r)
        and (r.get("additionalEventData") or {}).get("MFAUsed") == "No"
        and r["userIdentity"]["type"] in ("IAMUser", "Root")
    ),
    "as root": lambda r: r["userIdentity"]["type"] == "Root",
    "full administrator": lambda r: '/AdministratorAccess"' in _asked(r),
    "user data": lambda r: '"userData"' in _asked(r),
    "start-up code": lambda r: '"userData":' in _asked(r),
    "shared with everyone": lambda r: '"group":"all"' in _asked(r),
    "shared with another account": lambda r: re.search('"add":.*"userId":', _asked(r)) is not None,
    "shared": lambda r: '"valuesToAdd":["' in _asked(r),
    "new master password": lambda r: 'asterUserPassword"' in _asked(r),
    "open to the whole internet": lambda r: (
        re.search(r'"(0\.0\.0\.0|::)/0"', _asked(r)) is not None
    ),
    "switched off": lambda r: '"enable":false' in _asked(r),
    "large or GPU machines": lambda r: (
        re.search(r'"instanceType":"((p[2-9]|g[3-9])|\S+?\.(\d\d|8|9)xlarge)', _asked(r))
        is not None
    ),
}


def _given(record: Record, field: str) -> str:
    return str((record.get("requestParameters") or {}).get(field) or "")


def _of_aws(record: Record) -> str:
    return _given(record, "policyArn").partition("arn:aws:iam::aws:policy/")[2]


def _is_of_another(record: Record) -> bool:
    user = _given(record, "userName")
    return bool(user) and user != record["userIdentity"].get("userName")


def _destroys(record: Record) -> bool:
    return record["eventName"] in ("DeleteBucket", "TerminateInstances", "DeleteVolume",
                                   "DeleteStack", "DeleteTable", "DeleteFunction20150331",
                                   "DeleteRepository", "DeleteFileSystem")  # fmt: skip


# What the kinds of `alerts.content` mean, as far as the worlds counted here have them.
CONTENTS: dict[str, Callable[[Record], bool]] = {
    "managed_administrator": lambda r: _of_aws(r) in ("AdministratorAccess", "IAMFullAccess"),
    "managed_wide": lambda r: _of_aws(r) not in ("", "AdministratorAccess", "IAMFullAccess"),
    "key_for_another": _is_of_another,
    "key_for_oneself": lambda r: not _is_of_another(r),
    "logging_stopped": lambda r: r["eventName"] in ("StopLogging", "DeleteTrail"),
    "logging_started": lambda r: r["eventName"] in ("StartLogging", "CreateTrail"),
    "logging_narrowed": lambda r: '"includeManagementEvents":false' in _asked(r),
    "other_log_stopped": lambda r: r["eventName"] in ("DeleteFlowLogs", "DeleteLogGroup"),
    "logs_expire": lambda r: '"Expiration":{"Days":1}' in _asked(r),
    "trust_outside": lambda r: "arn:aws:iam::193672423079:root" in _asked(r),
    "trust_anchor": lambda r: r["eventName"] == "CreateTrustAnchor",
    "anywhere_profile": lambda r: r["eventName"] == "CreateProfile",
    "login_profile_made": lambda r: r["eventName"] == "CreateLoginProfile",
    "image_shared": lambda r: '"launchPermission":{"add":' in _asked(r),
    "snapshot_shared": lambda r: (
        '"createVolumePermission":{"add":' in _asked(r) or '"valuesToAdd":["1' in _asked(r)
    ),
    "resource_shared": lambda r: "arn:aws:iam::193672423079:root" in _asked(r),
    "function_public": lambda r: _given(r, "principal") == "*",
    "function_code_changed": lambda r: r["eventName"].startswith("UpdateFunctionCode"),
    "remote_command": lambda r: r["eventName"] == "SendCommand",
    "network_open": lambda r: '"cidrIp":"0.0.0.0/0"' in _asked(r),
    "remote_shell": lambda r: r["eventName"] == "StartSession",
    "machines_costly": lambda r: '"instanceType":"g5.48xlarge"' in _asked(r),
    "database_deleted": lambda r: r["eventName"] == "DeleteDBInstance",
    "secret_deleted": lambda r: r["eventName"] == "DeleteSecret",
    "destroyed": _destroys,
    "copies_deleted": lambda r: (
        r["eventName"] in ("DeleteSnapshot", "DeregisterImage", "DeleteDBSnapshot")
    ),
}


def _asked(record: Record) -> str:
    return re.sub(r"\s", "", json.dumps(record.get("requestParameters")))


_COLUMNS: dict[str, Callable[[Record], Any]] = {
    "event_id": lambda r: r["eventID"],
    "event_name": lambda r: r["eventName"],
    "event_source": lambda r: r["eventSource"],
    "error_code": lambda r: r.get("errorCode"),
    "source_ip_address": lambda r: r.get("sourceIPAddress"),
    "user_agent": lambda r: r.get("userAgent"),
    "aws_region": lambda r: r["awsRegion"],
    "api": lambda r: re.sub(r"\d{8}(v\d+)?$", "", r["eventName"]),
    "day": lambda r: r["eventTime"][:10],
    "hour": lambda r: r["eventTime"][11:13],
    "failed": failed,
    "interesting": interesting,
    "by_service": by_service,
    "assumption": assumption,
    "role": role,
    "role_name": role_name,
    "bucket": lambda r: _given(r, "bucketName"),
}


_PHRASES = {"detail": DETAILS, "content": CONTENTS}


def fits(record: Record, where: Mapping[str, Sequence[Any]]) -> bool:
    return all(
        any(_PHRASES[name][words](record) for words in held)
        if name in _PHRASES
        else _COLUMNS[name](record) in held
        for name, held in where.items()
    )


@dataclass(frozen=True)
class World:
    """An alert's raw records, each (event, account) once, and whose each of them is."""

    alert: Alert
    records: Sequence[Record]
    in_entity: Callable[[Record], bool]
    in_role: Callable[[Record], bool]

    def is_one_of(self, record: Record, of: Events) -> bool:
        whose = {"entity": self.in_entity, "whole_role": self.in_role}
        if of.whose in whose and not whose[of.whose](record):
            return False
        if of.whose == "alert" and self.alert.event_id not in (None, record["eventID"]):
            return False
        if of.first is not None and at(record) < of.first:
            return False
        if of.last is not None and at(record) > of.last:
            return False
        if of.open_end and at(record) == of.last:
            return False
        return any(fits(record, where) for where in of.any_of)

    def number(self, count: Count) -> int:
        found = [record for record in self.records if self.is_one_of(record, count.of)]
        if count.distinct is not None:
            return len({_COLUMNS[count.distinct](record) for record in found} - {None})
        if any("assumption" in where for where in count.of.any_of):
            return len({_as_assumption(record) for record in found})
        return len({record.get("sharedEventID") or record["eventID"] for record in found})


def _as_assumption(record: Record) -> str:
    """Both copies of a call across accounts may lack the shared id, but have one request."""
    minted = (record.get("responseElements") or {}).get("credentials")
    return str(record.get("sharedEventID") or (minted and record["requestID"]) or record["eventID"])


def whose(alert: Alert, principal: Principal) -> tuple[Callable[[Record], bool], ...]:
    """Whether a record is the entity's, and whether it is its role's (for a user: its own)."""
    identifier = principal.principal_id or ""
    if not identifier.startswith("AROA"):

        def is_mine(record: Record) -> bool:
            identity = record["userIdentity"]
            same_arn = principal.arn is not None and identity.get("arn") == principal.arn
            return same_arn or identity.get("principalId") == identifier

        return is_mine, is_mine
    role_id = identifier.partition(":")[0]

    def is_the_role_s(record: Record) -> bool:
        return str(record["userIdentity"].get("principalId")).partition(":")[0] == role_id

    def is_the_entity_s(record: Record) -> bool:
        session = str(record["userIdentity"].get("principalId")).partition(":")[2]
        here = record.get("sourceIPAddress") == alert.source_ip_address is not None
        return is_the_role_s(record) and (session == principal.session_name or here)

    return is_the_entity_s, is_the_role_s


_NO_COUNTS = (
    r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?( \d\d:\d\d:\d\d)?",  # dates and times
    r"\d\d:\d\d",
    r"\d+\.\d+\.\d+\.\d+(/\d+)?",  # addresses
    r"\b\d{12}\b",  # accounts
    r"\d+\.\d+",  # versions
    r"ports? [\d,]+(-\d+)?|[\d,]+ machines?|after \d+ days?",  # what one record says
    r"\S*[A-Za-z_]\S*\d\S*|\S*\d\S*[A-Za-z_]\S*",  # names, techniques, clients
    r"and [\d,]+ more",
    r"[\d,]+ minutes?",
    r"[\d,]+ (s|min|h|hours|days)\b",  # ages
    r"the (7|14) days|7 days before",
)


def stated(sentence: str) -> list[str]:
    """The numbers of a sentence that count something."""
    for pattern in _NO_COUNTS:
        sentence = re.sub(pattern, " ", sentence)
    return re.findall(r"\d+(?:,\d{3})*", sentence)


def check(
    alert: Alert, principal: Principal, answers: Sequence[Answer], records: Iterable[Record]
) -> list[str]:
    """Recounts everything that the answers and their weighing state; the kinds of lines met."""
    once = {(record["eventID"], record.get("recipientAccountId")): record for record in records}
    by_id = {event_id: record for (event_id, _), record in once.items()}
    world = World(alert, list(once.values()), *whose(alert, principal))
    for answer in answers:
        assert answer.status != "failed", answer.sentence
        for count in answer.counts:
            _holds(world, count, answer.sentence, by_id)
        known = {f"{count.number:,}" for count in answer.counts}
        if answer.name == "assumed_by":
            known = _of_the_chain(answer)
        if (told := data_of(answer).get("acted_upon")) and told["events"]:
            assert told["events"] == _acted_upon(principal, answer, once.values())
            known.add(f"{told['events']:,}")
        assert set(stated(answer.sentence)) <= known, answer.sentence
    weighing = weigh(alert, principal, answers)
    for line in weighing.lines:
        for rest in line.rests_on:
            _holds(world, rest, line.sentence, by_id)
        known = {f"{count.number:,}" for count in line.counts}
        assert set(stated(line.sentence)) <= known, line.sentence
        assert line.event_ids, line.sentence
    return [line.kind for line in weighing.lines]


def _of_the_chain(answer: Answer) -> set[str]:
    """What the sentence about a chain may count: its hops, and the calls and callers that fit."""
    chain = data_of(answer)["chain"]
    for hop in chain:
        assert len(set(hop["candidates"])) == len(hop["candidates"])
        assert hop["event_id"] is None or hop["event_id"] in answer.evidence
    callers = {len(hop.get("callers") or ()) for hop in chain}
    fitting = {len(hop["candidates"]) for hop in chain}
    return {f"{number:,}" for number in (len(chain), *callers, *fitting)}


def _acted_upon(principal: Principal, answer: Answer, records: Iterable[Record]) -> int:
    """How many calls of IAM and STS in the answer's window name the principal and are not its: the
    copies of a cross-account call are one."""
    first, last = (datetime.fromisoformat(data_of(answer)[end]) for end in ("from", "to"))
    arn = principal.arn or ""
    user = arn.rpartition("/")[2] if ":user/" in arn else None
    calls = set()
    for record in records:
        told = [record.get(part) for part in _TELLING]
        named = f'"{arn}"' in json.dumps(told)
        asked = record.get("requestParameters") or {}
        of_iam = record["eventSource"] == "iam.amazonaws.com"
        named |= of_iam and user is not None and asked.get("userName") == user
        mine = record["userIdentity"].get("arn") == arn
        about = record["eventSource"] in ("iam.amazonaws.com", "sts.amazonaws.com")
        if about and named and not mine and first <= at(record) <= last:
            calls.add(record.get("sharedEventID") or record["eventID"])
    return len(calls)


_TELLING = ("requestParameters", "responseElements", "resources", "additionalEventData")

_SUCCESS = re.compile(r"succeeded|assumed|\bread\b|issued", re.IGNORECASE)
_FAILURE = re.compile(r"failed|denied|refused", re.IGNORECASE)


def _holds(world: World, rest: Cited, sentence: str, by_id: Mapping[str, Record]) -> None:
    if isinstance(rest, Count):
        assert world.number(rest) == rest.number, (sentence, rest)
        assert len(rest.event_ids) == 0 or rest.number > 0
    for event_id in rest.event_ids:
        assert world.is_one_of(by_id[event_id], rest.of), (sentence, rest, by_id[event_id])
    told = isinstance(rest, Count) and rest.number and f"{rest.number:,}" in sentence
    if told and (True,) in [where.get("failed") for where in rest.of.any_of]:
        assert _FAILURE.search(sentence), (sentence, rest)
    if told and (False,) in [where.get("failed") for where in rest.of.any_of]:
        assert _SUCCESS.search(sentence), (sentence, rest)
