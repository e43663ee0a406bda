"""Whether the accounts that were let in are known here: by their own logs, or as callers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from alerts.alert import Alert
from enrich.calls.calls_sql import midnight
from enrich.data.interesting_calls import OutsideAccount
from enrich.sql_text import bound_list, bound_values
from trail.store import Query, Store

DAYS = 37
"""Days before the alert's that are looked through, as for the baseline's history and its week."""
MOST = 20


def find_accounts(
    alert: Alert, store: Store, accounts: Sequence[str]
) -> tuple[tuple[OutsideAccount, ...], tuple[Query, ...]]:
    """The accounts, each with what whole days before the alert's have of it."""
    wanted = sorted(set(accounts))[:MOST]
    if not wanted or alert.first_seen is None:
        return (), ()
    last = midnight(alert.first_seen)
    first = last - timedelta(days=DAYS)
    named = bound_list("account", wanted)
    found = store.query(
        f"""
        select account_id, recipient_account_id, cast(sum(count) as bigint) as events
        from daily
        where day >= cast($window_first as date) and day < cast($window_last as date)
          and (account_id in {named} or recipient_account_id in {named})
        group by 1, 2
        """,
        {**bound_values("account", wanted), "window_first": first, "window_last": last},
        first=first,
        last=last,
    )
    return tuple(
        OutsideAccount(
            account=account,
            logged=any(row["recipient_account_id"] == account for row in found.rows),
            events=sum(row["events"] for row in found.rows if row["account_id"] == account),
            logs_from=f"{first.date()}",
        )
        for account in wanted
    ), (found.query,)
