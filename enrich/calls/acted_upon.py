"""The events that name an identity, or anything else, without being its own.

A user that was created and deleted again made no call, and is in the index all the same: in the
requests, responses and resources of the calls that others made. Looking there reads the widest
columns of every event, so it goes from the newest day back and stops after some seconds; what was
not looked at is said.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from alerts.arns import IDENTITY_ARN
from alerts.parse import NO_TIME
from enrich.words import clock, listed, short
from trail.access_keys import is_access_key, is_stand_in
from trail.counted import counted
from trail.errors import QueryTimedOut
from trail.store import Query, Store

SECONDS = 5.0
"""How long is looked: a page may wait so long for what its index cannot look up."""
MOST = 200
"""Events that are kept of each stretch of days, the newest; all are counted."""
_AT_ONCE = 1_000_000
"""So many events are read in about a second, IAM's and STS's with their JSON (measured: 0.2 s of a
CPU for 157,000, a sixth of them theirs)."""

_JSON = ("request_parameters", "response_elements", "resources", "additional_event_data",
         "service_event_details")  # fmt: skip
_NAMED_BY = {"user": "userName", "role": "roleName"}
_CALL = """coalesce(call_id, case when request_id is not null and minted_access_key_id is not null
   then concat_ws(' ', request_id, minted_access_key_id, identity_id) end, event_id)"""
"""What the records of one call have in common (`trail.calls`): also where the copies of a
cross-account call lack their `sharedEventID`, and show one caller and one key (§3.2)."""
_ABOUT_IDENTITIES = "event_source in ('iam.amazonaws.com', 'sts.amazonaws.com')"


@dataclass(frozen=True)
class ActedUpon:
    """How often something is named in what others did, and how far back that was looked for."""

    events: int
    newest: tuple[Mapping[str, Any], ...]
    looked_from: datetime
    """Nothing before was looked at."""
    whole: bool
    """Whether all was looked at that was to be."""
    queries: tuple[Query, ...]
    first: datetime | None = None
    """The time of the first of them all, of those too that are not kept."""
    corrections: int = 0
    """How many of them AWS wrote in place of others, which are not among them."""

    @property
    def last(self) -> datetime | None:
        return max((row["event_time"] for row in self.newest), default=None)

    @property
    def sentence(self) -> str:
        """ "acted in 0 events, was acted upon in 7: CreateUser, DeleteUser; by user/bob"."""
        return f"acted in 0 events, was acted upon in {self.events:,}{self.how}"

    @property
    def how(self) -> str:
        """By which calls, what changes it before what only looks and the oldest first, and by
        whom, the most frequent first: ": CreateUser, DeleteUser and ListAccessKeys; by user/bob".
        """
        if not self.newest:
            return ""
        callers = Counter(_caller(row) for row in self.newest)
        names: dict[str, None] = {}
        for row in sorted(self.newest, key=lambda row: (_rank(row), row["event_time"])):
            names[str(row["event_name"])] = None
        by = listed((short(who) for who, _ in callers.most_common()), at_most=3)
        return f": {listed((short(name) for name in names), at_most=_CALLS)}; by {by}"

    @property
    def corrected(self) -> str | None:
        """That some stand for records that AWS corrected, in a sentence; None where none does."""
        if not self.corrections:
            return None
        return (
            f"Of what was done to it, {counted(self.corrections, 'record')}"
            f" {'is' if self.corrections == 1 else 'are'} AWS's own correction: what was corrected"
            " does not count as well."
        )

    @property
    def caveats(self) -> tuple[str, ...]:
        return tuple(said for said in (self.limit, self.corrected) if said is not None)

    @property
    def limit(self) -> str | None:
        """What was not looked at, in a sentence."""
        if self.whole:
            return None
        return (
            f"Its name was looked for in requests, responses and resources since "
            f"{self.looked_from:%Y-%m-%d %H:%M} UTC only: the index goes further back."
        )


def acted_upon(
    name: str,
    store: Store,
    first: datetime,
    last: datetime,
    *,
    seconds: float = SECONDS,
    about_identities: bool = False,
) -> ActedUpon:
    """The events from `first` to `last`, both included, that name it and that it did not make.

    With `about_identities` those of IAM and STS alone, which is quick. `seconds` ends it after the
    stretch of days that is being read then. Any failure but a query's own limit of time is raised:
    of a damaged index nobody is told that nothing was found.
    """
    condition, parameters = _names(name)
    relation = "events"
    if about_identities and name.startswith("ASIA") and is_access_key(name):
        # IAM knows no temporary key: it is named where it was made, and that is looked up.
        relation, condition, parameters = "credentials", "minted_access_key_id = $of", {}
    elif about_identities:
        condition = f"{_ABOUT_IDENTITIES} and ({condition})"
    started = time.monotonic()
    # What is quick to read is read in one stretch where a window of questions is all there is.
    few = about_identities and store.coverage(None, first, last).events <= _AT_ONCE
    end, days = last, 8 if few else 1
    if relation == "credentials":
        days = max(1, (last - first).days + 1)
    found: list[Mapping[str, Any]] = []
    earliest: datetime | None = None
    queries: list[Query] = []
    events = corrections = 0

    def found_so_far(looked_from: datetime, *, whole: bool) -> ActedUpon:
        newest = tuple(found[:MOST])
        return ActedUpon(events, newest, looked_from, whole, tuple(queries), earliest, corrections)

    while True:
        start = max(first, end - timedelta(days=days))
        try:
            part = store.query(
                f"""
                select event_id, event_time, event_source, event_name, principal_arn, identity_id,
                       identity_type, user_name, account_id,
                       source_ip_address, failed, count(*) over () as named,
                       count(original_event_id) over () as corrections,
                       min(event_time) over () as earliest
                from (
                  select event_id, event_time, event_source, event_name, principal_arn,
                         identity_id, identity_type, user_name, account_id, source_ip_address,
                         failed, original_event_id,
                         row_number() over (
                           partition by {_CALL} order by principal_arn is null, event_id
                         ) as copy
                  from {relation}
                  where event_time >= $span_first and event_time <= $span_last
                    and replaced is null
                    and coalesce(principal_arn, '') <> $of and coalesce(identity_id, '') <> $of
                    and ({condition})
                ) as named
                where copy = 1
                order by event_time desc, event_id limit {MOST}
                """,
                {**parameters, "of": name, "span_first": start, "span_last": end},
                first=start,
                last=end,
            )
        except QueryTimedOut:
            # Too much for one query: what is newer than this stretch was looked at.
            return found_so_far(end, whole=False)
        queries.append(part.query)
        if part.rows:
            events += int(part.rows[0]["named"])
            corrections += int(part.rows[0]["corrections"])
            found += part.rows
            earliest = part.rows[0]["earliest"]
        if start <= first:
            return found_so_far(first, whole=True)
        if time.monotonic() - started > seconds:
            return found_so_far(start, whole=False)
        end, days = start - timedelta(microseconds=1), days * 2


def name_of(principal: Principal) -> str | None:
    """What others' events would call it."""
    return principal.arn or principal.role_arn or principal.principal_id or principal.access_key_id


