"""A user that an alert names without its path, or with another: asked about as the logs have it.

IAM user names are unique in an account whatever their path and case (§9), and an ARN that is built
from an account and a name has no path. Logs have the user's own.
"""

from __future__ import annotations

import re
from dataclasses import replace

from alerts.alert import Alert, Principal
from enrich.anywhere import rows_anywhere
from enrich.sql_text import of_that_name
from enrich.words import listed, short
from trail.access_keys import is_stand_in
from trail.store import Store

_USER = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):user/(?:.*/)?([^/]+)")
MOST_PATHS = 3
"""ARNs of one user, who was moved from path to path, that are asked about."""


def with_indexed_paths(alert: Alert, store: Store) -> Alert:
    """The alert with its users' ARNs as the index has them, and a note for each that is another
    than the alert's. A record states its own, and a unique id finds a user by any path.
    """
    if alert.source == "cloudtrail" or alert.sample:
        return alert
    principals: list[Principal] = []
    notes = list(alert.notes)
    for principal in alert.principals:
        match = _USER.fullmatch(principal.arn or "")
        has_id = (principal.principal_id or "").startswith("AIDA")
        if match is None or has_id or is_stand_in(match[2]):
            principals.append(principal)
            continue
        indexed = _indexed(match[1], match[2], store)
        if not indexed or principal.arn in indexed:
            principals.append(principal)
            continue
        indexed = indexed[:MOST_PATHS]
        principals += [
            replace(principal, arn=arn, user_name=arn.rpartition("/")[2]) for arn in indexed
        ]
        notes.append(
            f"The index knows {short(str(principal.arn))} as {listed(map(short, indexed))}, which"
            " is asked about: an account has one user of a name, whatever its path."
        )
    if notes == list(alert.notes):
        return alert
    return replace(
        alert, principals=tuple(dict.fromkeys(principals)), notes=tuple(dict.fromkeys(notes))
    )


def _indexed(account: str, name: str, store: Store) -> list[str]:
    """The ARNs by which users of that name act in the indexed events, the last seen first."""
    of_it, bound = of_that_name("principal_arn", "arn", account, "user", name)
    found = rows_anywhere(
        store,
        f"""
        select principal_arn as arn, max(last) as last from daily where {of_it}
        group by principal_arn order by last desc, arn limit 20
        """,
        bound,
    )
    return [str(row["arn"]) for row in found]
