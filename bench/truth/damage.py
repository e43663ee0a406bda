"""What happens to logs before they are indexed: masks, gaps, repeats, late files."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from bench.truth.aws import Json
from bench.truth.world import Rec, World

_MASKS: dict[str, Callable[[str], str | None]] = {
    "stars": lambda key: key[:4] + "*" * 16,
    "other stars": lambda key: "AKIA" + "*" * 16,
    "word": lambda key: "REDACTED",
    "three stars": lambda key: "***",
    "null": lambda key: None,
    "empty": lambda key: "",
    "run": lambda key: key[:4] + "X" * 16,
    "zeros": lambda key: "ASIA" + "0" * 16,
    "tail": lambda key: key[:4] + "*" * 12 + key[-4:],
    "documented": lambda key: "AKIAIOSFODNN7EXAMPLE",
    "documented session": lambda key: "ASIAI44QH8DHBEXAMPLE",
    "hidden": lambda key: "HIDDEN_DUE_TO_SECURITY_REASONS",
    "text null": lambda key: "null",
    **{
        text.lower(): lambda key, text=text: key[:4] + text  # type: ignore[misc]
        for text in (
            "REDACTEDREDACTED", "ANONYMIZED000001", "MASKEDMASKEDMASK", "EXAMPLEEXAMPLE12",
            "XXXXXX1234XXXXXX", "1234567890EXAMPLE", "HIDDENHIDDENHIDD",
        )
    },
}  # fmt: skip
_FORMED = {hide("ASIA")[4:] for hide in _MASKS.values() if len(hide("ASIA") or "") >= 20}
"""The masks that have a key's form, after its first four letters."""

_A_KEY = re.compile(r"^(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}$")
_RUN = re.compile(r"(.)\1{7}")


def is_key(text: object) -> bool:
    """Whether it has a key's form (§3.4 rule 1), told apart from placeholders."""
    return (
        isinstance(text, str)
        and _A_KEY.match(text) is not None
        and _RUN.search(text) is None
        and not text.endswith(("IOSFODNN7EXAMPLE", "I44QH8DHBEXAMPLE"))
        and text[4:] not in _FORMED
    )


@dataclass
class Damage:
    """What was done to one world: how keys are masked, which records are gone."""

    mask: str | None = None
    scope: str = "all"
    """`all`, `response`, `identity` or `some`: which keys of a record are masked."""
    gone: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    no_context: str = ""
    """Whether `all` or `some` records lost their `sessionContext`, as some exports do."""
    bare: set[str] = field(default_factory=set)
    masked: dict[str, str] = field(default_factory=dict)
    _shown: dict[Rec, Json] = field(default_factory=dict)

    def as_logged(self, rec: Rec) -> Json:
        """The record as the export shows it; not to be changed."""
        if rec not in self._shown:
            self._shown[rec] = self._masked(rec)
        return self._shown[rec]

    def _masked(self, rec: Rec) -> Json:
        record = copy.deepcopy(rec.record)
        if rec.id in self.bare:
            record["userIdentity"].pop("sessionContext", None)
        if self.mask is None:
            return record
        scope = self.masked.get(rec.id, self.scope)
        hide = _MASKS[self.mask]
        if scope in ("all", "identity") and "accessKeyId" in record["userIdentity"]:
            record["userIdentity"]["accessKeyId"] = hide(record["userIdentity"]["accessKeyId"])
        if scope in ("all", "response"):
            for part in ("credentials", "accessKey"):
                made = (record.get("responseElements") or {}).get(part)
                if made and "accessKeyId" in made:
                    made["accessKeyId"] = hide(made["accessKeyId"])
        return record

    def hides(self, key: str | None) -> str | None:
        """A key as a masked alert shows it."""
        return key if key is None or self.mask is None else _MASKS[self.mask](key)


def damage(world: World) -> Damage:
    """What befalls this world's logs, by its own dice."""
    rng = world.rng
    done = Damage()
    if rng.random() < 0.3:
        done.mask = rng.choice(sorted(_MASKS))
        done.scope = rng.choice(("all", "all", "response", "identity", "some"))
    gaps = rng.choice((0.0, 0.0, 0.0, 0.15, 0.35, 0.6))
    absent = _absent(world)
    if rng.random() < 0.4:
        done.gone |= _tempting(world)
    if rng.random() < 0.06:
        done.no_context = rng.choice(("all", "some"))
    for rec in world.records:
        if rec.id in world.kept:
            continue
        if absent(rec) or rng.random() < (gaps if rec.kind != "use" else gaps / 2):
            done.gone.add(rec.id)
        if rng.random() < 0.1:
            done.late.add(rec.id)
        if rng.random() < 0.08:
            done.twice.add(rec.id)
        if done.no_context == "all" or (done.no_context == "some" and rng.random() < 0.5):
            done.bare.add(rec.id)
        if done.scope == "some":
            done.masked[rec.id] = rng.choice(("all", "none", "response", "identity"))
    return done


def _tempting(world: World) -> set[str]:
    """One mint of those that another of the same name and second stands beside, all its records;
    or else one hand-out of the portal's, of which the mint itself says less.
    """
    beside = [
        step
        for number, (_, step) in enumerate(world.steps)
        if any(
            other.target == step.target and abs(other.at - step.at) <= timedelta(seconds=2)
            for place, (_, other) in enumerate(world.steps)
            if place != number
        )
    ]
    handed = [rec for rec in world.records if rec.record["eventSource"] == "sso.amazonaws.com"]
    if handed and world.rng.random() < 0.5:
        return {world.rng.choice(handed).id}
    return world.rng.choice(beside).events - world.kept if beside else set()


def _absent(world: World) -> Callable[[Rec], bool]:
    """What the logs never had: an account, a Region, the time before they begin."""
    rng = world.rng
    kind = rng.random()
    if kind < 0.08:
        begin = min(rec.time for rec in world.records) + timedelta(minutes=rng.uniform(0, 40))
        return lambda rec: rec.time < begin
    if kind < 0.14:
        account = rng.choice((world.home, world.other))
        return lambda rec: rec.record["recipientAccountId"] == account
    if kind < 0.2:
        region = rng.choice(("us-east-1", *world.regions))
        return lambda rec: rec.record["awsRegion"] == region
    return lambda rec: False


def log_files(world: World, done: Damage) -> dict[str, str]:
    """The world's log files by name, as they are delivered: unordered, late ones apart."""
    files: dict[str, list[Json]] = {"logs": [], "late": []}
    for rec in _shuffled(world, (rec for rec in world.records if rec.id not in done.gone)):
        shown = done.as_logged(rec)
        first, second = ("late", "logs") if rec.id in done.late else ("logs", "late")
        files[first].append(shown)
        if rec.id in done.twice:
            files[second].append(shown)
    return {
        f"{world.number:06d}-{name}.json": json.dumps({"Records": records})
        for name, records in files.items()
        if records
    }


def _shuffled(world: World, records: Iterable[Rec]) -> list[Rec]:
    some = list(records)
    world.rng.shuffle(some)
    return some
