"""What to do next about an alert, as text: nothing here is ever executed.

Names in the commands come from logs, so an attacker may have chosen them: every value is quoted
for a POSIX shell, and for SQL. Run a command only after reading it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from alerts.alert import Alert, Principal
from enrich.answer import Answer, data_among
from enrich.data.assumed_by import AssumedBy
from enrich.data.interesting_calls import CallGroup, InterestingCalls
from enrich.data.ledger import Ledger
from enrich.data.roles_assumed import RolesAssumed
from enrich.entity import instance_of, role_name_of
from enrich.facts.techniques import plain_name
from enrich.ledger.words import moment, undoing_words, until_words
from enrich.questions.every import question_named
from enrich.verdict.weight import SURE
from enrich.window import iso
from enrich.words import listed, short
from trail.access_keys import is_access_key
from trail.counted import counted


@dataclass(frozen=True)
class Step:
    """One step: what and why in a sentence or two, and the commands or queries to copy."""

    title: str
    text: str
    commands: tuple[str, ...] = ()


def next_steps(
    alert: Alert,
    principal: Principal,
    answers: Sequence[Answer],
    ledger: Ledger | None = None,
) -> list[Step]:
    """In order: stop the credential, then those before and after it, look further, ask.

    What the ledger knows to be gone is not stopped again: the steps say that it is gone.
    """
    known = ledger if ledger is not None else Ledger()
    if alert.sample:
        return [Step("Nothing to do", "This is a generated sample finding: it names nobody real.")]
    return [
        *_stop(alert, principal, known),
        *_stop_before(data_among(answers, AssumedBy), known),
        *_stop_after(alert, data_among(answers, RolesAssumed), known),
        *_undo(data_among(answers, InterestingCalls), known),
        *_look_further(alert, principal),
        *_fill_gaps(answers),
    ]


def _key(principal: Principal) -> str | None:
    """The key that the alert names; none where it is masked, which nobody can switch off."""
    return principal.access_key_id if is_access_key(principal.access_key_id) else None


def _stop(alert: Alert, principal: Principal, ledger: Ledger) -> Iterator[Step]:
    key = _key(principal) or ""
    if principal.type == "Root":
        yield Step(
            "Secure the root user",
            "Sign in as root from a trusted machine: change the password, replace the second"
            " factor, and delete any access keys. A session made by AssumeRoot ends by itself"
            " within 15 minutes.",
        )
    elif principal.type == "IAMUser":
        yield from _stop_user(alert, principal, key, ledger)
    elif principal.type == "FederatedUser":
        yield Step(
            "Stop the federated session",
            "It lives on when the key that made it is switched off. Its rights are also limited by"
            " its issuing user: put a deny on that user (`sessionIssuer` in the record names it).",
            (_command("aws iam put-user-policy --user-name ISSUING_USER", *_deny_policy()),),
        )
    elif role_name_of(principal) is not None:
        yield from _stop_role(alert, principal, role_name_of(principal) or "", ledger)
        if (instance := instance_of(principal)) is not None:
            yield _stop_instance(alert, principal, instance, ledger)
    elif principal.type == "IdentityCenterUser":
        yield _IDENTITY_CENTER


def _gone(ledger: Ledger, kind: str, name: str) -> str | None:
    """That a thing is gone, in words: "deleted 2026-03-10 12:28:24, by user/bob"."""
    undone = ledger.gone(kind, name)
    return None if undone is None else undoing_words(undone)


def _stop_user(alert: Alert, principal: Principal, key: str, ledger: Ledger) -> Iterator[Step]:
    user = principal.user_name or (principal.arn or "").rpartition("/")[2] or "USER"
    if (gone := _gone(ledger, "user", user)) is not None:
        yield Step(
            "Nothing to switch off: the user is gone",
            f"User {short(user)} was {gone}, and its keys and password with it: AWS deletes no user"
            " that still has them. No event until the end of the logs makes it again.",
        )
        return
    if key.startswith("AKIA") and (gone := _gone(ledger, "access key", key)) is not None:
        yield Step(
            "Nothing to switch off: the key is gone",
            f"Key {short(key)} of user {short(user)} was {gone}. Look for other keys that the user"
            " has.",
            (_command("aws iam list-access-keys", ("--user-name", user)),),
        )
    elif key.startswith("AKIA"):
        yield Step(
            "Switch the access key off",
            f"Key {short(key)} of user {short(user)} is long-lived. Switching it off can be undone;"
            " deleting it cannot.",
            (
                _command(
                    "aws iam update-access-key --status Inactive",
                    ("--access-key-id", key),
                    ("--user-name", user),
                ),
            ),
        )
    elif key.startswith("ASIA"):
        yield Step(
            "Find the key behind the temporary one",
            f"{short(key)} is temporary and cannot be switched off by itself: it came from a"
            " console sign-in or from GetSessionToken with one of the user's own keys.",
            (_command("aws iam list-access-keys", ("--user-name", user)),),
        )
    before = iso(alert.last_seen or alert.first_seen)
    yield Step(
        "End the user's sessions",
        "Temporary credentials made by GetSessionToken, GetFederationToken or a console sign-in"
        " outlive the key or password. This denies whatever was issued before the alert's end: set"
        " the time to now if it may have gone on. Without the condition the user is denied all.",
        (
            _command(
                "aws iam put-user-policy",
                ("--user-name", user),
                *_deny_policy({"DateLessThan": {"aws:TokenIssueTime": before}} if before else None),
            ),
        ),
    )
    yield Step(
        "Take the console password away",
        "If the user has one and may be in other hands.",
        (_command("aws iam delete-login-profile", ("--user-name", user)),),
    )


def _stop_role(alert: Alert, principal: Principal, role: str, ledger: Ledger) -> Iterator[Step]:
    session = principal.principal_id or ""
    if (gone := _gone(ledger, "role", role)) is not None:
        yield Step(
            "Nothing to revoke: the role is gone",
            f"Role {short(role, 100)} was {gone}, so there is none to put a deny on. No event until"
            " the end of the logs makes it again.",
        )
        return
    if role.startswith("AWSReservedSSO_"):
        yield _IDENTITY_CENTER
        yield Step(
            "Deny the session",
            "The role belongs to Identity Center and cannot be edited in the account: only the"
            " permission set's own policy, or a service control policy, can deny what was issued.",
            (_policy(_session_condition(session)),) if ":" in session else (),
        )
        return
    if role.startswith("AWSServiceRoleFor") or ":role/aws-service-role/" in (
        principal.role_arn or ""
    ):
        yield Step(
            "Ask who configured the service",
            "A service-linked role can be used by its service alone and cannot be edited: stop"
            " what the service was told to do.",
        )
        return
    key = _key(principal)
    temporary = f"Key {short(key)} is temporary and" if key else "A role session"
    if ":" in session:
        yield Step(
            "Stop this session",
            f"{temporary} cannot be switched off by itself. This denies everything to the session"
            f" {short(principal.session_name or session)} and to any later one of that name.",
            (
                _command(
                    "aws iam put-role-policy",
                    ("--role-name", role),
                    *_deny_policy(_session_condition(session)),
                ),
            ),
        )
    before = iso(alert.last_seen or alert.first_seen)
    if before is not None:
        yield Step(
            "Revoke the role's older sessions",
            f"This denies everything to every session of {short(role)} issued before the alert's"
            " end, other people's and workloads' too; they get new ones and go on. Set the"
            " time to now if the session may have been renewed since.",
            (
                _command(
                    "aws iam put-role-policy",
                    ("--role-name", role),
                    *_deny_policy({"DateLessThan": {"aws:TokenIssueTime": before}}),
                ),
            ),
        )


def _stop_instance(alert: Alert, principal: Principal, instance: str, ledger: Ledger) -> Step:
    if (gone := _gone(ledger, "instance", instance)) is not None:
        return Step(
            "Nothing to isolate: the instance is gone",
            f"Instance {short(instance)} was {gone}. Volumes and snapshots of it may be left.",
        )
    role_is_gone = _gone(ledger, "role", role_name_of(principal) or "") is not None
    stays = (
        "Its role is gone, and whoever is on the instance may still be."
        if role_is_gone
        else "An instance gets new credentials within minutes: whoever is on it gets them as well."
    )
    return Step(
        "Isolate the instance",
        f"{stays} Keep it running for its memory, cut its network, then its profile.",
        (
            _command(
                "aws ec2 modify-instance-attribute --groups QUARANTINE_GROUP",
                ("--instance-id", instance),
                ("--region", alert.region or "REGION"),
            ),
            _command(
                "aws ec2 describe-iam-instance-profile-associations",
                ("--filters", f"Name=instance-id,Values={instance}"),
                ("--region", alert.region or "REGION"),
            ),
        ),
    )


_IDENTITY_CENTER = Step(
    "Disable the Identity Center user",
    "In IAM Identity Center disable the user and end their active sessions. Role sessions that"
    " they already have last until they expire, up to 12 hours: deny those as well.",
)


def _stop_before(found: AssumedBy | None, ledger: Ledger) -> Iterator[Step]:
    """The credentials that made the alert's: stopping the last alone lets them make another."""
    if found is None:
        return
    seen: set[str] = set()
    for hop in found.chain:
        key, user, arn = hop.by.access_key_id, hop.by.user_name, hop.by.arn
        if not key or key in seen:
            continue
        seen.add(key)
        sure = hop.confidence in SURE
        how = f"({hop.matched or hop.method}, {hop.confidence})"
        what = "the next access key" if hop.method == "key_created" else "this session"
        if key.startswith("AKIA") and (gone := _gone(ledger, "access key", key)) is not None:
            yield Step(
                "Nothing to switch off before it: that key is gone",
                f"Key {short(key)} {'made' if sure else 'may have made'} {what} {how}. It was"
                f" {gone}.",
            )
        elif key.startswith("AKIA") and user:
            verb = "made" if sure else "may have made"
            caution = "" if sure else "Check first that it is the one. "
            yield Step(
                f"Switch off the key that {verb} the session",
                f"{caution}Key {short(key)} of user {short(user)} {verb} {what} {how}: with it"
                " another is one call away.",
                (
                    _command(
                        "aws iam update-access-key --status Inactive",
                        ("--access-key-id", key),
                        ("--user-name", user),
                    ),
                ),
            )
        elif arn:
            yield Step(
                "Look at the session before it",
                f"{short(arn, 120)} {'made' if sure else 'may have made'} {what} {how}:"
                " decide whether it is in other hands too.",
                (_events_of_key(key),),
            )


