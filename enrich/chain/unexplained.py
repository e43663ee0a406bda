"""What no record explains (R5): which log would hold the event, and whether it is indexed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.account_of_key import account_of_key
from enrich.answer import Status
from enrich.chain.claims import LONGEST_ROLE_SESSION, is_of_console
from enrich.chain.mint_coverage import MintCoverage, mint_coverage
from enrich.chain.mints import CLOCK_SKEW, MintReader
from enrich.chain.origin import account_of_role
from enrich.chain.session import LONGEST_SESSION, Session
from enrich.chain.words import named
from enrich.data.assumed_by import WouldBeIn
from enrich.window import iso
from enrich.words import clock
from trail.access_keys import is_stand_in

LATE_DELIVERY = timedelta(minutes=30)
"""An event this close to the newest one may have a forerunner that is still under way (§1.4)."""


@dataclass(frozen=True)
class Unexplained:
    """How far the index covers what is not found in it: a status, and why it is no better."""

    status: Status
    missing: str | None = None
    """What is missing, in words; None when nothing is."""
    would_be_in: WouldBeIn | None = None
    """Which logs would hold it; None without a time."""
    derived_account: str | None = None
    """The account that an id was made in, by calculation from the id alone."""


def say_where(
    session: Session,
    caveats: list[str],
    reader: MintReader,
    region: str | None,
    covered: Status,
    own_missing: str | None = None,
) -> Unexplained:
    """R5: which log would hold the missing event, and whether the index has it. `own_missing` says
    that it lacks the alert's own event, which those logs hold as well.

    `covered` is the status to give when the index has it; without a time, or with a fall-back for
    one, nobody can say that.
    """
    about = time_of(session)
    account = account_of_role(session)
    if is_stand_in(account):
        account = None  # the accounts of a masked export are all alike
    if about is None:
        why = "the alert has no time"
        caveats.append("The alert has no time, so only its access key could be looked for.")
        return Unexplained("partial" if covered == "answered" else "not_covered", why)
    exact = session.created is not None
    longest = LONGEST_ROLE_SESSION if session.is_role else LONGEST_SESSION
    first = about - (CLOCK_SKEW if exact else longest)
    last = about + CLOCK_SKEW
    derived = account_of_key(session.access_key_id) or account_of_key(session.principal_id)
    coverage = _coverage(
        session, reader, account, region, (about, about) if exact else (first, about)
    )
    if own_missing is not None and coverage.status != "not_covered":
        coverage = replace(coverage, missing=(own_missing, *coverage.missing), status="partial")
    would_be_in = WouldBeIn(
        account_id=account,
        window_first=iso(first),
        window_last=iso(last),
        coverage=coverage.status,
        looked_at=tuple(coverage.regions),
        missing=tuple(coverage.missing),
    )
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
        f" {account or 'unknown'}, in {where}, {when}. {coverage.in_words}"
    )
    if derived is not None and account is None:
        caveats.append(
            f"Its id was made in account {derived}, by calculation from the id alone: no record"
            " says so."
        )
    newest = reader.store.summary().last
    if newest is not None and last > newest - LATE_DELIVERY:
        caveats.append(
            "The newest log that is indexed is of about that time, and CloudTrail may deliver an"
            " event half an hour late: add newer logs, then look again."
        )
    missing = "; ".join(coverage.missing) or None
    if coverage.status == "covered":
        return Unexplained(covered, None, would_be_in, derived)
    partial = coverage.status == "partial" or covered == "answered"
    return Unexplained("partial" if partial else "not_covered", missing, would_be_in, derived)


def _coverage(
    session: Session,
    reader: MintReader,
    account: str | None,
    region: str | None,
    stretch: tuple[datetime, datetime],
) -> MintCoverage:
    coverage = mint_coverage(reader, account, region, *stretch)
    beyond = []
    if session.only_before:
        beyond.append("when the activity was is not known, only a time by which it had been")
    if session.type == "Root" and not is_of_console(session):
        beyond.append("an AssumeRoot would be in the logs of the organization's management account")
    if not beyond or coverage.status == "not_covered":
        return coverage
    return MintCoverage(
        coverage.account_id, coverage.regions, (*coverage.missing, *beyond), "partial"
    )


def time_of(session: Session) -> datetime | None:
    return session.created or session.seen
