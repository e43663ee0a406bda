"""The two fields of our own that a Sigma rule may have beside its detection.

`content` reads what Sigma cannot: policy documents, choices of events, the accounts that something
was shared with. `unless_seen_before` leaves out what the same identity did on earlier days. Other
tools pass both over, and such a rule finds more there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sigma.rule import SigmaRule

from alerts.content import CONTENT_APIS, CONTENT_COLUMNS, KINDS, content_signs
from trail.events import DAILY_SCHEMA

DAYS_BEFORE = 14
"""Whole days before an event's own in which `unless_seen_before` looks."""

_OF_CONTENT = {"kinds", "grave", "outsiders"}


@dataclass(frozen=True)
class Content:
    """Which signs in a call's content make it a hit."""

    kinds: frozenset[str]
    grave: bool = False
    """Only signs that are worth an alert by themselves."""
    outsiders: bool = False
    """Of signs that name accounts, only those that name one of which the index has no logs."""

    columns = CONTENT_COLUMNS

    def found_in(self, row: Mapping[str, Any], ours: Collection[str]) -> list[str]:
        """The sentences of the signs that are asked for; none where the call is no hit."""
        if (row["event_source"], row["event_name"]) not in CONTENT_APIS:
            return []
        return [
            sign.sentence
            for sign in content_signs(row)
            if sign.kind in self.kinds
            and sign.speaks == "for"
            and (sign.grave or not self.grave)
            and (
                not self.outsiders
                or not sign.accounts
                or any(account not in ours for account in sign.accounts)
            )
        ]


@dataclass(frozen=True)
class OwnFields:
    """What a rule has of them."""

    content: Content | None = None
    unless_seen_before: str | None = None
    """A column of the daily sums."""

    @property
    def condition(self) -> str:
        """SQL that holds for events whose identity had no such value in the days before."""
        column = self.unless_seen_before
        # From the sums alone, so that a big index is not joined with itself.
        return f"""(identity_id, {column}, cast(event_time as date)) in (
            select identity_id, {column}, day
            from (
                select identity_id, {column}, day,
                    lag(day) over (partition by identity_id, {column} order by day) as before
                from (select distinct identity_id, {column}, day from daily)
            )
            where before is null or day - before > {DAYS_BEFORE}
        )"""


def own_fields(rule: SigmaRule, column_of: Mapping[str, str]) -> OwnFields:
    """What the rule has of them. Raises ValueError where one is not as it must be.

    `column_of` has the column of a CloudTrail field.
    """
    given: Mapping[str, Any] = rule.custom_attributes
    field = given.get("unless_seen_before")
    column = None if field is None else column_of.get(str(field), str(field))
    if column is not None and column not in DAILY_SCHEMA.names:
        raise ValueError(f"its `unless_seen_before` names {field!r}, which the sums do not keep")
    return OwnFields(_content(given.get("content")), column)


def _content(given: Any) -> Content | None:
    if given is None:
        return None
    if isinstance(given, list):
        given = {"kinds": given}
    if not isinstance(given, dict) or not isinstance(given.get("kinds"), list):
        raise ValueError("its `content` is no list of kinds")
    if unknown := sorted({*map(str, given)} - _OF_CONTENT):
        raise ValueError(f"its `content` has {unknown[0]!r}, which is not known")
    kinds = [str(kind) for kind in given["kinds"]]
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"its `content` names {unknown[0]!r}, which is no kind that is read")
    flags = [given.get("grave", False), given.get("outsiders", False)]
    if not all(isinstance(flag, bool) for flag in flags):
        raise ValueError("`grave` and `outsiders` of its `content` are true or false")
    return Content(frozenset(kinds), *flags)