def _stop_after(alert: Alert, found: RolesAssumed | None, ledger: Ledger) -> Iterator[Step]:
    """Sessions that the principal went on to make live on when its own credential is stopped."""
    if found is None:
        return
    names = sorted(
        {row.role_arn for row in found.roles if row.result == "success" and row.role_arn}
    )
    deleted = {
        name: undone.time
        for name in names
        if ":role/" in name
        and (undone := ledger.gone("role", name.rpartition("/")[2], name.split(":")[4])) is not None
    }
    if not names:
        return
    gone = ""
    if deleted:
        last = moment(max(filter(None, deleted.values())))
        roles = counted(len(deleted), "role")
        was = "was" if len(deleted) == 1 else "were"
        gone = f"{roles} that it assumed {was} deleted by {last}: nothing to revoke"
        gone += f" ({listed(short(name.rpartition('/')[2], 60) for name in deleted)})."
    names = [name for name in names if name not in deleted]
    if not names:
        yield Step("Nothing to revoke: the roles it assumed are gone", gone)
        return
    before = iso(alert.last_seen or alert.first_seen)
    yield Step(
        "Revoke the sessions it made",
        f"It assumed {listed(short(name, 100) for name in names)}. Those sessions work until they"
        " expire: revoke them in the same way, with a later time if they were used after the"
        f" alert.{f' {gone}' if gone else ''}",
        tuple(
            _command(
                "aws iam put-role-policy",
                ("--role-name", name.rpartition("/")[2]),
                *_deny_policy({"DateLessThan": {"aws:TokenIssueTime": before}}),
            )
            for name in names[:5]
            if before is not None and ":role/" in name and not _CANNOT_BE_EDITED.search(name)
        ),
    )