def in_words(found: ActedUpon, name: str) -> str:
    """A sentence for an answer that found few calls of an identity's own, or none. Many sessions of
    a role may have one name, and what made another of them is no deed upon this one."""
    who = "Sessions of this role and name were" if ":assumed-role/" in name else "It was"
    return f"{who} acted upon in {counted(found.events, 'event')}{found.how}."


_CALLS = 8
"""Calls that a sentence names."""
_READS = re.compile(r"(?:Get|List|Describe|Head|Simulate)")
_GIVES = re.compile(r"(?:Create|Attach|Add|Put|Update|Assume|Enable|Upload|Reset|Set)")


def _rank(row: Mapping[str, Any]) -> int:
    """What gave it something, what took something away, what failed, and what only looked."""
    name = str(row["event_name"])
    if _READS.match(name):
        return 3
    if row["failed"]:
        return 2
    return 0 if _GIVES.match(name) else 1


def _caller(row: Mapping[str, Any]) -> str:
    """Who made an event that names another: "user/bob", "assumed-role/admin/ann"."""
    arn, kind = str(row["principal_arn"] or ""), str(row["identity_type"] or "")
    named = arn.split(":", 5)[-1] or str(row["identity_id"] or "")
    if not arn and kind in _WITHOUT_ARN:
        # The id is what a provider calls them: "EXAMPLEe3b6…=:kim", a hash and a name.
        named = str(row["user_name"] or named.rpartition(":")[2])
        what = f"{_WITHOUT_ARN[kind]} {named}" if named else f"a {_WITHOUT_ARN[kind]}"
        return what if not is_stand_in(named) else f"a {_WITHOUT_ARN[kind]} whose name is masked"
    if not arn and kind == "AWSAccount" and row["account_id"]:
        of = f" of account {row['account_id']}"
        return f"{named}{of}" if named not in ("", row["account_id"]) else f"a caller{of}"
    if not named:
        return "a caller without a name"
    # What stands where a name was masked is nobody's name, and may be several people's.
    return "a caller whose name is masked" if is_stand_in(named.rpartition("/")[2]) else named


