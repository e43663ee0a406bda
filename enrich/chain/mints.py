"""The events that make, move or end a credential, found by the rules' own keys.

`MintReader` asks the store and keeps every query for the answer. Look-ups by minted key or
principal go to `credentials`, which is sorted for them; those by caller go to `events`, which is
sorted by identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from enrich.chain.expiration import expiration_of
from enrich.facts.interface import (
    Interface,
    interface_detail,
    interface_of,
    is_console_call,
    json_object,
)
from enrich.facts.role_name import RoleName, role_named, session_in
from enrich.sql_text import bound_list, bound_values, like_text
from trail.access_keys import is_access_key, is_stand_in
from trail.calls import CORRECTED
from trail.store import Query, Store

_FLAT_COLUMNS = """event_id, event_time, event_source, event_name, aws_region,
 recipient_account_id, source_ip_address, user_agent, request_id, shared_event_id,
 original_event_id, identity_type, identity_id, principal_id, principal_arn, account_id,
 access_key_id, user_name, invoked_by, issuer_arn, session_name, session_created,
 session_from_console, source_identity, on_behalf_of, sign_in_session_arn, mfa, ec2_role_delivery,
 minted_access_key_id, minted_principal_id, target_role_arn, target_session_name,
 duration_seconds, failed"""

_JSON_COLUMNS = (
    "user_identity",
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "service_event_details",
)
"""Most of what a row weighs: not read for a hop inside a chain, which then has none of them."""

MINT_COLUMNS = f"{_FLAT_COLUMNS}, {', '.join(_JSON_COLUMNS)}"

_EXPIRATION = r"""nullif(regexp_extract(
   response_elements, '"expiration"\s*:\s*"?([0-9A-Za-z][^"{}\[\]]{0,40})', 1), '') as expiration"""
"""When the response says that what it gave out ends, as written; null where it does not."""

_BRIEF_COLUMNS = f"""{_FLAT_COLUMNS}, {_EXPIRATION},
 case when contains(request_parameters, 'sourceIdentity')
   or contains(request_parameters, 'serialNumber') then request_parameters end
   as request_parameters"""
"""Enough where the caller is a user or a role, whose fields have columns of their own."""

_BRANCH_COLUMNS = """event_id, event_time, event_source, event_name, recipient_account_id,
 source_ip_address, user_agent, request_id, shared_event_id, identity_type, principal_id,
 principal_arn, account_id, access_key_id, invoked_by, session_created, session_from_console,
 minted_access_key_id, minted_principal_id, target_role_arn, target_session_name,
 duration_seconds,
 case when event_name = 'CreateAccessKey' then response_elements end as response_elements"""
"""What a branch of the forward tree is told from: of the JSON, the one response that names whom
a new credential is for."""

_CALLER_COLUMNS = """event_id, identity_type, principal_id, principal_arn, account_id,
 access_key_id, user_name, invoked_by, issuer_arn, session_name, on_behalf_of"""
"""Who called, as far as two records of one event may differ in it."""

_NO_JSON = dict.fromkeys(_JSON_COLUMNS)

MINT_CAP = 500
"""At most this many mints are read by one look-up; a session name shared by more is cut there."""

CLOCK_SKEW = timedelta(seconds=2)
"""STS and service hosts keep time alike; seconds are cut off, so one of them is normal (§3.2)."""


def is_near(time: datetime, created: datetime | None) -> bool:
    """Whether a session created then may have been made at that time (R2b)."""
    return created is not None and abs(time - created) <= CLOCK_SKEW


@dataclass(frozen=True)
class Mint:
    """One minting call: the copy that says most about its caller, and the ids of all its copies."""

    row: Mapping[str, Any]
    event_ids: tuple[str, ...]

    @property
    def event_id(self) -> str:
        return str(self.row["event_id"])

    @property
    def time(self) -> datetime:
        time: datetime = self.row["event_time"]
        return time

    @property
    def event_name(self) -> str:
        return str(self.row["event_name"])

    @property
    def key(self) -> str | None:
        """The key that the response shows; none where it was masked (§3.4 rule 1)."""
        key = self.row["minted_access_key_id"]
        return str(key) if is_access_key(key) else None

    @property
    def role_arn(self) -> str | None:
        """The role it was for; the session's ARN stands in where the request is missing."""
        return _text(self.row["target_role_arn"]) or self.session_arn

    @property
    def session_arn(self) -> str | None:
        made = json_object(self.row["response_elements"]).get("assumedRoleUser")
        return _text(made.get("arn")) if isinstance(made, Mapping) else None

    @property
    def role(self) -> RoleName | None:
        return role_named(self.role_arn)

    @property
    def session_name(self) -> str | None:
        principal_id = _text(self.row["minted_principal_id"]) or ""
        return (
            _text(self.row["target_session_name"])
            or (principal_id.partition(":")[2] if principal_id.startswith("AROA") else None)
            or session_in(self.session_arn)
        )

    @property
    def interface(self) -> Interface:
        return interface_of(self.row)

    @property
    def interface_detail(self) -> str | None:
        return interface_detail(self.row)

    @property
    def made_by_sts(self) -> bool:
        return bool(self.row["event_source"] == "sts.amazonaws.com")

    @property
    def expires(self) -> datetime | None:
        """When what it gave out ends by its own response: None where that says nothing, or a time
        at which no session of that call can end.
        """
        stated = self.row.get("expiration")
        if stated is None:
            made = json_object(self.row["response_elements"]).get("credentials")
            stated = made.get("expiration") if isinstance(made, Mapping) else None
        end = expiration_of(stated)
        # §3.2: nothing lasts longer than 36 hours.
        return end if end is not None and self.time < end <= self.time + _LONGEST else None

    @property
    def latest_end(self) -> datetime:
        """When its session was over at the latest."""
        return self.expires or self.time + lifetime_of(self.row)


