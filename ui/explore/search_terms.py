"""What can be searched for: each filter of the event search as a condition over the event table.

Values are those of an address, which anybody may have written: they are bound, never written into
the statement, and one that cannot mean anything is a problem in words, never "everything".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from enrich.facts.ip import parse_address
from enrich.facts.service_names import SERVICE_NAMES
from enrich.sql_text import bound_list, bound_values, like_text
from ui.kit import phrases
from ui.parts.own_search import OR

MOST_VALUES = 50
"""Values of one filter, between commas."""
_ONE_DAY = timedelta(days=1)
_DIGITS = re.compile(r"[\d.]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_JSON_COLUMNS = (
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "resources",
    "user_identity",
    "error_message",
)

Condition = tuple[str, dict[str, Any]]
"""SQL over the event table, and the values that it binds."""


class NoMeaning(ValueError):
    """A value that nothing can be found by, in a sentence."""


@dataclass(frozen=True)
class Term:
    """One filter: its label, its condition for a value, and a hint of what it takes."""

    label: str
    condition: Callable[[str], Condition]
    hint: str = ""


@dataclass(frozen=True)
class Span:
    """The time that is searched, and what of an address's bounds is none."""

    first: datetime
    last: datetime
    problems: tuple[str, ...] = ()


def span_of(asked: Mapping[str, str], whole: tuple[datetime, datetime]) -> Span:
    """From and to, as an address has them, else all that is indexed. A date is its whole day."""
    problems: list[str] = []

    def bound(name: str, otherwise: datetime) -> datetime:
        given = asked.get(name, "").strip()
        if not given:
            return otherwise
        moment = phrases.as_time(given)
        if moment is None:
            problems.append(
                f"“{given[:80]}” is no time: write it like 2026-03-10, for the whole day, or like"
                " 2026-03-10T12:00:05Z."
            )
            return otherwise
        is_end_of_day = name == "to" and _DATE.fullmatch(given)
        if is_end_of_day and moment < datetime.max.replace(tzinfo=UTC) - _ONE_DAY:
            return moment + _ONE_DAY - timedelta(microseconds=1)
        return moment

    first, last = bound("from", whole[0]), bound("to", whole[1])
    if first > last and not problems and asked.get("from") and asked.get("to"):
        problems.append("The search ends before it begins: change one of its two times.")
    if first > last:  # what is indexed ends before, or begins after
        first, last = (first, first) if asked.get("from") else (last, last)
    return Span(first, last, tuple(problems))


def terms_of(values: tuple[tuple[str, str], ...]) -> tuple[list[Condition], tuple[str, ...]]:
    """The conditions of filters and their values, and in words what cannot be searched for."""
    found: list[Condition] = []
    problems: list[str] = []
    for name, value in values:
        try:
            found.append(TERMS[name].condition(value))
        except NoMeaning as error:
            problems.append(str(error))
    return found, tuple(problems)


def listed(value: str) -> list[str]:
    """The values between commas, each once."""
    found = list(dict.fromkeys(one.strip() for one in value.split(",") if one.strip()))
    if not found:
        raise NoMeaning("There is nothing between the commas of a filter.")
    if len(found) > MOST_VALUES:
        raise NoMeaning(f"At most {MOST_VALUES} values fit one filter; here are {len(found):,}.")
    return found


def _any_of(name: str, *columns: str) -> Callable[[str], Condition]:
    """One of the columns has one of the values."""

    def condition(value: str) -> Condition:
        values = listed(value)
        tests = [f"{column} in {bound_list(name, values)}" for column in columns]
        return f"({' or '.join(tests)})", bound_values(name, values)

    return condition


def _whole(sql: str, name: str) -> Callable[[str], Condition]:
    return lambda value: (sql, {name: value})


def _principal(value: str) -> Condition:
    if "/" in value and not value.startswith("arn:"):
        # As lists show it: an ARN without its beginning.
        return "ends_with(principal_arn, $principal)", {"principal": f":{value}"}
    return (
        "(principal_arn = $principal or identity_id = $principal or principal_id = $principal"
        " or user_name = $principal or on_behalf_of = $principal)",
        {"principal": value},
    )


def _call(value: str) -> Condition:
    """Names as we print them: without the version date that some services put behind (§1.1)."""
    names = listed(value)
    parts = [f"event_name in {bound_list('call', names)}"]
    bound = bound_values("call", names)
    for number, name in enumerate(names):
        parts.append(f"event_name like $call_dated_{number} escape '!'")
        bound[f"call_dated_{number}"] = f"{like_text(name)}20______%"
    return f"({' or '.join(parts)})", bound


def _service(value: str) -> Condition:
    """By host, by its first part, and by the name that people use."""
    hosts: dict[str, None] = {}
    for one in listed(value):
        named = [
            label for label, name in SERVICE_NAMES.items() if name.casefold() == one.casefold()
        ]
        for label in (one, *named):
            hosts[label] = hosts[f"{label}.amazonaws.com"] = None
    return f"event_source in {bound_list('service', [*hosts])}", bound_values("service", [*hosts])