_WITHOUT_ARN = {
    "SAMLUser": "SAML user",
    "WebIdentityUser": "web identity",
    "IdentityCenterUser": "Identity Center user",
    "Directory": "directory user",
}
"""Callers that no record shows an ARN of (§1.2), in words."""


def at_what_was_done_to_it(alert: Alert, store: Store) -> Alert:
    """An alert without a time about somebody without calls, at the calls that others made of it."""
    summary = store.summary()
    if alert.first_seen is not None or summary.first is None or summary.last is None:
        return alert
    for principal in alert.principals:
        if (name := name_of(principal)) is None:
            continue
        named = acted_upon(name, store, summary.first, summary.last, about_identities=True)
        if named.first is None or named.last is None:
            continue
        when = f"that of this event, {clock(named.first)}"
        if named.events > 1:
            when = f"from the first of these events, {clock(named.first)}, to the last,"
            when += f" {clock(named.last)}"
        note = f"{short(name, 120)} {named.sentence}. The time here is {when}: others acted then."
        note += "".join(f" {said}" for said in named.caveats)
        where = f"the events that name it, from {named.newest[-1]['event_id']} on"
        return replace(
            alert,
            first_seen=named.first,
            last_seen=named.last,
            time_is_fallback=True,
            account_id=alert.account_id or principal.account_id,
            notes=(*(one for one in alert.notes if one != NO_TIME), note),
            origins={**alert.origins, "first_seen": where, "last_seen": where},
        )
    return alert


def _names(name: str) -> tuple[str, dict[str, Any]]:
    """The condition for events that name it: its ARN or id as a whole value of their JSON, or
    its user or role name in a call to the account that it is in.
    """
    parameters: dict[str, Any] = {"quoted": json.dumps(name, ensure_ascii=False)}
    parts = [f"contains({column}, $quoted)" for column in _JSON]
    parts += [
        f"{column} = $of"
        for column in ("target_role_arn", "minted_principal_id", "minted_access_key_id")
    ]
    match = IDENTITY_ARN.fullmatch(name)
    key = _NAMED_BY.get(match[2]) if match is not None else None
    if match is not None and key is not None and match[3]:
        value = json.dumps(match[3].rpartition("/")[2], ensure_ascii=False)
        # As CloudTrail writes JSON, and as tools that write it again do.
        parameters |= {
            "account": match[1],
            "named": f'"{key}":{value}',
            "named_apart": f'"{key}": {value}',
        }
        parts.append(
            "(recipient_account_id = $account and event_source = 'iam.amazonaws.com'"
            " and (contains(request_parameters, $named)"
            " or contains(request_parameters, $named_apart)))"
        )
    return " or ".join(parts), parameters