_LEFT_BEHIND = frozenset({"persistence", "privilege escalation", "defence evasion", "exfiltration"})


_CANNOT_BE_EDITED = re.compile(r":role/(aws-reserved|aws-service-role)/|/AWSReservedSSO_")


def _undo(found: InterestingCalls | None, ledger: Ledger) -> Iterator[Step]:
    """What was made or switched off and stays so after the credential is gone."""
    yield from _still_there(ledger)
    if found is None:
        return
    undone = {one for entry in ledger.entries if entry.is_gone for one in entry.event_ids}
    every = [row for row in found.calls if row.signal in _LEFT_BEHIND and row.failed < row.count]
    left = {id(row): _left(row.succeeded_ids or row.event_ids, undone) for row in every}
    rows = [row for row in every if left[id(row)]]
    if rows:
        ids = _of_each_first([left[id(row)] for row in rows])
        read, of = ids[: max(_READ, len(rows))], sum(row.count - row.failed for row in rows)
        which = "reads them all" if len(read) >= of else f"reads {len(read):,} of {of:,} of them"
        each = "" if len(read) >= of else ", of each kind at least the newest"
        each += " that was not undone" if each and undone else ""
        yield Step(
            "Check what stays behind",
            f"{listed(_names(rows), at_most=12)} succeeded. The query {which}{each}. Read each"
            " event for what it made, opened or switched off, and undo what nobody on the team"
            " asked for.",
            (
                _query(
                    "event_time, event_name, request_parameters, response_elements",
                    f"{_any_of(read)} order by event_time",
                ),
            ),
        )


def _left(ids: Sequence[str], undone: Collection[str]) -> list[str]:
    return [one for one in ids if one not in undone]


