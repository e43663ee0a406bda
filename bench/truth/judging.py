"""An answer held against the truth: every hop's event and person, and the origin.

What is judged is `data` of the answer `assumed_by`, as JSON (contract 4 of the design).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bench.truth.alerts import Asked
from bench.truth.damage import Damage, is_key
from bench.truth.world import Rec, Session, Step, World

SURE = ("certain", "high")

_ROLES = {"AssumedRole", "FederatedUser", "AWSAccount", "Unknown", None}
"""Origins that claim no beginning: the chain ends there for want of records."""

_NEAR = timedelta(seconds=2)


@dataclass(frozen=True)
class Claim:
    """One hop, or the origin, and whether it is true."""

    what: str
    """`hop 1` for the nearest, …, or `origin`."""
    method: str
    rule: str
    confidence: str
    right_event: bool
    right_person: bool
    undecidable: bool = False
    behind: bool = False
    """Whether a hop before it was wrong: then it is judged by the session it claims to explain."""
    note: str = ""

    @property
    def right(self) -> bool:
        return self.right_event and self.right_person

    @property
    def broken(self) -> bool:
        """A sure claim that is wrong, and that could have been known better."""
        return self.confidence in SURE and not self.right and not self.undecidable


@dataclass
class Verdict:
    """What one answer claims; `recalled` is None where no indexed record minted the alert's key."""

    claims: list[Claim] = field(default_factory=list)
    recalled: bool | None = None
    status: str = ""
    coverage: str | None = None
    """Why what it says of the logs around a missing record is not so; None where it is."""


def judge(world: World, done: Damage, asked: Asked, answer: dict[str, Any]) -> Verdict:
    """The verdict on one `assumed_by` answer."""
    verdict = Verdict(status=str(answer["status"]))
    data = answer["data"]
    current = list(asked.starts)
    reached = _behind(current, births=False)
    wrong = False
    surest = True
    for number, hop in enumerate(data["chain"], 1):
        claim, following = _hop(world, done, asked, hop, current, number, wrong)
        verdict.claims.append(claim)
        wrong = wrong or not claim.right
        if hop.get("acting", True):
            surest = surest and hop["confidence"] in SURE
        current = following
        if not current:
            break
    origin = data["origin"]
    stated = origin.get("confidence")
    if surest and stated not in ("medium", "low") and (origin.get("arn") or origin.get("label")):
        verdict.claims.append(_origin(origin, reached, verdict.claims))
    verdict.coverage = _coverage(world, done, data.get("would_be_in"))
    verdict.recalled = _recalled(world, done, asked, data["chain"])
    return verdict


def _pauses(times: Iterable[datetime], first: datetime, last: datetime) -> bool:
    """Whether a moment between is more than 12 hours from the event before it or after it."""
    ordered = sorted(times)
    return any(
        before < last
        and after > first
        and max(min(after, last) - before, after - max(before, first)) > timedelta(hours=12)
        for before, after in zip(ordered, ordered[1:], strict=False)
    )


def _coverage(world: World, done: Damage, said: dict[str, Any] | None) -> str | None:
    """Where the missing record would be is covered where the account's logs reach from at most 12
    hours before to at most 12 hours after every moment (§3.4 rule 7), in each Region that counts;
    a creation date is two seconds to either side of the call.
    """
    if said is None or said["account_id"] is None:
        return None
    first, last = (datetime.fromisoformat(said[end]) for end in ("from", "to"))
    if last - first != 2 * _NEAR:  # hours in which it was made: they end with its use
        last -= _NEAR
    times: dict[str, list[datetime]] = {}
    needed = {"us-east-1"}
    for rec in world.records:
        shown = rec.record
        if rec.id in done.gone or shown["recipientAccountId"] != said["account_id"]:
            continue
        times.setdefault(shown["awsRegion"], []).append(rec.time)
        if shown["eventSource"] == "sts.amazonaws.com":
            needed.add(shown["awsRegion"])
    if not needed <= set(said["looked_at"]):
        return f"did not look at {sorted(needed - set(said['looked_at']))}"
    half_a_day = timedelta(hours=12)
    holes = [
        region
        for region in said["looked_at"]
        if not any(first - half_a_day <= time <= first for time in times.get(region, ()))
        or not any(last <= time <= last + half_a_day for time in times.get(region, ()))
        or _pauses(times[region], first, last)
    ]
    if said["coverage"] == "covered":
        return f"says covered, with holes in {holes}" if holes else None
    others = ("management account", "when the activity was", "the alert's own event")
    if not holes and not any(word in text for text in said["missing"] for word in others):
        return f"says {said['coverage']} ({said['missing']}), without a hole"
    return None


