"""What a build passed over, why, and what to do about it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trail.counted import counted

SHAPES = "docs/shapes.md"


@dataclass(frozen=True)
class PassedOver:
    """A reason for which files or records gave no events, how often, and where it is so first."""

    reason: str
    count: int
    example: str
    rejected: bool
    """Whether it is damage, or a table that cannot be used, rather than something else's file."""


def passed_over_lines(found: Sequence[PassedOver]) -> list[str]:
    """A line for each reason. They quote names of files, and what stands in them."""
    return [
        f"{one.count:,} {'rejected' if one.rejected else 'skipped'}: {plain(one.reason)}"
        f" ({'first ' if one.count > 1 else ''}{plain(one.example)})"
        for one in found
    ]


def gone_line(events: int) -> str | None:
    """What to say of events that went, as the files that gave them were read again; None if none
    did."""
    if events == 0:
        return None
    it, was = ("it", "was") if events == 1 else ("them", "were")
    return f"{counted(events, 'event')} {was} taken out: the files that gave {it} have changed."


def what_to_do(
    *, events: int, duplicates: int, files: int, unchanged: int, rejected: int, skipped: int
) -> str | None:
    """What to do after a build that added nothing or passed something over; None after others.
    `duplicates` are records that were read and known (`BuildSummary.duplicates`)."""
    if events == 0:
        if files == 0 and unchanged == 0:
            return "No events were added: there is no file there. Check the path."
        if files == 0:
            return "No events were added: every file was read before, and none has changed."
        if duplicates and not rejected:
            return "No new events were added: the index had every one of these before."
    if events == 0 and not duplicates:
        return (
            "No events were added. Give CloudTrail's own files, or an export that keeps the whole"
            f" record or says who called: {SHAPES} lists every shape."
        )
    if rejected:
        return (
            "What was rejected is missing from every answer: give it again, whole, or in another"
            f" shape of {SHAPES}."
        )
    if skipped:
        return (
            "What was skipped holds no CloudTrail events by its form. If it should hold some,"
            f" {SHAPES} says in which shapes they can be read."
        )
    return None


def plain(text: str) -> str:
    """Log text for a terminal: no control characters, which could move the cursor or worse."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