def _address(value: str) -> Condition:
    """Addresses, ranges as "198.51.100.0/24", and names of services, between commas."""
    whole: list[str] = []
    parts: list[str] = []
    bound: dict[str, Any] = {}
    for number, one in enumerate(listed(value)):
        if "/" not in one:
            if _DIGITS.fullmatch(one) and parse_address(one) is None:
                raise NoMeaning(f"“{one[:80]}” is no address.")
            whole.append(one)
            continue
        try:
            network = ip_network(one, strict=False)
        except ValueError as error:
            raise NoMeaning(
                f"“{one[:80]}” is no range of addresses: write it like 198.51.100.0/24."
            ) from error
        sql, more = _within(network, f"ip_range_{number}")
        parts.append(sql)
        bound |= more
    if whole:
        parts.append(f"source_ip_address in {bound_list('ip', whole)}")
        bound |= bound_values("ip", whole)
    return f"({' or '.join(parts)})", bound


def _hour(value: str) -> Condition:
    if not (value.strip().isdecimal() and int(value) < 24):
        raise NoMeaning(f"“{value[:80]}” is no hour of a day: they go from 0 to 23.")
    return "hour(event_time) = $hour", {"hour": int(value)}


def _within(network: IPv4Network | IPv6Network, name: str) -> Condition:
    """The addresses of a range, compared as text where its edge lies between two parts of it."""
    length = network.prefixlen
    if isinstance(network, IPv4Network):
        octets = str(network.network_address).split(".")
        full, rest = divmod(length, 8)
        # Only an IPv4 address has three dots and nothing but digits between them.
        is_address = r"regexp_full_match(source_ip_address, '\d+\.\d+\.\d+\.\d+')"
        parts = [is_address]
        bound: dict[str, Any] = {}
        if full:
            parts.append(f"starts_with(source_ip_address || '.', ${name})")
            bound[name] = ".".join(octets[:full]) + "."
        if rest:
            least = int(octets[full])
            part = f"try_cast(split_part(source_ip_address, '.', {full + 1}) as integer)"
            parts.append(f"{part} between ${name}_least and ${name}_most")
            bound |= {f"{name}_least": least, f"{name}_most": least + 2 ** (8 - rest) - 1}
        return f"({' and '.join(parts)})", bound
    groups = [f"{int(group, 16):x}" for group in network.network_address.exploded.split(":")][
        : length // 16
    ]
    if length % 16 or not groups or "0" in groups:
        raise NoMeaning(
            f"{network}: ranges of IPv6 are found where they end between two groups, none of which"
            " is 0, as in 2001:db8:1:2::/64."
        )
    return (
        f"starts_with(lower(source_ip_address) || ':', ${name})",
        {name: ":".join(groups) + ":"},
    )


def _either(value: str) -> Condition:
    session, _, ip = value.rpartition(OR)
    return (
        "(session_name = $either_session or source_ip_address = $either_ip)",
        {"either_session": session or ip, "either_ip": ip},
    )


def _ids(value: str) -> Condition:
    return "list_contains($ids, event_id)", {
        "ids": [one.strip() for one in value.split(",") if one.strip()]
    }


def _text(value: str) -> Condition:
    """Words in what was asked and answered, in any case."""
    tests = [f"contains(lower({column}), $text)" for column in _JSON_COLUMNS]
    return f"({' or '.join(f'coalesce({test}, false)' for test in tests)})", {"text": value.lower()}


TERMS: Mapping[str, Term] = {
    "principal": Term("Principal", _principal, "ARN, name or id"),
    "key": Term("Access key", _any_of("key", "access_key_id", "minted_access_key_id")),
    "ip": Term("Source IP", _address, "or a range: 198.51.100.0/24"),
    "call": Term("Call", _call, "or several, with commas"),
    "service": Term("Service", _service, "ec2, Secrets Manager, …"),
    "text": Term("Text in request or response", _text),
    "role": Term("Role ARN", _whole("(issuer_arn = $role or target_role_arn = $role)", "role")),
    "session": Term(
        "Session name",
        _whole("(session_name = $session or target_session_name = $session)", "session"),
    ),
    "either": Term("Session name, or source IP", _either),
    "account": Term("Account", _any_of("account", "recipient_account_id", "account_id")),
    "region": Term("Region", _any_of("region", "aws_region")),
    "client": Term(
        "Client contains", _whole("contains(lower(user_agent), lower($client))", "client")
    ),
    "error": Term("Error code", _any_of("error", "error_code")),
    "hour": Term("Hour of day (UTC)", _hour),
    "ids": Term("Event ids, with commas", _ids),
}
"""Name in the address → the filter."""