def _hop(
    world: World,
    done: Damage,
    asked: Asked,
    hop: dict[str, Any],
    current: Sequence[Session],
    number: int,
    wrong: bool,
) -> tuple[Claim, list[Session]]:
    """One hop's claim, and the sessions that the next one is then about."""
    by, event = hop["by"], hop["event_id"]
    truths = [step for session in current for step in session.steps]
    if event is None:
        fitting = [step for step in truths if not _wrong_in(by, step.caller)]
        right_event = True
        named = fitting
    else:
        fitting = [step for step in truths if event in step.events]
        right_event = bool(fitting)
        named = fitting or [step for _, step in world.steps if event in step.events]
    problems = [_wrong_in(by, step.caller) for step in fitting or truths]
    right_person = any(not problem for problem in problems)
    if event is None and not any(by[name] for name in ("arn", "principal_id", "user_name")):
        right_person = True  # names nobody
    note = ""
    if not right_event:
        note = f"event {event} is not what made it"
    elif not right_person:
        note = f"by {_short(by)}: {min(problems, key=len, default=['nobody such'])}"
    undecidable = False
    if note and hop["confidence"] in SURE:
        undecidable = _undecidable(world, done, asked, truths, event, number)
    following = list(dict.fromkeys(step.caller for step in named))
    claim = Claim(
        f"hop {number}", hop["method"], hop["rule"], hop["confidence"], right_event, right_person,
        undecidable, wrong, note,
    )  # fmt: skip
    return claim, following


def _wrong_in(by: dict[str, Any], caller: Session) -> list[str]:
    """The fields of `by` that are said and not the caller's."""
    right: dict[str, set[str]] = {
        "arn": {*filter(None, (caller.arn,)), *caller.more_arns},
        "principal_id": {*filter(None, (caller.principal,)), *caller.more_ids},
        "access_key_id": caller.keys,
        "user_name": {
            *filter(None, (caller.user_name, caller.name)),
            *((caller.role.name,) if caller.role else ()),
            *caller.tokens,
        },
    }
    wrong = [
        name
        for name, allowed in right.items()
        if by.get(name) is not None
        and by[name] not in allowed
        and not (name == "access_key_id" and not is_key(by[name]))
    ]
    if by.get("type") == "AWSService" and caller.type != "AWSService" and not caller.more_ids:
        wrong.append("type")  # a service is named by its type and `invokedBy`, not by an id
    return wrong


def _origin(origin: dict[str, Any], reached: Sequence[Session], claims: Sequence[Claim]) -> Claim:
    label, arn, kind = str(origin.get("label") or ""), origin.get("arn"), origin.get("type")

    def built(session: Session) -> bool:
        """A finding has no ARN; what is built from its user name lacks the user's path."""
        user = f"arn:aws:iam::{session.account}:user/{session.user_name}"
        alone = not claims or claims[0].method == "key_created"
        return alone and session.type == "IAMUser" and arn == user

    right = any(
        (kind in _ROLES or session.type not in _ROLES)
        and (arn is None or arn == session.arn or arn in session.more_arns or built(session))
        and (
            not label
            or any(
                token in label
                for token in {*session.tokens, session.principal}
                if token is not None
            )
        )
        for session in reached
    )
    if kind == "SourceIdentity":  # its ARN is that of the session which shows it
        right = any(label in session.tokens for session in reached if session.person)
    undecidable = any(claim.undecidable for claim in claims)
    weakest = "certain" if all(claim.confidence == "certain" for claim in claims) else "high"
    note = "" if right else f"origin {kind} {arn} {label}"
    return Claim("origin", "origin", "", weakest, True, right, undecidable, False, note)


def _behind(starts: Iterable[Session], *, births: bool) -> list[Session]:
    """These sessions and all that stand behind them; who made a long-term key does not."""
    found: dict[Session, None] = {}
    waiting = list(starts)
    while waiting:
        session = waiting.pop()
        if session not in found:
            found[session] = None
            waiting += [step.caller for step in session.steps if births or not step.birth]
    return list(found)