def _still_there(ledger: Ledger) -> Iterator[Step]:
    """What it made and no event undid, by name; and that the rest is gone."""
    if ledger.status != "answered":
        return
    left = [entry for entry in ledger.entries if not entry.is_gone]
    gone = [entry for entry in ledger.entries if entry.is_gone]
    shared = (
        " What was shared may have been copied before that was taken back."
        if any(entry.kind.startswith("share of ") for entry in gone)
        else ""
    )
    if not left:
        yield Step(
            "What it made is gone, as far as the logs follow it",
            f"{ledger.sentence}{shared}",
        )
        return
    named = listed((f"{one.kind} {short(one.name, 80)}" for one in left), at_most=12)
    yield Step(
        "Undo what it made",
        f"No event in the logs{until_words(left)} undoes {named}. Undo what nobody on the team"
        f" asked for.{f' {len(gone):,} other things that it made are gone.' if gone else ''}"
        f"{shared}",
    )


_READ = 100
"""Events that the query for what stays behind names, or one of each kind where those are more."""


def _names(rows: Sequence[CallGroup]) -> list[str]:
    return list(dict.fromkeys(short(plain_name(row.event_name)) for row in rows))


def _of_each_first(groups: Sequence[Sequence[str]]) -> list[str]:
    """The first of every group, then the second of every group that has one, and so on."""
    turns = zip_longest(*groups)
    return list(dict.fromkeys(one for turn in turns for one in turn if one is not None))


def _look_further(alert: Alert, principal: Principal) -> Iterator[Step]:
    if (key := _key(principal)) is not None:
        yield Step(
            "See everything the key did",
            "Also after the alert, and in every region and account that is indexed.",
            (_events_of_key(key),),
        )
    address = alert.source_ip_address
    if address and alert.first_seen is not None:
        yield Step(
            "See who else came from there",
            "Other identities from the same address may be in the same hands.",
            (
                _query(
                    "coalesce(principal_arn, identity_id) as who, count(*) as calls,"
                    " min(event_time) as first, max(event_time) as last",
                    f"source_ip_address = {_sql(address)}"
                    f" and event_time >= {_moment(alert.first_seen - timedelta(days=14))}"
                    " group by 1 order by calls desc",
                ),
            ),
        )
    if principal.user_name or principal.session_name:
        called = alert.event_name or ""
        title = alert.title.replace(called, plain_name(called)) if called else alert.title
        yield Step(
            "Ask the person or the workload's owner",
            f"Ask through another channel than their account whether they know of this:"
            f" {short(title, 120).rstrip('.')}.",
        )


def _fill_gaps(answers: Sequence[Answer]) -> Iterator[Step]:
    thin = [answer for answer in answers if answer.status in ("not_covered", "partial")]
    if thin:
        yield Step(
            "Add the missing logs",
            "Part of the logs or all are missing for"
            f" {listed(question_named(one.name).about for one in thin)}."
            f" {' '.join(dict.fromkeys(note for answer in thin for note in answer.caveats[:1]))}",
            ("python -m trail add PATH",),
        )


def _session_condition(principal_id: str) -> dict[str, Any]:
    return {"StringEquals": {"aws:userid": principal_id}}


def _policy(condition: Mapping[str, Any] | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    if condition is not None:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _deny_policy(condition: Mapping[str, Any] | None = None) -> tuple[tuple[str, str], ...]:
    return (("--policy-name", _policy_name(condition)), ("--policy-document", _policy(condition)))


def _policy_name(condition: Mapping[str, Any] | None) -> str:
    """A name of its own for each thing that is denied: IAM replaces a policy by one of its name, so
    that a second step, or another alert about the same role, would take the first deny away.
    """
    name = "IncidentDeny"
    for test, values in (condition or {}).items():
        for value in values.values():
            if test == "DateLessThan":
                name += f"Before-{re.sub('[^0-9TZ]', '', value)}"
            else:  # whatever an attacker called it, in IAM's characters
                name += f"Session-{hashlib.sha256(value.encode()).hexdigest()[:12]}"
    return name


def _command(start: str, *options: tuple[str, str]) -> str:
    """A shell command whose values, whatever an attacker named them, are single words."""
    return " ".join([start, *(f"{name} {_word(value)}" for name, value in options)])


def _word(value: str) -> str:
    """The value as one quoted word on one line; what does not print would hide in a terminal."""
    return shlex.quote("".join(c if c.isprintable() else "?" for c in value))


def _sql(value: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in value)
    return "'" + shown.replace("'", "''") + "'"


def _moment(moment: datetime) -> str:
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'"


def _events_of_key(key: str) -> str:
    return _query(
        "event_time, event_source, event_name, error_code, source_ip_address, user_agent",
        f"access_key_id = {_sql(key)} order by event_time",
    )


def _any_of(event_ids: Sequence[str]) -> str:
    return f"event_id in ({', '.join(_sql(one) for one in event_ids)})"


def _query(columns: str, rest: str) -> str:
    """Text to copy, never run here; that is why its values are quoted rather than bound."""
    return f"select {columns} from events where {rest}"
