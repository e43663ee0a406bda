"""What the chain of assumptions says: where its sessions were issued, and how they moved on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enrich.chain.juggling import renewed
from enrich.chain.portal import RESERVED
from enrich.count import Cited, Count, Events
from enrich.data.assumed_by import AssumedBy, ChainHop, Juggling, LeftInstance
from enrich.data.baseline import Baseline
from enrich.facts.ip import IpFacts, ip_facts
from enrich.facts.role_name import role_named
from enrich.verdict.weight import SURE, Answers, Weight, events_in
from enrich.words import listed, short
from trail.counted import counted

_NAME = "assumed_by"
SEEN_OFTEN = 10
"""So many calls of the baseline make an address one of the identity's own."""


def from_chain(known: Answers) -> Iterator[Weight]:
    found = known.found(AssumedBy)
    if found is None:
        return
    yield from _left(known, found.left_instance)
    yield from _juggling(found.juggling, found.chain)
    # Borrowing a console session does not make one: where that began is what counts.
    made_by = [
        hop for hop in found.chain if hop.method not in ("signin_session", "scoped", "key_created")
    ]
    if made_by and made_by[0].event_id is not None and made_by[0].confidence in SURE:
        yield from _where_it_was_issued(known, made_by[0])


def _left(known: Answers, left: LeftInstance | None) -> Iterator[Weight]:
    if left is None:
        return
    here = Cited(Events("anyone").where(source_ip_address=left.source_ip_address), left.event_ids)
    if not here.event_ids:
        here = known.own_with(source_ip_address=left.source_ip_address)
    earlier = Cited(
        Events("anyone").one_of([{"source_ip_address": left.earlier_addresses}]),
        left.earlier_event_ids,
    )
    yield Weight("left_instance", "for", short(left.sentence, 300), _NAME, (here, earlier))


def _juggling(juggling: Juggling | None, hops: Sequence[ChainHop]) -> Iterator[Weight]:
    if juggling is None or not juggling.role_arns:
        return
    roles = {role_named(arn) for arn in juggling.role_arns}
    again = [hop for hop in hops if role_named(hop.role_arn) in roles]
    if all(hop.confidence in SURE for hop in again if hop.event_id):
        names = listed(short(arn.rpartition("/")[2]) for arn in juggling.role_arns)
        of = Events("anyone").where(assumption=True, failed=False)
        yield Weight(
            "role_juggling",
            "for",
            f"{renewed(names, len(roles))} {counted(juggling.renewals, 'time')}.",
            _NAME,
            (Cited(of, tuple(hop.event_id for hop in again if hop.event_id)),),
        )


def _where_it_was_issued(known: Answers, hop: ChainHop) -> Iterator[Weight]:
    made, used = ip_facts(hop.source_ip_address), ip_facts(known.alert.source_ip_address)
    # A console session moves with its person, and a service's address is the service's.
    if not (made.is_address and used.is_address):
        return
    at_the_making = Cited(
        Events("anyone").where(source_ip_address=hop.source_ip_address),
        (hop.address_event_id,) if hop.address_event_id else (),
    )
    at_the_use = known.own_with(source_ip_address=known.alert.source_ip_address)
    if made.text != used.text:
        if _really_elsewhere(made, used, hop):
            yield Weight(
                "used_elsewhere",
                "for",
                f"The session was issued to {short(made.text)} and used from {short(used.text)}.",
                _NAME,
                (at_the_making, at_the_use),
            )
        return
    # Whoever makes a session with a stolen key uses it where it was made: the address itself has
    # to be one of the identity's own.
    address = known.history.seen.get("source_ip_address")
    seen = 0 if address is None else address.count
    known_place = known.complete("baseline") and known.complete(_NAME)
    if not known_place or known.intruder_may_be_in_history or seen < SEEN_OFTEN:
        return
    baseline = known.found(Baseline)
    if baseline is None or not known.history.sufficient:
        return
    from_there = events_in(baseline, baseline.scope, open_end=True).where(
        source_ip_address=known.alert.source_ip_address
    )
    before = Count(from_there, number=seen)
    yield Weight(
        "used_where_issued",
        "against",
        f"The session was issued to the address that it was used from, {short(used.text)}, known"
        f" from {before} in the 14 days before.",
        _NAME,
        (at_the_making, at_the_use, before),
    )


def _really_elsewhere(made: IpFacts, used: IpFacts, hop: ChainHop) -> bool:
    """Whether two addresses are two places. The same machine shows a private address through a VPC
    endpoint and a public one elsewhere, and may speak IPv6 to one service and IPv4 to another;
    Identity Center asks STS from its own addresses (§9).
    """
    role = role_named(hop.role_arn)
    return (
        made.network != used.network
        and made.kind == used.kind
        and (":" in made.text) == (":" in used.text)
        and not (role is not None and role.name.startswith(RESERVED))
    )