def _undecidable(
    world: World, done: Damage, asked: Asked, truths: Sequence[Step], event: str | None, hop: int
) -> bool:
    """Whether nobody could have known: the true record or the alert's own is missing, and another
    caller made the same in the same two seconds, by means that fit.
    """
    if event is None:
        return False
    named = [(session, step) for session, step in world.steps if event in step.events]
    told = hop > 1 or asked.own_record or "event" in asked.form
    for step in truths:
        made = next((session for session, one in world.steps if one is step), None)
        # The record that is asked about does not say who made its own session.
        missing = all(rec.id in done.gone or rec is asked.rec for rec in step.records)
        sign_ins = [rec for rec in step.records if rec.record["eventName"] == "ConsoleLogin"]
        if sign_ins and all(rec.id in done.gone for rec in sign_ins):
            missing = True  # nothing tells that it went to the console
        lost = hop == 1 and not asked.own_record
        if not (missing or lost):
            continue
        for rival_session, rival in named:
            open_to_all = made is None or not told or done.no_context
            if not (open_to_all or _may_be(made, rival_session, rival)):
                continue
            if rival is step or rival.target != step.target or abs(rival.at - step.at) > _NEAR:
                continue
            shown = _shown_keys(done, rival.records)
            used = asked.key if hop == 1 else step.minted
            differs = is_key(used) and bool(shown) and used not in shown
            by_another_key = asked.changing if hop == 1 else _used_by_services(world, asked, made)
            changing = rival.marker != "cli" or by_another_key
            if not differs or (rival.marker == step.marker and changing):
                return True
    return False


def _used_by_services(world: World, asked: Asked, session: Session | None) -> bool:
    """Whether a call by which the session went on to what is asked about was made by a service on
    its behalf: such a call has a key of its own."""
    reached = set(_behind(asked.starts, births=False))
    return any(
        rec.record["userIdentity"].get("accessKeyId") not in (None, step.caller.key)
        for made, step in world.steps
        if made in reached and step.caller is session
        for rec in step.records
    )


def _may_be(true: Session, rival_session: Session, rival: Step) -> bool:
    """Whether a session's own record leaves it open that the rival made it: AWS itself says where
    an instance's, a function's, a portal's and a pipeline's credentials come from.
    """
    caller = rival.caller
    if "ec2RoleDelivery" in true.context and "ec2.amazonaws.com" not in caller.more_ids:
        return False
    if "inScopeOf" in true.fields and caller.type != "AWSService":
        return False
    if "onBehalfOf" in true.fields and rival.marker != "sso":
        return False
    federated = true.context.get("webIdFederationData")
    if federated and caller.fields.get("identityProvider") != federated["federatedProvider"]:
        return False
    return bool(true.context.get("sourceIdentity") == rival_session.context.get("sourceIdentity"))


def _shown_keys(done: Damage, records: Iterable[Rec]) -> set[str]:
    """The keys that indexed records show in their responses."""
    shown = set()
    for rec in records:
        if rec.id in done.gone:
            continue
        response = done.as_logged(rec).get("responseElements") or {}
        for part in ("credentials", "accessKey"):
            key = (response.get(part) or {}).get("accessKeyId")
            if is_key(key):
                shown.add(str(key))
    return shown


def _recalled(
    world: World, done: Damage, asked: Asked, chain: Sequence[dict[str, Any]]
) -> bool | None:
    """Whether the nearest hop is the one indexed record that minted the alert's key."""
    if asked.key is None:
        return None
    minting = [
        rec for rec in world.records if asked.key in _shown_keys(done, [rec])
    ]  # fmt: skip
    steps = {id(step): step for _, step in world.steps for rec in minting if rec in step.records}
    calls = {rec.record["requestID"] for rec in minting}
    if not minting or len(calls) != 1 or len(steps) != 1:
        return None
    (step,) = steps.values()
    if not any(step in session.steps for session in asked.starts):
        return None
    return bool(chain) and chain[0]["event_id"] in step.events and chain[0]["method"] in (
        "access_key", "scoped", "key_created"
    )  # fmt: skip


def _short(by: dict[str, Any]) -> str:
    return str({name: value for name, value in by.items() if value is not None})
