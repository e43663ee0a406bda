"""Roles that come up again on a chain: access that renews itself before it ends (§3.2)."""

from __future__ import annotations

from enrich.chain.back import Chain
from enrich.chain.hop import Hop
from enrich.data.assumed_by import Juggling
from enrich.facts.role_name import role_named, short_name
from enrich.window import iso
from enrich.words import listed
from trail.counted import times


def juggling_of(chain: Chain) -> Juggling | None:
    """Roles that come up more than once on the path, or a cycle: access that renews itself."""
    roles: dict[object, list[Hop]] = {}
    for hop in chain.hops:
        role = role_named(hop.role_arn)
        if hop.is_narrowing:  # the same session, not the role assumed anew
            continue
        if role is not None and hop.mint is not None and hop.mint.made_by_sts:
            roles.setdefault(role, []).append(hop)
    repeated = [hops for hops in roles.values() if len(hops) > 1]
    if not repeated and chain.stopped != "cycle":
        return None
    times = [hop.mint.time for hops in repeated for hop in hops if hop.mint is not None]
    return Juggling(
        role_arns=tuple(sorted({str(hops[0].role_arn) for hops in repeated})),
        renewals=sum(len(hops) - 1 for hops in repeated),
        first_mint=iso(min(times, default=None)),
        cycle=chain.stopped == "cycle",
    )


def juggling_sentence(juggling: Juggling) -> str:
    names = listed(str(short_name(arn)) for arn in juggling.role_arns)
    if not names:
        return "Role juggling: the records go round in a cycle."
    often = times(juggling.renewals)
    since = f", after a first call at {juggling.first_mint}" if juggling.first_mint else ""
    return f"{renewed(names, len(juggling.role_arns))} {often}{since}."


def renewed(names: str, roles: int) -> str:
    """ "Role juggling: ra and rb were assumed again from themselves or back"."""
    was, itself = ("was", "itself") if roles == 1 else ("were", "themselves")
    return f"Role juggling: {names} {was} assumed again from {itself} or back"