_LONGEST = timedelta(hours=36) + CLOCK_SKEW


def lifetime_of(mint: Mapping[str, Any]) -> timedelta:
    """How long the minted session could live: as asked for, else the most that is possible (R3b).

    Chained sessions end after an hour whatever was asked.
    """
    name = mint["event_name"]
    if name == "AssumeRoot":
        return timedelta(minutes=15)
    asked = mint["duration_seconds"]
    if name in ("GetSessionToken", "GetFederationToken"):
        return timedelta(seconds=asked) if asked else timedelta(hours=12)
    if name == "AssumeRole" and mint["identity_type"] == "AssumedRole":
        return timedelta(seconds=min(asked or 3600, 3600))
    if asked:
        return timedelta(seconds=asked)
    if mint["invoked_by"] == "ec2.amazonaws.com":
        return timedelta(hours=7)  # about six and a half, seen
    if mint["identity_type"] == "AWSService" or is_console_call(mint):
        return timedelta(hours=12)
    if name in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return timedelta(hours=1)
    return timedelta(hours=12)


class MintReader:
    """Finds minting and sign-in events, and remembers the queries it ran."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.queries: list[Query] = []
        self.cut = False
        """Whether a look-up gave as many rows as it may: there are more."""

    def find(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        *,
        first: datetime | None = None,
        last: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """The rows of one query, which is kept as proof."""
        result = self.store.query(sql, parameters, first=first, last=last)
        self.queries.append(result.query)
        self.cut = self.cut or len(result.rows) == MINT_CAP
        return result.rows

    def credentials(
        self,
        condition: str,
        parameters: Mapping[str, Any],
        order: str = "event_time, event_id",
        *,
        columns: str = MINT_COLUMNS,
        limit: int = MINT_CAP,
    ) -> list[dict[str, Any]]:
        """The credential events that meet a condition, of all days.

        Whether there are any is asked first: most look-ups of a chain's end find nothing, and so
        many columns take longer to plan than to read.
        """
        if not self.find(f"select event_id from credentials where {condition} limit 1", parameters):
            return []
        return self._whole(condition, parameters, order, columns, limit)

    def _whole(
        self,
        condition: str,
        parameters: Mapping[str, Any],
        order: str,
        columns: str = MINT_COLUMNS,
        limit: int = MINT_CAP,
    ) -> list[dict[str, Any]]:
        return self.find(
            f"select {columns} from credentials where {condition} order by {order} limit {limit}",
            parameters,
        )

    def _mints(
        self,
        condition: str,
        parameters: Mapping[str, Any],
        created: datetime | None,
        first: datetime,
        last: datetime,
    ) -> list[Mint]:
        """The successful calls between two times that meet a condition, newest first: those near
        a session's creation date alone, if there are any.

        Their times are asked first: one read then serves rules R2 and R3.
        """
        condition += " and not failed and event_time >= $first and event_time <= $last"
        parameters = {**parameters, "first": first, "last": last}
        newest = "event_time desc, event_id"
        found = self.find(
            f"select event_time, {_TELLING} from credentials where {condition}"
            f" order by {newest} limit {MINT_CAP}",
            parameters,
        )
        near = [row for row in found if is_near(row["event_time"], created)]
        if near and created is not None:
            parameters |= {"first": created - CLOCK_SKEW, "last": created + CLOCK_SKEW}
        if not found:
            return []
        columns = MINT_COLUMNS if any(map(_needs_json, near or found)) else _BRIEF_COLUMNS
        rows = self._whole(condition, parameters, newest, columns)
        return merge_copies(_NO_JSON | row for row in rows)

    def by_minted_key(self, access_key_id: str) -> list[Mint]:
        """The successful calls whose response shows this key.

        Read without their JSON first: a long chain is a series of these look-ups. The JSON is
        read where the caller, as the end of a chain, is described by nothing else.
        """
        rows = self._with_key(access_key_id, _BRIEF_COLUMNS)
        if any(_needs_json(row) for row in rows):
            rows = self._with_key(access_key_id, MINT_COLUMNS)
        return merge_copies(sorted(rows, key=lambda row: (row["event_time"], row["event_id"])))

    def _with_key(self, access_key_id: str, columns: str) -> list[dict[str, Any]]:
        rows = self.find(
            f"""
            select {columns} from credentials
            where minted_access_key_id = $key and not failed limit {MINT_CAP}
            """,
            {"key": access_key_id},
        )
        return [_NO_JSON | row for row in rows]

    def told_otherwise(self, mints: Sequence[Mint]) -> dict[str, list[Mint]]:
        """By the event id of a call, what further records of it show where they name another
        caller: those of its own event ids, of which an index keeps the first, and what a
        correction stands for. Nobody knows which is right.
        """
        unlike: dict[str, list[Mint]] = {}
        for some in _of_days_beside(mints):
            for event_id, row in (*self._repeats_of(some), *self._corrected_by(some)):
                for mint in some:
                    others = unlike.get(mint.event_id, [])
                    if event_id in mint.event_ids and all(
                        have_unlike_callers(row, known.row) for known in (mint, *others)
                    ):
                        other = Mint({**mint.row, **row}, (str(row["event_id"]),))
                        unlike[mint.event_id] = [*others, other]
        return unlike

    def _repeats_of(self, mints: Sequence[Mint]) -> list[tuple[str, dict[str, Any]]]:
        """Further records with the event id of one of the calls, which is named beside each."""
        if not self.store.summary().may_hold_repeats:
            return []
        ids = [event_id for mint in mints for event_id in mint.event_ids]
        rows = self._beside("repeats", f"event_id in {bound_list('event', ids)}", ids, mints)
        return [(str(row["event_id"]), row) for row in rows]

    def _corrected_by(self, mints: Sequence[Mint]) -> list[tuple[str, dict[str, Any]]]:
        """The records in place of which one of the calls counts, which is named beside each."""
        ids = [i for mint in mints if mint.row["original_event_id"] for i in mint.event_ids]
        if not ids:
            return []
        condition = f"replaced = '{CORRECTED}' and replaced_by in {bound_list('event', ids)}"
        rows = self._beside("events", condition, ids, mints, ", replaced_by")
        return [(str(row.pop("replaced_by")), row) for row in rows]

    def _beside(
        self,
        relation: str,
        condition: str,
        ids: Sequence[str],
        mints: Sequence[Mint],
        more: str = "",
    ) -> list[dict[str, Any]]:
        """Who made the events of a relation within a day of these calls."""
        first, last = mints[0].time - _ONE_DAY, mints[-1].time + _ONE_DAY
        return self.find(
            f"""
            select {_CALLER_COLUMNS}{more} from {relation}
            where {condition} and event_time >= $first and event_time <= $last limit {MINT_CAP}
            """,
            {**bound_values("event", ids), "first": first, "last": last},
            first=first,
            last=last,
        )

    def user_identity(self, event_id: str, identity_id: str | None, time: datetime) -> str | None:
        """The whole `userIdentity` of one credential event, as JSON text."""
        rows = self.find(
            """
            select user_identity from credentials
            where identity_id = $identity_id and event_time = $time and event_id = $event_id
            limit 1
            """,
            {"identity_id": identity_id, "time": time, "event_id": event_id},
        )
        return rows[0]["user_identity"] if rows else None

    def minted_by(
        self, condition: str, parameters: Mapping[str, Any], limit: int
    ) -> list[dict[str, Any]]:
        """The successful calls that made a key and meet a condition, the earliest first, with
        what tells whom it is for.
        """
        rows = self.credentials(
            f"{condition} and minted_access_key_id is not null and not failed",
            parameters,
            columns=_BRANCH_COLUMNS,
            limit=limit,
        )
        return [_NO_JSON | row for row in rows]

    def by_minted_principal(
        self, principal_id: str, created: datetime | None, first: datetime, last: datetime
    ) -> list[Mint]:
        """The successful calls that made a session of this principal id between two times; if
        any are near its creation date, those alone. Newest first.
        """
        return self._mints(
            "minted_principal_id = $principal_id",
            {"principal_id": principal_id},
            created,
            first,
            last,
        )

    def by_role_and_session(
        self,
        role_arn: str,
        session_name: str | None,
        principal_id: str | None,
        created: datetime | None,
        first: datetime,
        last: datetime,
    ) -> list[Mint]:
        """The same by what was asked for: old EC2 mints show no principal id. Without a session
        name, every one of the role's.

        The role is compared by account and name, since the given ARN may lack its path; a mint
        that shows another role id is of a role deleted and made again under that name. Of a
        session whose whole principal id is known, only mints that show none are wanted: the
        others are found by it.
        """
        role = role_named(role_arn)
        if role is None:
            return []
        partition = role_arn.split(":", 2)[1]
        role_id, _, session = (principal_id or "").partition(":")
        condition = """target_role_arn >= $role_from and target_role_arn < $role_to
              and lower(target_role_arn) like $role_end escape '!'"""
        named = {}
        if session_name is not None:
            condition += " and target_session_name = $session_name"
            named = {"session_name": session_name}
        if role_id.startswith("AROA") and session == session_name:
            condition += " and minted_principal_id is null"
        mints = self._mints(
            condition,
            {
                # Every role of the account: statistics skip the rest of the index.
                "role_from": f"arn:{partition}:iam::{role.account_id}:role/",
                "role_to": f"arn:{partition}:iam::{role.account_id}:role0",
                "role_end": f"%/{like_text(role.name)}",
                **named,
            },
            created,
            first,
            last,
        )
        return [
            mint
            for mint in mints
            if mint.role == role
            and (
                not role_id.startswith("AROA")
                or mint.row["minted_principal_id"] is None
                or str(mint.row["minted_principal_id"]).partition(":")[0] == role_id
            )
        ]

    def root_mints(self, account_id: str, first: datetime, last: datetime) -> list[Mint]:
        """The AssumeRoot calls for an account: their record is in the calling account (§0 10)."""
        rows = self.credentials(
            """event_name = 'AssumeRoot' and not failed
              and event_time >= $first and event_time <= $last""",
            {"first": first, "last": last},
            "event_time desc, event_id",
        )
        return [mint for mint in merge_copies(rows) if root_account(mint) == account_id]

    def identity_center_calls(self, first: datetime, last: datetime) -> list[dict[str, Any]]:
        """The portal's hand-outs of role credentials: they name the user, not the session."""
        return self.credentials(
            """event_source = 'sso.amazonaws.com'
              and event_name in ('GetRoleCredentials', 'Federate') and not failed
              and minted_principal_id is null
              and event_time >= $first and event_time <= $last""",
            {"first": first, "last": last},
        )

    def sign_ins(
        self, identity_ids: Sequence[str], first: datetime, last: datetime
    ) -> list[dict[str, Any]]:
        """What these identities did at sign-in, in CloudShell, by GetSessionToken, and by
        GetScopedCredentials, which makes the same session again.
        """
        if not identity_ids:
            return []
        rows = self.credentials(
            f"""identity_id in {bound_list("identity", identity_ids)}
              and (event_source in ('signin.amazonaws.com', 'cloudshell.amazonaws.com')
                   or event_name in ('GetSessionToken', 'GetScopedCredentials'))
              and not failed
              and event_time >= $first and event_time <= $last""",
            {**bound_values("identity", identity_ids), "first": first, "last": last},
        )
        # A failed SwitchRole says so in its response alone.
        return [
            row for row in rows if "Failure" not in json_object(row["response_elements"]).values()
        ]

    def callers_copies(self, shared_event_id: str, time: datetime) -> list[dict[str, Any]]:
        """The records of a `sharedEventID` that name their caller, as the caller's own account's
        copy of a call does: the earliest first. Any record may bear that id.
        """
        return self.find(
            f"""
            select {MINT_COLUMNS} from events
            where shared_event_id = $shared_event_id and principal_arn is not null
              and event_time >= $first and event_time <= $last
            order by event_time, event_id limit 20
            """,
            {
                "shared_event_id": shared_event_id,
                "first": time - CLOCK_SKEW,
                "last": time + CLOCK_SKEW,
            },
            first=time - CLOCK_SKEW,
            last=time + CLOCK_SKEW,
        )

    def name_of(self, identity_id: str, around: datetime) -> dict[str, Any] | None:
        """What other events within a day call an identity that one record shows by id alone."""
        first, last = around - timedelta(days=1), around + timedelta(days=1)
        rows = self.find(
            """
            select principal_arn, user_name, identity_type, issuer_arn, account_id from events
            where identity_id = $identity_id and principal_arn is not null
              and event_time >= $first and event_time <= $last
            order by event_time, event_id limit 1
            """,
            {"identity_id": identity_id, "first": first, "last": last},
            first=first,
            last=last,
        )
        return rows[0] if rows else None

    def arn_of_caller(self, mint: Mint) -> str | None:
        """What a call's own record calls its caller, else other events of a user's id."""
        row = mint.row
        if row["principal_arn"] is not None or row["identity_type"] != "AWSAccount":
            return _text(row["principal_arn"])
        if row["identity_id"] is None or str(row["principal_id"] or "").startswith("AROA"):
            return None
        named = self.name_of(row["identity_id"], mint.time)
        return _text(named["principal_arn"]) if named is not None else None

    def minted_keys(self, access_key_ids: Sequence[str]) -> set[str]:
        """Those of the keys that a record shows being made: credentials of their own."""
        if not access_key_ids:
            return set()
        rows = self.find(
            f"""
            select distinct minted_access_key_id from credentials
            where minted_access_key_id in {bound_list("key", access_key_ids)} and not failed
            """,
            bound_values("key", access_key_ids),
        )
        return {row["minted_access_key_id"] for row in rows}


