"""Every rule that looks through the logs: what it found, how often it was right, and its problems.

Titles and descriptions of a team's own rules are their authors' text: they are drawn as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from alerts.detections.rule_files import RULES_SETTING, RuleProblem, rule_paths, rules_in_use
from alerts.detections.rule_list import ListedRule, list_rules
from cases import rule_runs
from cases.database import Database
from cases.rule_runs import RuleRecord, Run
from trail.errors import BacktrailError
from ui.kit import phrases
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import Cell, fact, link, more, notes, notice, sifted, table, time_of, title_of
from ui.shell import data
from ui.shell.session import User

HEADS = ("Rule", "Level", "Alerts", "Waiting", "Last found", "True positives", "Techniques")
_NUMBERS = frozenset({"Alerts", "Waiting"})
_FOUND, _OWN = "found", "own"
MAX_PROBLEMS = 50
"""Problems that the page lists."""


def show(database: Database, user: User) -> None:
    """The page, for a user who may read the logs."""
    paths = rules_in_use()
    rules, unusable = _listed(_as_they_are(paths), paths)
    records = rule_runs.records_by_rule(database)
    run = _last_run()
    draw("rules-title", title_of("Detection rules"))
    draw("rules-facts", _facts(rules, records, run))
    if (problems := _problems(unusable, run)) is not None:
        draw("rules-problems", problems)
    draw("rules-table", _table(rules, records))
    draw("rules-words", _about())


Stamp = tuple[str, int, int]


def _as_they_are(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """Changes when a file of the rules does, so that a changed folder is read again."""
    found: list[Stamp] = []
    for file in rule_paths(paths):
        try:
            stat = file.stat()
        except OSError:  # it went just now
            continue
        found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@lru_cache(maxsize=4)
def _listed(
    _stamps: tuple[Stamp, ...], paths: tuple[Path, ...]
) -> tuple[tuple[ListedRule, ...], tuple[RuleProblem, ...]]:
    rules, problems = list_rules(paths)
    return tuple(rules), tuple(problems)


def _last_run() -> Run | None:
    try:
        return rule_runs.last_run(data.open_index())
    except BacktrailError:  # there is no index that could have been looked through
        return None


def _facts(rules: Sequence[ListedRule], records: Mapping[str, RuleRecord], run: Run | None) -> Node:
    own = sum(not rule.ours for rule in rules)
    known = {rule.key for rule in rules}
    alerts = sum(record.found for key, record in records.items() if key in known)
    return el(
        "section",
        "alert",
        el(
            "div",
            "facts",
            fact("Rules", phrases.number(len(rules))),
            fact("Of your own", phrases.number(own)),
            fact("Alerts", phrases.number(alerts)),
            fact("Last run (UTC)", phrases.when(run.at) if run is not None else "not yet"),
            fact("Days it read", f"{run.days_read:,} of {run.days:,}") if run is not None else None,
            fact("New alerts", phrases.number(run.new)) if run is not None else None,
        ),
        el(
            "p",
            "mute small",
            "Rules are run by “Find alerts in my logs” on the ",
            link("inbox", "inbox"),
            ". A run reads the days that are new or have changed since the last one.",
        ),
    )


def _problems(unusable: Sequence[RuleProblem], run: Run | None) -> Node | None:
    """What is wrong with the files as they are now, and what the last run had to leave out."""
    said = list(dict.fromkeys(map(str, unusable)))
    now = {(problem.rule, problem.file) for problem in unusable}
    if run is not None:
        said += [str(one) for one in run.problems if (one.rule, one.file) not in now]
    if not said:
        return None
    hidden = len(said) - MAX_PROBLEMS
    return notice(
        f"{phrases.count(len(said), 'problem')} with rules",
        notes(said[:MAX_PROBLEMS]),
        f"And {hidden:,} more." if hidden > 0 else None,
        tone="warn",
    )


def _table(rules: Sequence[ListedRule], records: Mapping[str, RuleRecord]) -> Node:
    of = {rule.key: records.get(rule.key, RuleRecord()) for rule in rules}
    ordered = sorted(rules, key=lambda rule: (-of[rule.key].found, rule.ours, rule.title))
    shown = table(
        HEADS,
        [_row(rule, of[rule.key]) for rule in ordered],
        caption="Detection rules",
        numbers=_NUMBERS,
        tall=True,
        kinds=[_kinds(rule, of[rule.key]) for rule in ordered],
    )
    by = [(_FOUND, "With alerts")] if any(of[rule.key].found for rule in rules) else []
    if not all(rule.ours for rule in rules):
        by.append((_OWN, "Your own"))
    return sifted(shown, by)


def _kinds(rule: ListedRule, record: RuleRecord) -> str:
    return " ".join([_FOUND] * bool(record.found) + [_OWN] * (not rule.ours))


def _row(rule: ListedRule, record: RuleRecord) -> Sequence[Cell]:
    return (
        _rule(rule),
        rule.level,
        phrases.number(record.found),
        phrases.number(record.waiting),
        time_of(record.last_found) if record.last_found is not None else "",
        _rate(record),
        ", ".join(rule.techniques),
    )


def _rule(rule: ListedRule) -> Node:
    return more(
        rule.title,
        el("p", "small", rule.description) if rule.description else None,
        el("p", "small mute", f"Benign: {'; '.join(rule.benign)}.") if rule.benign else None,
        el("p", "small mute", f"Source: {', '.join(rule.references)}") if rule.references else None,
        el("p", "small mute", f"File: {rule.file}{'' if rule.ours else ' (your own)'}"),
    )


def _rate(record: RuleRecord) -> str:
    """ "2 of 3 (67 %)", and what could not be decided beside."""
    if record.rate is None:
        decided = "no verdict yet" if record.found else ""
    else:
        decided = f"{record.true_positives:,} of {record.decided:,} ({record.rate:.0%})"
    if not record.undetermined:
        return decided
    left = f"{record.undetermined:,} undetermined"
    return left if record.rate is None else f"{decided}, {left}"


def _about() -> Node:
    return el(
        "p",
        "mute small",
        "An alert counts with the verdict of its newest case that has one. Rules that only others"
        " count are not listed. Rules of your own, in Sigma's form, are read from the folders that"
        " ",
        el("code", "", RULES_SETTING),
        " names, again in every run.",
    )
