"""What no record explains (R5): which log would hold the event, and whether it is indexed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts.account_of_key import account_of_key
from enrich.answer import Status
from enrich.chain_words import clock, named
from enrich.mints import CLOCK_SKEW
from enrich.origin import account_of_role
from enrich.session import Session
from enrich.window import iso
from trail.store import Coverage, Store

LATE_DELIVERY = timedelta(minutes=30)
"""An event this close to the newest one may have a forerunner that is still under way (§1.4)."""


def say_where(
    session: Session,
    data: dict[str, Any],
    caveats: list[str],
    store: Store,
    covered: Status,
) -> Status:
    """R5: which log would hold the missing event, and whether the index has it."""
    about = time_of(session)
    account = account_of_role(session)
    if about is None:
        caveats.append("The alert has no time, so only its access key could be looked for.")
        return covered
    exact = session.created is not None
    first = about - (CLOCK_SKEW if exact else timedelta(hours=12))
    last = about + CLOCK_SKEW
    derived = account_of_key(session.access_key_id) or account_of_key(session.principal_id)
    data["derived_account"] = derived
    coverage = store.coverage([account] if account else None, first, last)
    data["would_be_in"] = {
        "account_id": account,
        "regions": "any",
        "from": iso(first),
        "to": iso(last),
        "coverage": coverage.status,
    }
    when = (
        f"at {clock(about)} (within 2 s)" if exact else f"between {clock(first)} and {clock(last)}"
    )
    where = (
        "whichever region's STS was called (us-east-1 for the global endpoint)"
        if session.is_role
        else "the region of the sign-in or of the STS that was called"
    )
    caveats.append(
        f"The event that would explain {named(session)} lies in the logs of account"
        f" {account or 'unknown'}, in {where}, {when}. {_covered_words(coverage)}"
    )
    if derived is not None and account is None:
        caveats.append(
            f"Its id was made in account {derived}, by calculation from the id alone: no record"
            " says so."
        )
    newest = store.summary().last
    if newest is not None and last > newest - LATE_DELIVERY:
        caveats.append(
            "CloudTrail may deliver that event later: look again in half an hour, after adding"
            " newer logs."
        )
    if coverage.status == "covered":
        return covered
    return "partial" if coverage.status == "partial" or covered == "answered" else "not_covered"


def _covered_words(coverage: Coverage) -> str:
    if coverage.status == "covered":
        return "The index has logs of that account and day."
    if coverage.status == "partial":
        missing = ", ".join(day.isoformat() for day in coverage.missing[:3])
        return f"The index lacks {missing}."
    return "The index has no logs of that account and time."


def time_of(session: Session) -> datetime | None:
    return session.created or session.seen
