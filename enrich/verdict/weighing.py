"""What speaks for and what against a true positive: an aid to a verdict, never a verdict.

`weigh` is a pure function over the answers. What it holds to:

- A line for it rests on events that somebody made; a line against it is counter-evidence, which an
  intruder cannot bring about by name, user agent or patience. What is merely common (peers made the
  same call, everything failed) is neither. One line answers an accusation only: that a call which
  the alert or its name accuses added to logs or guards (`of_content`), which anybody could do.
- What a call's content says is said instead of what its name says, and once.
- A guess is no evidence: hops of a chain count from "high" up.
- Thin history says nothing about what is new (§9). An answer for which logs are missing gives
  nothing against, and its lines for it say that they rest on what is indexed.
- Every number is an `enrich.count.Count` beside its events; a line without events is not said.
- A call that only the alert tells of, since its record is not (yet) indexed, is new or not all the
  same; but nothing speaks against it, since what it did was not seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.verdict.of_alert import from_alert
from enrich.verdict.of_baseline import from_baseline
from enrich.verdict.of_calls import from_calls, from_services
from enrich.verdict.of_chain import from_chain
from enrich.verdict.of_roles import from_roles
from enrich.verdict.weight import Answers, NotWeighed, Weighing, Weight, by_strength

__all__ = ["NotWeighed", "Weighing", "Weight", "weigh"]

_MISSING = {
    "failed": "it could not be answered",
    "not_covered": "no logs are indexed",
    "partial": "logs are missing: nothing against is taken from it",
}
_NO_OWN_CALL = NotWeighed(
    "baseline",
    "The alert's own call",
    "is not in the logs that were looked at, which may come later: nothing against is taken from"
    " them",
)


def weigh(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> Weighing:
    """What the answers of one principal of an alert say on either side, and which say too little.

    Nothing at all for a sample finding, which is about nobody.
    """
    if alert.sample:
        return Weighing()
    known = Answers(alert, principal, {answer.name: answer for answer in answers})
    lines = [
        *from_baseline(known),
        *from_calls(known),
        *from_services(known),
        *from_roles(known),
        *from_chain(known),
        *from_alert(known),
    ]
    lacking = known.lacks_own_call
    told = [line for line in lines if line.event_ids or (lacking and line.rests_on_the_alert)]
    return Weighing(
        for_=by_strength(line for line in told if line.side == "for"),
        against=tuple(line for line in told if line.side == "against" and not lacking),
        not_weighed=(
            *((_NO_OWN_CALL,) if lacking else ()),
            *(
                NotWeighed(answer.name, answer.question, _MISSING[answer.status])
                for answer in answers
                if answer.status in _MISSING
            ),
        ),
    )
