"""Sessions that began at the sign-in service: switched roles, `aws login`, CloudShell (§2.2).

Their keys show in no record; the sign-in events of the same identity tell where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from enrich.chain import claims
from enrich.chain.claims import LONGEST_ROLE_SESSION
from enrich.chain.hop import Hop, distinct_callers, hop_of, merged_callers, nearness
from enrich.chain.mints import CLOCK_SKEW, Mint, MintReader
from enrich.chain.session import LONGEST_SESSION, Session, session_of_caller
from enrich.facts.interface import is_console_call, json_object
from enrich.facts.role_name import role_arn_of, session_in
from trail.access_keys import is_stand_in


def sign_ins_of(session: Session, reader: MintReader) -> list[dict[str, Any]]:
    """The sign-in events of the session's own principal over its lifetime so far."""
    end = session.seen_until or session.created
    if end is None or session.identity_id is None:
        return []
    longest = LONGEST_ROLE_SESSION if session.is_role else LONGEST_SESSION
    start = session.created if session.created is not None else end - longest
    start = max(start, end - LONGEST_SESSION) if start <= end else end
    if session.created is not None:
        start = min(start, session.created)
    rows = reader.sign_ins([session.identity_id], start - CLOCK_SKEW, end + CLOCK_SKEW)
    # All sessions of a role have one identity: another person's are none of this session's.
    return [
        row
        for row in rows
        if row["principal_id"] is None
        or session.principal_id is None
        or row["principal_id"] == session.principal_id
        or not session.is_role
    ]


def told_by_switch(hop: Hop, switch: Mapping[str, Any]) -> Hop:
    """The hop with what only `SwitchRole` shows: the person's address, and the caller's ARN."""
    by, by_field = hop.by, hop.by_label_field
    source = switch_source(switch)
    if by.arn is None and source is not None:
        by = _switched_from(source, switch)
        by = replace(by, principal_id=hop.by.principal_id or by.principal_id)
        by_field = "SwitchRole additionalEventData.SwitchFrom"
    return replace(
        hop,
        by=by,
        by_label_field=by_field,
        source_ip_address=switch["source_ip_address"],
        address_event_id=str(switch["event_id"]),
        user_agent=switch["user_agent"],
        also=(*hop.also, str(switch["event_id"])),
        console=True,
    )


def not_named_by(source: str, mints: Sequence[Mint], reader: MintReader) -> list[Mint]:
    """The calls that others made than the one whom a switch of roles names."""
    return [
        mint
        for mint in mints
        if not claims.named_by_switch(mint, source, reader.arn_of_caller(mint))
    ]


def by_switch_role(
    session: Session,
    sign_ins: Sequence[Mapping[str, Any]],
    near: Sequence[Mint],
    reader: MintReader,
) -> Hop | None:
    """R2c: the console's `SwitchRole` names its source, even without the caller's own log. `near`
    are the calls that made a session of its role and name in those seconds."""
    if session.created is None:
        return None
    switches = _switches_near(sign_ins, session)
    if not switches or (source := switch_source(switches[0])) is None:
        return None
    switch = switches[0]
    mint = Mint(switch, (str(switch["event_id"]),))
    others = not_named_by(source, near, reader)
    doubt = claims.against_the_switch(session, switch, others, sign_ins)
    callers = _sources(switches)
    if doubt is not None:
        callers = merged_callers(callers, distinct_callers(others, alone=True))
    return replace(
        hop_of(
            session,
            mint,
            method="switch_role",
            rule="R2c",
            claim=claims.by_switch(session, len({switch_source(row) for row in switches}), doubt),
            candidates=[Mint(row, (str(row["event_id"]),)) for row in switches],
            distance_from=session.created,
        ),
        by=_switched_from(source, switch),
        by_label_field="additionalEventData.SwitchFrom",
        console=True,
        role_arn=session.role_arn,
        session_name=session.session_name,
        callers=callers if len(callers) > 1 else (),
    )


def switch_near(
    sign_ins: Sequence[Mapping[str, Any]], session: Session
) -> Mapping[str, Any] | None:
    """The console's own record of switching to this session; None when there are several that
    name different sources, which tells nothing."""
    switches = _switches_near(sign_ins, session)
    if len({switch_source(row) for row in switches}) != 1:
        return None
    return switches[0]


def _switches_near(
    sign_ins: Sequence[Mapping[str, Any]], session: Session
) -> list[Mapping[str, Any]]:
    created = session.created
    if created is None:
        return []
    switches = [
        row
        for row in sign_ins
        if row["event_name"] in ("SwitchRole", "RenewRole")
        and abs(row["event_time"] - created) <= CLOCK_SKEW
    ]
    return sorted(switches, key=lambda row: (nearness(row["event_time"], created), row["event_id"]))


