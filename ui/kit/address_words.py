"""What is known of a source address without asking anybody: whose it is, where it was reported."""

from __future__ import annotations

from alerts.alert import Alert
from enrich.facts.ip import ReportedPlace, ip_facts, reported_place
from enrich.facts.maxmind import located, unreadable_files


def about_address(text: str) -> str | None:
    """What kind of address it is, in words of ours; None when there is nothing to say."""
    facts = ip_facts(text)
    if facts.kind == "unknown":
        return None
    words = [facts.sentence]
    if facts.is_address:
        place = located(text)
        if place is not None:
            words.append(f"{_told(place)} (MaxMind file)")
        words += [f"the MaxMind file {problem} cannot be read" for problem in unreadable_files()]
    return "; ".join(words)


def about_alert_address(alert: Alert) -> str | None:
    """As above, then the place and network owner that the finding itself reports."""
    if not alert.source_ip_address:
        return None
    words = [about_address(alert.source_ip_address)]
    place = reported_place(alert.raw)
    if place is not None and place.ip_address in (None, alert.source_ip_address):
        told = _told(place)
        words.append(f"the finding says {told}" if told else None)
    return "; ".join(word for word in words if word) or None


def _told(place: ReportedPlace) -> str:
    where = ", ".join(part for part in (place.city, place.country) if part)
    owner = " ".join(
        part for part in (f"AS{place.asn}" if place.asn else None, place.organization) if part
    )
    return "; ".join(part for part in (where, owner) if part)