_ONE_DAY = timedelta(days=1)


def _of_days_beside(mints: Sequence[Mint]) -> list[list[Mint]]:
    """The calls in order of their times, those of days side by side together."""
    lots: list[list[Mint]] = []
    for mint in sorted(mints, key=lambda mint: mint.time):
        if not lots or mint.time - lots[-1][-1].time > _ONE_DAY:
            lots.append([])
        lots[-1].append(mint)
    return lots


def merge_copies(rows: Iterable[Mapping[str, Any]]) -> list[Mint]:
    """One `Mint` per call, in the rows' order: a cross-account call has a copy in each account.

    Copies share `shared_event_id`, else request id and minted key (§3.2), their time, and the
    caller, as far as each shows one: a record that repeats another one's ids at another time, or by
    somebody else, is no copy of it, and ids that were masked are shared by strangers. The caller's
    copy answers "who"; what it lacks is filled in from the other.
    """
    calls: list[list[Mapping[str, Any]]] = []
    known: dict[object, list[list[Mapping[str, Any]]]] = {}
    for row in rows:
        shares = _shared_by_copies(row)
        call = next(
            (
                call
                for share in shares
                for call in known.get(share, ())
                if all(_may_be_copies(row, copy) for copy in call)
            ),
            None,
        )
        if call is None:
            call = []
            calls.append(call)
        call.append(row)
        for share in shares:
            known.setdefault(share, []).append(call)
    return [_merged(copies) for copies in calls]


