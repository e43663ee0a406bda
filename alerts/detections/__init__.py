"""Detections: Sigma rules run over the event table, each hit an `Alert`."""

from __future__ import annotations

from alerts.detections.detect import detect
from alerts.detections.hits import SEVERITIES
from alerts.detections.new_days import LastRun, detect_new
from alerts.detections.rule_files import OUR_RULES, RuleProblem, rules_in_use
from alerts.detections.rule_list import ListedRule, list_rules

__all__ = [
    "OUR_RULES",
    "SEVERITIES",
    "LastRun",
    "ListedRule",
    "RuleProblem",
    "detect",
    "detect_new",
    "list_rules",
    "rules_in_use",
]
