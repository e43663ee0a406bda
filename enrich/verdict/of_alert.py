"""What the alert itself says: who acted, and with what client.

A user agent is the caller's own word: it can accuse, it never clears.
"""

from __future__ import annotations

from collections.abc import Iterator

from enrich.count import Cited
from enrich.data.baseline import Baseline
from enrich.facts.user_agent import parse_user_agent
from enrich.verdict.weight import Answers, Weight
from enrich.words import short

_NAME = "alert"
_OFFENSIVE = frozenset({"Kali Linux", "Parrot Linux", "Pentoo Linux"})
_SIMULATION = "Stratus Red Team"


def from_alert(known: Answers) -> Iterator[Weight]:
    alert, principal = known.alert, known.principal
    own = known.own_with()
    if principal.type == "Root":
        yield Weight(
            "root", "for", "The root user acted: everyday work does not need it.", _NAME, (own,)
        )
    if alert.user_agent:
        of_client = known.own_with(user_agent=alert.user_agent)
        yield from _of_the_client(known, alert.user_agent, of_client)
    role = (principal.role_arn or "").rpartition("/")[2]
    # Only the service itself can use such a role (§3.4 rule 6).
    if ":role/aws-service-role/" in (principal.role_arn or "") and role:
        yield Weight(
            "service_linked_role",
            "against",
            f"{short(role)} is a service-linked role: only the AWS service that it belongs to can"
            " use it.",
            _NAME,
            (own,),
        )


def _of_the_client(known: Answers, user_agent: str, own: Cited) -> Iterator[Weight]:
    agent = parse_user_agent(user_agent)
    said = None
    if agent.tool == _SIMULATION:
        said = f"The user agent names an attack simulation ({agent.tool}): ask for a planned test."
    elif agent.kind == "attack":
        said = f"The user agent names {agent.tool}."
    elif agent.kind == "http" and not _is_known(known):
        said = f"The user agent is a plain HTTP client's ({agent.tool}), not an SDK's."
    if said is not None:
        yield Weight("telling_client", "for", said, _NAME, (own,))
    if agent.os in _OFFENSIVE:
        yield Weight("telling_system", "for", f"The user agent names {agent.os}.", _NAME, (own,))


def _is_known(known: Answers) -> bool:
    """Whether the client is one of those in the baseline."""
    baseline = known.found(Baseline)
    agent = None if baseline is None else baseline.user_agent
    return agent is not None and agent.normal_form_seen
