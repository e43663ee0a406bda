"""Sigma rules read from files, and the ones that cannot be used with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from trail.errors import QueryFailed

OUR_RULES = Path(__file__).parent / "rules"

RULES_SETTING = "BACKTRAIL_RULES"
"""The environment variable that names a team's own rule folders, between `os.pathsep`s."""

_MALFORMED = (SigmaError, yaml.YAMLError, ValueError, TypeError, NotImplementedError)
"""What pySigma raises for a file that is not a rule, or not a well-formed one: its own words do."""


@dataclass(frozen=True)
class RuleProblem:
    """A rule that was not run, or not in full: its title, its file and why."""

    rule: str
    file: str
    reason: str

    def __str__(self) -> str:
        return f"The rule {self.rule!r} ({self.file}) was not run in full: {self.reason}."


@dataclass
class RuleSet:
    """Rules in the order of their files, which of them are in which file, and the problems."""

    rules: list[SigmaRule | SigmaCorrelationRule] = field(default_factory=list)
    files: dict[int, str] = field(default_factory=dict)
    problems: list[RuleProblem] = field(default_factory=list)

    def problem(self, rule: SigmaRule | SigmaCorrelationRule, reason: str) -> None:
        self.problems.append(RuleProblem(rule.title, self.files.get(id(rule), ""), reason))

    @contextmanager
    def alone(self, rule: SigmaRule | SigmaCorrelationRule, doing: str = "") -> Iterator[None]:
        """What goes wrong inside ends this rule alone, and is named among the problems."""
        try:
            yield
        except QueryFailed as error:
            self.problem(rule, f"{doing}its query failed: {error}")
        except Exception as error:  # whatever one rule does, the others run
            self.problem(rule, doing + _in_words(error))


def rules_in_use() -> tuple[Path, ...]:
    """Our rules, then the team's own files and folders as `BACKTRAIL_RULES` lists them."""
    named = os.environ.get(RULES_SETTING, "").split(os.pathsep)
    return (OUR_RULES, *(Path(name).expanduser() for name in named if name.strip()))


def read_rules(paths: Sequence[Path]) -> RuleSet:
    """The rules of the files, and of all `.yml` and `.yaml` files in and below the folders."""
    rule_set = RuleSet()
    for path in paths:
        if not path.exists():
            rule_set.problems.append(RuleProblem(path.name, str(path), "there is no such file"))
        for file in sorted(_files(path)):
            _read_file(file, rule_set)
    _resolve(rule_set)
    return rule_set


def rule_paths(paths: Sequence[Path]) -> list[Path]:
    """The files that `read_rules` reads, those that are there."""
    return [file for path in paths for file in sorted(_files(path))]


def longest_timespan(paths: Sequence[Path]) -> timedelta:
    """Of all correlations in the files; nothing where there are none."""
    return max(
        (
            timedelta(seconds=rule.timespan.seconds)
            for rule in read_rules(paths).rules
            if isinstance(rule, SigmaCorrelationRule)
        ),
        default=timedelta(),
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.exists() else []
    return [file for kind in ("*.yml", "*.yaml") for file in path.rglob(kind) if file.is_file()]


def _read_file(file: Path, rule_set: RuleSet) -> None:
    try:
        text = file.read_text(encoding="utf-8")
        collection = SigmaCollection.from_yaml(text, collect_errors=True, resolve_references=False)
    except Exception as error:  # whatever one file does, the others are read
        unreadable = f"it cannot be read: {_in_words(error)}"
        rule_set.problems.append(RuleProblem(file.stem, file.name, unreadable))
        return
    if not collection.rules and not collection.errors:
        rule_set.problems.append(RuleProblem(file.stem, file.name, "there is no rule in it"))
    of_rules = [wrong for rule in collection.rules for wrong in rule.errors]
    for wrong in collection.errors:
        if wrong in of_rules:
            continue
        rule_set.problems.append(RuleProblem(file.stem, file.name, f"it is not valid: {wrong}"))
    for rule in collection.rules:
        rule_set.files[id(rule)] = file.name
        if rule.errors:
            rule_set.problem(rule, "it is not valid: " + "; ".join(map(str, rule.errors)))
        elif isinstance(rule, SigmaRule) and (reason := _foreign(rule)) is not None:
            rule_set.problem(rule, reason)
        else:
            rule_set.rules.append(rule)


def _foreign(rule: SigmaRule) -> str | None:
    """Why the rule is not about CloudTrail logs; None if it is."""
    source = rule.logsource
    if source.product != "aws" or source.service not in (None, "cloudtrail"):
        named = "/".join(part for part in (source.product, source.category, source.service) if part)
        return f"it is about {named or 'no stated'} logs, not aws/cloudtrail"
    return None


def _resolve(rule_set: RuleSet) -> None:
    """Links correlations to the rules that they count, across files."""
    everything = SigmaCollection(list(rule_set.rules), resolve_references=False)
    kept: list[SigmaRule | SigmaCorrelationRule] = []
    for rule in rule_set.rules:
        if isinstance(rule, SigmaCorrelationRule):
            with rule_set.alone(rule, "a rule that it counts cannot be used: "):
                rule.resolve_rule_references(everything)
                kept.append(rule)
        else:
            kept.append(rule)
    rule_set.rules = kept


def _in_words(error: Exception) -> str:
    """The error's own words, with its kind where those alone say little (`'invoked_by'`)."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "int_max_str_digits" in str(error):
        return "a number in it has thousands of figures"
    if isinstance(error, yaml.YAMLError):
        return _yaml_in_words(error)
    if isinstance(error, (OSError, *_MALFORMED)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _yaml_in_words(error: yaml.YAMLError) -> str:
    """Where the YAML breaks, and whether by a tag of a programming language: PyYAML's own words are
    about its constructors."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
    if isinstance(error, yaml.constructor.ConstructorError):
        return f"it has a YAML tag (“!…”) or a key{where} that a rule may not have"
    return f"it is not valid YAML{where}"
