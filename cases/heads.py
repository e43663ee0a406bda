"""The heads of the audit chain that a text prints."""

from __future__ import annotations

import re

from cases.audit import Head

_HEAD = re.compile(r"\b([0-9]{1,12}):([0-9a-f]{64})\b")


def heads_in(report: str) -> list[Head]:
    """The chain heads that a report's text prints (`12:9f86d0…`)."""
    found = {Head(int(seq), sha) for seq, sha in _HEAD.findall(report)}
    return sorted(found, key=lambda head: head.seq)
