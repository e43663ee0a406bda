"""What the assumptions of roles say: enumeration, denials, and roles that are new to the week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enrich.count import Count, Events
from enrich.data.roles_assumed import RolesAssumed, RoleTaken
from enrich.data.services_used import ServicesUsed
from enrich.facts.error_classes import error_class, normal_code
from enrich.facts.role_name import short_name
from enrich.questions.roles_assumed import enumerated, role_key
from enrich.verdict.weight import Answers, Weight, events_in, ids
from enrich.words import listed, short
from trail.counted import counted

_NAME = "roles_assumed"
_WORN_OUT = frozenset({"expiredtoken", "requestexpired"})
"""Refusals that say that a credential was old, not that somebody may not do something."""


def from_roles(known: Answers) -> Iterator[Weight]:
    found = known.found(RolesAssumed)
    if found is None or found.scope is None or not found.roles:
        return
    in_window = events_in(found, found.scope)
    events = in_window.where(assumption=True)
    enumeration = found.enumeration
    if enumeration is not None:
        targets = enumerated(enumeration, in_window)
        yield Weight(
            "role_enumeration",
            "for",
            f"{targets} were refused within {counted(enumeration.minutes, 'minute')}: looks"
            " like role enumeration.",
            _NAME,
            (targets,),
        )
    rows = found.roles
    denied = _fresh([row for row in rows if _is_denied(row)], known.alert_day)
    made = _fresh([row for row in rows if row.result == "success"], known.alert_day)
    since = "not tried earlier in the week"
    if not known.complete(_NAME):
        since = "not tried earlier in the indexed part of the week"
    elsewhere = _from_a_new_address(known, rows)
    if denied:
        yield _denied_and_made(
            denied, made, elsewhere, known.alert.source_ip_address, events, since
        )
        return
    if made and _was_there_before(known):
        yield _made(made, events, since.replace("tried", "assumed"))
    elif elsewhere:
        done, roles = _counted_from(elsewhere, known.alert.source_ip_address, events)
        yield Weight(
            "assumed_from_a_new_address",
            "for",
            f"Assumed {roles} {done} from {short(known.alert.source_ip_address or '')}, which is"
            f" new: {_names(elsewhere)}.",
            _NAME,
            (done, roles),
        )


def _from_a_new_address(known: Answers, rows: Sequence[RoleTaken]) -> list[RoleTaken]:
    """The roles that were assumed from the alert's address, where the baseline does not know it."""
    if not known.history.sufficient or "source_ip_address" not in known.history.new:
        return []
    return [row for row in rows if row.result == "success" and row.from_alert_address]


def _is_denied(row: RoleTaken) -> bool:
    return (
        row.result == "failure"
        and row.role_arn is not None
        and row.error_code is not None
        and error_class(row.error_code) == "denied"
        and normal_code(row.error_code) not in _WORN_OUT
    )


def _fresh(rows: Sequence[RoleTaken], alert_day: str) -> list[RoleTaken]:
    """The rows of roles that first come up on the alert's day or later: the rest is routine."""
    old = {role_key(row.role_arn) for row in rows if row.first < alert_day}
    return [row for row in rows if row.role_arn and role_key(row.role_arn) not in old]


def _was_there_before(known: Answers) -> bool:
    """Whether the entity did anything earlier in the week: to a new session every role is new."""
    used = known.found(ServicesUsed)
    return used is not None and any(
        day.day < known.alert_day for row in used.services for day in row.days
    )


def _counted(rows: Sequence[RoleTaken], events: Events, *, failed: bool) -> tuple[Count, Count]:
    """How often, and of how many roles."""
    of = events.where(failed=failed).one_of(
        {"role": (role_key(row.role_arn),), "error_code": (row.error_code,)} for row in rows
    )
    roles = len({role_key(row.role_arn) for row in rows})
    return (
        Count(
            of,
            ids(row.event_ids for row in rows),
            number=sum(row.count for row in rows),
            noun="time",
        ),
        Count(of, number=roles, noun="role", distinct="role"),
    )


def _counted_from(
    rows: Sequence[RoleTaken], address: str | None, events: Events
) -> tuple[Count, Count]:
    """How often from one address, and of how many roles."""
    of = events.where(failed=False, source_ip_address=address).one_of(
        {"role": (role_key(row.role_arn),)} for row in rows
    )
    number = sum(row.from_alert_address for row in rows)
    roles = len({role_key(row.role_arn) for row in rows})
    return (
        Count(of, ids(row.from_alert_address_ids for row in rows), number=number, noun="time"),
        Count(of, number=roles, noun="role", distinct="role"),
    )


def _denied_and_made(
    denied: Sequence[RoleTaken],
    made: Sequence[RoleTaken],
    elsewhere: Sequence[RoleTaken],
    address: str | None,
    events: Events,
    since: str,
) -> Weight:
    refused, targets = _counted(denied, events, failed=True)
    said = f"Assuming a role was denied {refused} on {targets} {since}"
    counts = [refused, targets]
    if made:
        done, roles = _counted(made, events, failed=False)
        said += f", and succeeded {done} on {roles}: {_names(made)}"
        counts += [done, roles]
    elif elsewhere:
        done, roles = _counted_from(elsewhere, address, events)
        said += f", and succeeded {done} on {roles} from {short(address or '')}, which is new"
        said += f": {_names(elsewhere)}"
        counts += [done, roles]
    return Weight("denied_assumptions", "for", f"{said}.", _NAME, tuple(counts))


def _made(made: Sequence[RoleTaken], events: Events, since: str) -> Weight:
    done, roles = _counted(made, events, failed=False)
    later = " after the alert" if all(row.after_alert for row in made) else ""
    return Weight(
        "new_roles",
        "for",
        f"Assumed {roles} {since}, {done}{later}: {_names(made)}.",
        _NAME,
        (done, roles),
    )


def _names(rows: Sequence[RoleTaken]) -> str:
    return listed(dict.fromkeys(short(short_name(row.role_arn) or "?") for row in rows))
