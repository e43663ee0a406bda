"""The rules that raise alerts, for whoever wants to know which there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sigma.rule import SigmaRule

from alerts.detections.hits import tactics_of, techniques_of
from alerts.detections.rule_files import OUR_RULES, RuleProblem, read_rules


@dataclass(frozen=True)
class ListedRule:
    """One rule, as its file says it."""

    key: str
    """Its id, or its title where it has none: what its alerts name it by."""
    title: str
    file: str
    level: str
    ours: bool
    description: str
    techniques: tuple[str, ...]
    tactics: tuple[str, ...]
    benign: tuple[str, ...]
    """What it finds that is no attack, in its author's words."""
    references: tuple[str, ...]


def list_rules(paths: Sequence[Path]) -> tuple[list[ListedRule], list[RuleProblem]]:
    """The rules that raise alerts, in the order of their files, and what cannot be used.

    Rules that only others count are left out.
    """
    listed: list[ListedRule] = []
    problems: list[RuleProblem] = []
    for path in paths:
        # Apart, to know whose they are; references between folders are found out by a run.
        rule_set = read_rules([path])
        problems += rule_set.problems
        listed += [
            ListedRule(
                key=str(rule.id or rule.title),
                title=rule.title,
                file=rule_set.files[id(rule)],
                level=rule.level.name.lower() if rule.level is not None else "",
                ours=path == OUR_RULES,
                description=" ".join((rule.description or "").split()),
                techniques=tuple(techniques_of(rule)),
                tactics=tuple(tactics_of(rule)),
                benign=tuple(rule.falsepositives or ()),
                references=tuple(rule.references or ()),
            )
            for rule in rule_set.rules
            if not isinstance(rule, SigmaRule) or rule._output
        ]
    return listed, problems