def _may_be_copies(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether nothing that both records show speaks against their being of one call."""
    return (
        abs(row["event_time"] - other["event_time"]) <= CLOCK_SKEW
        and not _differ(row, other, "minted_principal_id", "target_role_arn")
        and not _differ_in_key(row, other, "minted_access_key_id")
        and not have_unlike_callers(row, other)
    )


def have_unlike_callers(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records show different callers. The role owner's copy of a call shows but the
    account and the id (§0 fact 9), and what was masked shows nobody.
    """
    kinds = {row["identity_type"], other["identity_type"]} - {None, "AWSAccount", "Unknown"}
    return (
        len(kinds) > 1
        or _differ(row, other, "principal_id", "principal_arn", "account_id", "user_name")
        or _differ_in_key(row, other, "access_key_id")
    )


def _differ(row: Mapping[str, Any], other: Mapping[str, Any], *names: str) -> bool:
    pairs = ((row.get(name), other.get(name)) for name in names)
    return any(
        one != two and not any(not text or is_stand_in(text) for text in (one, two))
        for one, two in pairs
    )


def _differ_in_key(row: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    keys = row[name], other[name]
    return keys[0] != keys[1] and all(map(is_access_key, keys))


def _shared_by_copies(row: Mapping[str, Any]) -> list[object]:
    shared, request, key = (
        row[name] for name in ("shared_event_id", "request_id", "minted_access_key_id")
    )
    shares: list[object] = []
    if shared and not is_stand_in(shared):
        shares.append(shared)
    if request and key and not is_stand_in(request):
        shares.append((request, key))
    return shares


def key_owner(mint: Mint) -> str | None:
    """The user that a new long-term key belongs to."""
    key = json_object(mint.row["response_elements"]).get("accessKey")
    return _text(key.get("userName")) if isinstance(key, Mapping) else None


def root_account(mint: Mint) -> str | None:
    """The account whose root user an AssumeRoot was for, which it names by id or by ARN."""
    asked = json_object(mint.row["request_parameters"]).get("targetPrincipal")
    found = re.search(r"(?<!\d)\d{12}(?!\d)", asked) if isinstance(asked, str) else None
    return found[0] if found is not None and mint.event_name == "AssumeRoot" else None


_TELLING = "identity_type, event_name, target_role_arn, minted_principal_id"
"""The columns that say whether a row needs its JSON."""


def _needs_json(row: Mapping[str, Any]) -> bool:
    if row["event_name"] == "GetScopedCredentials":  # told by the session that called it
        return False
    return (
        row["identity_type"] not in ("IAMUser", "AssumedRole", "AWSAccount", "Root")
        or row["event_name"] in ("CreateAccessKey", "AssumeRoot")
        or (row["target_role_arn"] is None and row["minted_principal_id"] is None)
    )


def _merged(copies: Sequence[Mapping[str, Any]]) -> Mint:
    ranked = sorted(copies, key=lambda row: (*_vagueness(row), row["event_id"]))
    merged = dict(ranked[0])
    for copy in ranked[1:]:
        for name in (
            "minted_access_key_id",
            "minted_principal_id",
            "target_role_arn",
            "target_session_name",
            "duration_seconds",
            "request_parameters",
            "response_elements",
        ):
            if merged[name] is None:
                merged[name] = copy[name]
        if merged.get("original_event_id") is None and copy.get("original_event_id") is not None:
            merged["original_event_id"] = copy["original_event_id"]
    return Mint(merged, tuple(dict.fromkeys(str(row["event_id"]) for row in ranked)))


def _vagueness(row: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Sorts the copy first that the caller's own account keeps."""
    return (
        row["identity_type"] == "AWSAccount",
        not (row["access_key_id"] or row["principal_arn"]),
        row["account_id"] is None or row["recipient_account_id"] != row["account_id"],
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
