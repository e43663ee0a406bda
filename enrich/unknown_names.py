"""A role or user that a text names and that acts in no indexed event: said once, with what the
index covers and whom it knows by that name elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.alert import Alert, Principal
from enrich.anywhere import rows_anywhere
from enrich.entity import account_of, entity_match
from enrich.sql_text import of_that_name
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Store

MOST_NEAR = 5


def with_unknown_names(alert: Alert, store: Store) -> Alert:
    """The alert with a note for each role and user that its text names by ARN, and whose events the
    index has none of."""
    summary = store.summary()
    if alert.source != "text" or alert.sample or summary.first is None or summary.last is None:
        return alert
    notes = list(alert.notes)
    for principal in alert.principals:
        arn = principal.role_arn if principal.type == "Role" else principal.arn
        match = entity_match(alert, replace(principal, access_key_id=None), scope="whole_role")
        if arn is None or match is None or principal.access_key_id is not None:
            continue
        found = store.query(
            f"select 1 as found from daily where {match.sql} limit 1",
            match.parameters,
            first=summary.first,
            last=summary.last,
        )
        if not found.rows:
            notes.append(_said(alert, principal, arn, store))
    return replace(alert, notes=tuple(dict.fromkeys(notes)))


def _said(alert: Alert, principal: Principal, arn: str, store: Store) -> str:
    summary = store.summary()
    account = account_of(alert, principal)
    known = account is None or account in summary.accounts
    said = (
        f"{short(arn, 120)} acts in no indexed event. The index holds"
        f" {counted(summary.events, 'event')} from {summary.first:%Y-%m-%d} to"
        f" {summary.last:%Y-%m-%d}, of {counted(len(summary.accounts), 'account')}"
    )
    said += "." if known else f", and no logs of account {short(str(account))}."
    near = _near(arn, store)
    return f"{said} It knows {listed(map(short, near))} by that name." if near else said


def _near(arn: str, store: Store) -> list[str]:
    """Roles, or users, of the same name in another account, or there by another path."""
    kind = "role" if ":role/" in arn or ":assumed-role/" in arn else "user"
    column = "issuer_arn" if kind == "role" else "principal_arn"
    name = arn.partition(":assumed-role/")[2].partition("/")[0] or arn.rpartition("/")[2]
    of_it, bound = of_that_name(column, "arn", "%", kind, name)
    found = rows_anywhere(
        store,
        f"select distinct {column} as arn from daily where {of_it} order by arn limit {MOST_NEAR}",
        bound,
    )
    return [str(row["arn"]) for row in found if row["arn"] != arn]
