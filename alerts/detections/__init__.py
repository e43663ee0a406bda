"""Detections: Sigma rules run over the event table, each hit an `Alert`."""

from __future__ import annotations

from alerts.detections.detect import detect
from alerts.detections.hits import SEVERITIES
from alerts.detections.rule_files import OUR_RULES, RuleProblem, rules_in_use

__all__ = ["OUR_RULES", "SEVERITIES", "RuleProblem", "detect", "rules_in_use"]