def _sources(switches: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The callers that several switches name."""
    callers = {}
    for row in switches:
        source = switch_source(row)
        if source is not None and source not in callers:
            by = _switched_from(source, row)
            callers[source] = {
                "type": by.type,
                "arn": by.arn,
                "principal_id": None,
                "user_name": by.user_name,
                "invoked_by": None,
                "count": sum(switch_source(other) == source for other in switches),
                "last": row["event_time"],
                "event_id": str(row["event_id"]),
            }
    return tuple(callers.values())


def switch_source(switch: Mapping[str, Any]) -> str | None:
    """Who switched, by AWS's own word; None where it is missing or masked."""
    source = json_object(switch["additional_event_data"]).get("SwitchFrom")
    if not isinstance(source, str) or not source.startswith("arn:") or is_stand_in(source):
        return None
    return source


def _switched_from(arn: str, switch: Mapping[str, Any]) -> Session:
    parts = arn.split(":", 5)
    resource = parts[5] if len(parts) == 6 else ""
    kind = "Unknown"
    if resource.startswith("assumed-role/"):
        kind = "AssumedRole"
    elif resource.startswith("user/"):
        kind = "IAMUser"
    elif resource == "root":
        kind = "Root"
    elif resource.startswith("federated-user/"):
        kind = "FederatedUser"
    return Session(
        type=kind,
        arn=arn,
        role_arn=role_arn_of(arn),
        session_name=session_in(arn),
        account_id=parts[4] if len(parts) == 6 else None,
        user_name=resource.rpartition("/")[2] if kind == "IAMUser" else None,
        seen=switch["event_time"],
        seen_until=switch["event_time"],
        from_console=True,
    )


def by_shared_sign_in(session: Session, sign_ins: Sequence[Mapping[str, Any]]) -> Hop | None:
    """R2d: a command line or CloudShell that borrowed a console session of the same person.

    The borrowed credential keeps the console session's principal and creation date, so it is only
    looked for when the use itself did not come from the console (§0 fact 7).
    """
    by_console = {"user_agent": session.user_agent, "invoked_by": session.invoked_by}
    if session.from_console or is_console_call(by_console):
        return None
    agent = session.user_agent or ""
    in_cloudshell = "exec-env/CloudShell" in agent
    names = (
        ("PutCredentials", "CreateSession")
        if in_cloudshell
        else ("CreateOAuth2Token", "AuthorizeOAuth2Access")
    )
    fitting = []
    for row in sign_ins:
        if row["event_name"] not in names:
            continue
        if (row["event_source"] == "cloudshell.amazonaws.com") != in_cloudshell:
            continue
        if session.seen_until is not None and row["event_time"] > session.seen_until + CLOCK_SKEW:
            continue
        same_arn = (
            session.sign_in_session_arn is not None
            and not is_stand_in(session.sign_in_session_arn)
            and row["sign_in_session_arn"] == session.sign_in_session_arn
        )
        same_date = session.created is not None and row["session_created"] == session.created
        if same_arn or same_date:
            fitting.append((row, same_arn))
    # The token's own call is the nearest; its authorisation in the browser stands behind it.
    fitting.sort(
        key=lambda fit: (
            fit[0]["event_name"] != names[0],
            not fit[1],
            -fit[0]["event_time"].timestamp(),
            fit[0]["event_id"],
        )
    )
    if not fitting:
        return None
    row, same_arn = fitting[0]
    mint = Mint(row, (str(row["event_id"]),))
    tokens = [other for other, _ in fitting if other["event_name"] == row["event_name"]]
    hop = hop_of(
        session,
        mint,
        method="signin_session",
        rule="R2d",
        claim=claims.by_sign_in(session, same_arn=same_arn, tokens=len(tokens)),
        candidates=[Mint(other, (str(other["event_id"]),)) for other in tokens],
        distance_from=session.seen,
    )
    browser = [other for other, _ in fitting if other["event_name"] == "AuthorizeOAuth2Access"]
    caveats = hop.caveats
    if browser and browser[0]["source_ip_address"] != row["source_ip_address"]:
        caveats = (
            *caveats,
            "The browser that authorised this command-line login was at"
            f" {browser[0]['source_ip_address']}, the command line at"
            f" {row['source_ip_address']}: a sign of phishing where they should be one machine.",
        )
    caller = session_of_caller(row)
    return replace(
        hop,
        # The console session that was borrowed, which is explained next.
        by=replace(
            caller,
            principal_id=caller.principal_id or session.principal_id,
            arn=caller.arn or session.arn,
            role_arn=caller.role_arn or session.role_arn,
            session_name=caller.session_name or session.session_name,
            created=caller.created or session.created,
            from_console=True,
        ),
        also=tuple(str(other["event_id"]) for other in browser[:1] if other is not row),
        caveats=caveats,
        role_arn=session.role_arn,
        session_name=session.session_name,
    )
