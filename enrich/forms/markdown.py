"""One alert and its answers as Markdown, for a ticket. Words from logs stay words.

Whatever an attacker wrote into a log must not become a link, an image, HTML or a broken table
in the ticket it is pasted into. Text is escaped and its line ends removed; values stand in code
spans whose fence is longer than any run of backticks inside.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from alerts.alert import Alert
from enrich.answer import Answer, Cell, Listing, Verbatim, verbatim
from enrich.data.assumed_by import AssumedBy
from enrich.data.beside import Beside
from enrich.forms.json_form import Result
from enrich.ledger.words import became_words, made_words
from enrich.questions.every import question_named
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.time_basis import shared_caveats, time_caveats
from enrich.verdict.next_steps import next_steps
from enrich.verdict.weighing import weigh
from enrich.verdict.weight import not_weighed_words
from enrich.window import iso
from enrich.words import called
from trail.counted import counted
from trail.store import IndexSummary

MOST_ROWS = 25
_STATUS_WORDS = {
    "answered": "answered",
    "partial": "partly covered",
    "nothing": "nothing found",
    "not_covered": "not covered",
    "not_applicable": "does not apply",
    "failed": "failed",
}
# What can begin markup inside a line, in CommonMark or in GitHub's additions: "$" is mathematics
# there, "@" and "#" are mentions, and a bare address becomes a link by its "." or "://".
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&$@!{}]|\.(?=\w)|:(?=/))")
_TICKS = re.compile(r"`+")


def as_markdown(alert: Alert, results: Sequence[Result], summary: IndexSummary) -> str:
    """The alert, and for each identity the five answers with their tables."""
    lines = [f"# {text(alert.title or alert.id)}", ""]
    facts = (
        ("Source", alert.source),
        ("First seen", iso(alert.first_seen)),
        ("Last seen", iso(alert.last_seen)),
        ("Account", alert.account_id),
        ("Region", alert.region),
        ("Source IP", alert.source_ip_address),
        ("User agent", alert.user_agent),
        ("Call", _call_of(alert)),
    )
    lines += [f"- {name}: {code(value)}" for name, value in facts if value]
    for caveat in time_caveats(alert):
        lines += ["", f"**The time is not sure**: {text(caveat)}"]
    above = time_caveats(alert)
    for note in alert.notes:
        lines += ["", f"Note: {text(note)}"] if note not in above else []
    for result in results:
        who = called(result.principal)
        lines += ["", f"## {text(who)}"]
        shared = [one for one in shared_caveats(result.answers) if one not in above]
        for one in shared:
            lines += ["", f"Note: {text(one)}"]
        for answer in result.answers:
            lines += _answer(answer, {*above, *shared})
        lines += _beside(result.beside)
        lines += _verdict_aid(alert, result)
    span = "an empty index"
    if summary.first is not None:
        span = (
            f"{counted(summary.events, 'event')} of {counted(len(summary.accounts), 'account')},"
            f" {iso(summary.first)} to {iso(summary.last)}"
        )
        if summary.records is not None:
            span += f" ({summary.records.equation})"
    return "\n".join([*lines, "", text(f"Answered from {span}."), ""])


def text(value: object) -> str:
    """The value as one line of plain words: nothing in it is markup any more."""
    return _MARKS.sub(r"\\\1", _one_line(value))


def code(value: object) -> str:
    """The value in a code span, safe in a table cell too."""
    line = _one_line(value)
    if not line:
        return ""
    # A "|" ends a table cell even inside a code span, and escaping it there is not portable.
    line = line.replace("|", "¦")
    longest = max((len(run) for run in _TICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table. Cells are numbers, or text made safe by `text` or `code`."""
    lines = [
        f"| {' | '.join(headings)} |",
        f"|{'|'.join(' --- ' for _ in headings)}|",
    ]
    for row in rows:
        cells = [f"{cell:,}" if isinstance(cell, int) else str(cell or "") for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _one_line(value: object) -> str:
    if value is None:
        return ""
    visible = "".join(c if c.isprintable() else " " for c in str(value))
    return " ".join(visible.split())


def _answer(answer: Answer, said: Collection[str]) -> list[str]:
    """The answer's lines, without the caveats that were said above it."""
    status = _STATUS_WORDS[answer.status]
    lines = ["", f"### {text(answer.question)}", "", f"**{status}**: {text(answer.sentence)}"]
    for caveat in answer.caveats:
        lines += ["", f"Note: {text(caveat)}"] if caveat not in said else []
    actor = answer.data.actor if isinstance(answer.data, AssumedBy) else None
    if actor is not None and actor.field:
        lines += ["", f"Who acts: {text(actor.words)}"]
    listing = question_named(answer.name).listing(answer.data)
    lines += _listed(listing)
    if answer.evidence:
        some = ", ".join(code(event_id) for event_id in answer.evidence[:5])
        more = f" and {len(answer.evidence) - 5:,} more" if len(answer.evidence) > 5 else ""
        lines += ["", f"Events: {some}{more}"]
    return lines


def _listed(listing: Listing) -> list[str]:
    """A table's lines, and how many rows it leaves out; none where it has no rows."""
    rows = listing.rows
    if not rows:
        return []
    lines = ["", *table(listing.heads, [[*map(_cell, row)] for row in rows[:MOST_ROWS]])]
    if len(rows) > MOST_ROWS:
        lines += [
            "",
            f"{counted(len(rows) - MOST_ROWS, 'more row is', 'more rows are')} in the JSON form.",
        ]
    return lines


def _verdict_aid(alert: Alert, result: Result) -> list[str]:
    lines = []
    weighing = weigh(alert, result.principal, result.answers)
    for told, heading in (
        (weighing.for_, "What speaks for a true positive"),
        (weighing.against, "What speaks against it"),
    ):
        if told:
            lines += ["", f"### {heading}", ""]
            lines += [
                f"- {text(one.sentence)} ({', '.join(code(i) for i in one.event_ids)})"
                for one in told
            ]
    if weighing.not_weighed:
        lines += ["", "### Not weighed, or in part", ""]
        lines += [f"- {text(said)}." for said in not_weighed_words(weighing.not_weighed)]
    steps = next_steps(alert, result.principal, result.answers, result.beside.ledger)
    if steps:
        lines += ["", "### Next steps (to read, then decide)", ""]
    for number, step in enumerate(steps, start=1):
        lines.append(f"{number}. **{text(step.title)}.** {text(step.text)}")
        lines += [f"   - {code(command)}" for command in step.commands]
    return lines


def _beside(beside: Beside) -> list[str]:
    """What came after the alert, what became of what was made, and what the logs cannot show."""
    lines: list[str] = []
    after, ledger, course = beside.after, beside.ledger, beside.course
    if course.stages:
        ids = ", ".join(code(one) for stage in course.stages for one in stage.event_ids[:1])
        lines += ["", "### The order of it", "", f"{text(course.sentence)} ({ids})"]
    if after.status != "not_applicable":
        lines += ["", "### After the alert", ""]
        lines += [f"**{_STATUS_WORDS[after.status]}**: {text(after.sentence)}"]
        for caveat in after.caveats:
            lines += ["", f"Note: {text(caveat)}"]
        lines += _listed(INTERESTING_CALLS.listing(after.found))
    if ledger.status in ("answered", "failed") or ledger.used:
        lines += ["", "### Made and undone", "", text(ledger.sentence)]
        rows = (*ledger.entries, *ledger.used)
        if rows:
            heads = ("What", "Name", "Made", "Became of it", "Event")
            lines += _listed(
                Listing(
                    heads,
                    [
                        (
                            one.kind,
                            verbatim(one.name),
                            made_words(one),
                            became_words(one, cut=ledger.cut),
                            verbatim(one.undone.event_id if one.undone else one.again_event_id),
                        )
                        for one in rows
                    ],
                )
            )
    if beside.unseen.lines:
        lines += ["", "### What these logs cannot show", ""]
        lines += [f"- {text(line)}" for line in beside.unseen.lines]
    return lines


def _cell(value: Cell) -> object:
    """Values as they were logged stand in code spans."""
    if value is None or isinstance(value, int):
        return value
    return code(value) if isinstance(value, Verbatim) else text(value)


def _call_of(alert: Alert) -> str | None:
    if alert.event_name is None:
        return None
    return f"{alert.event_source} {alert.event_name}" if alert.event_source else alert.event_name
