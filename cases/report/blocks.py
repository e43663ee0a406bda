"""The report's order and wording, as blocks that every form draws in its own way.

Labels, headings and column names are ours; every value in a block may quote an attacker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cases.actor import known_how
from cases.kept_reports import SAYS_SO
from cases.report.content import rows_in
from cases.report.credentials import MASK
from cases.review import APPROVED
from enrich.facts.techniques import plain_name
from enrich.questions.every import question_named
from trail.counted import counted

RECORDS_SHOWN = 50
IDS_SHOWN = 8
"""Event ids beside an answer; the rest are listed behind the history."""

ROWS_SHOWN = 200


@dataclass(frozen=True)
class Heading:
    """A heading of ours; `value` is what it quotes, if anything."""

    level: int
    label: str
    value: str = ""


@dataclass(frozen=True)
class Remark:
    """A sentence of ours."""

    label: str


@dataclass(frozen=True)
class Words:
    """Someone's text, with its line breaks."""

    value: str


@dataclass(frozen=True)
class Facts:
    """Labels of ours, each with a value."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Columns of ours, rows of values."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Box:
    """One step of a chain: what led to it (lines above), and what it is."""

    arrow: tuple[str, ...]
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ChainPicture:
    """Boxes from the origin to the alert's session, top to bottom."""

    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Code:
    """A record or another machine's text, as it is."""

    value: str


Block = Heading | Remark | Words | Facts | Table | ChainPicture | Code


def show(value: Any) -> str:
    """A value in a cell. What is not known is a dash, never a nought."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(show(one) for one in value) or "–"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def moment(text: Any) -> str:
    """A time to the second, as `2026-03-10 12:00:00 UTC`."""
    if not isinstance(text, str) or len(text) < 20 or text[10] != "T" or not text.endswith("Z"):
        return show(text)
    return f"{text[:10]} {text[11:19]} UTC"


def worded(value: Any) -> str:
    """One of our own codes in words: `true_positive` as `true positive`."""
    return show(value).replace("_", " ")


def report_blocks(document: Mapping[str, Any]) -> list[Block]:
    """The whole report, in reading order."""
    return [
        *_summary(document),
        *_alerts(document),
        *_chains(document),
        *_answers(document),
        *_pinned(document),
        *_timeline(document),
        *_notes(document),
        *_history(document),
        *_cited(document),
        *_records(document),
        *_proof(document),
    ]


def _summary(document: Mapping[str, Any]) -> list[Block]:
    case = document["case"]
    blocks: list[Block] = [Heading(1, f"Case {case['id']}", show(case["title"]))]
    if document["redacted"]:
        blocks.append(
            Remark(
                "Redacted: accounts, names, keys, addresses, e-mails and hosts are stand-ins, the"
                " same one throughout. Whom only a person's own text names stays in it. Hashes are"
                " those of the originals."
            )
        )
    if masked := document.get("masked_credentials"):
        blocks.append(
            Remark(
                f"{counted(masked, 'secret')} of credentials (session tokens and the like) that"
                f" the records show {'is' if masked == 1 else 'are'} masked here as {MASK}."
            )
        )
    blocks.append(
        Facts(
            (
                ("Verdict", worded(case["verdict"])),
                ("State", worded(case["state"])),
                ("Severity", worded(case["severity"])),
                ("Owner", show(case["owner"])),
                ("Opened", f"{moment(case['opened_at'])} by {show(case['opened_by'])}"),
                ("First action", moment(case["triaged_at"])),
                ("First verdict", moment(case["decided_at"])),
                ("Closed", moment(case["closed_at"])),
                ("Reopened", counted(case["reopened"], "time")),
                ("Review", worded(case["review"])),
                ("Reviewer", show(case["reviewer"])),
                ("Tags", show(case["tags"])),
                ("Report made", moment(document["generated_at"])),
            )
        )
    )
    blocks += _names(document)
    for label, text in (
        ("Why this verdict", case["reason"]),
        ("Summary", case["summary"]),
        ("Review comment", case["review_comment"]),
        ("Put up for review because", "\n".join(case["review_reasons"])),
    ):
        if text:
            blocks += [Heading(3, label), Words(text)]
    return blocks


def _names(document: Mapping[str, Any]) -> list[Block]:
    """What the names in this report are worth: proven by a sign-in, or chosen from a list."""
    unproven = sum((entry["by"] or {}).get("names") != "proven" for entry in document["history"])
    blocks: list[Block] = []
    if unproven:
        of = len(document["history"])
        blocks.append(
            Remark(
                f"{unproven} of the {counted(of, 'entry', 'entries')} of this case's history stand"
                " under names that were"
                " chosen, in local mode or on the command line, and not proven by a sign-in."
            )
        )
    approval = next(
        (one for one in reversed(document["history"]) if one["action"] == APPROVED), None
    )
    if document["case"]["seal"] and approval is not None:
        blocks.append(
            Remark(
                f"Sealed by {show(approval['actor'])}: the name was {known_how(approval['by'])}."
            )
        )
    return blocks


def _alerts(document: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Alerts")]
    for alert in document["alerts"]:
        principals = alert.get("principals") or ()
        blocks += [
            Heading(3, "Alert", show(alert["title"])),
            Facts(
                (
                    ("Finding", show(alert["finding_type"])),
                    ("Id", show(alert["alert_id"])),
                    ("Came by", show(alert["sources"])),
                    ("Severity", show(alert["severity"])),
                    ("Principals", show([p.get("arn") or p.get("user_name") for p in principals])),
                    ("Account", show(alert["account_id"])),
                    ("Region", show(alert["region"])),
                    ("Address", show(alert["source_ip_address"])),
                    ("Client", show(alert.get("user_agent"))),
                    ("Call", show([alert.get("event_source"), _named(alert, "event_name")])),
                    ("Seen", f"{moment(alert['first_seen'])} to {moment(alert['last_seen'])}"),
                    (
                        "Arrived",
                        f"{counted(alert['count'], 'time')}, last {moment(alert['last_arrival'])}",
                    ),
                )
            ),
        ]
    return blocks


def _chains(document: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for chain in document["chains"]:
        boxes = []
        for node in chain["nodes"]:
            if node["kind"] == "origin":
                boxes.append(Box((), show(node["label"]), (show(node["detail"]),)))
                continue
            arrow = (
                f"{show(_named(node, 'event_name'))} at {moment(node['event_time'])}"
                f" from {show(node['source_ip_address'])} ({worded(node['interface'])})",
                f"matched by {worded(node['method'])}, {show(node['confidence'])};"
                f" event {show(node['event_id'])}; by {show(node['by'])}",
            )
            session = (f"session {node['detail']}",) if node["detail"] else ()
            boxes.append(Box(arrow, show(node["label"]), session))
        blocks += [Words(show(chain["sentence"])), ChainPicture(tuple(boxes))]
    return [Heading(2, "Who is behind it"), *blocks] if blocks else []


_PAIRS = (
    ("source_ip_address", "Address"),
    ("user_agent", "Client"),
    ("count", "Calls"),
    ("first", "First"),
    ("last", "Last"),
)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]]) -> list[Block]:
    if not rows:
        return []
    shown = Table(
        tuple(label for _, label in columns),
        tuple(
            tuple(
                _acted_on(row) if key == "targets" else moment(_named(row, key))
                for key, _ in columns
            )
            for row in rows[:ROWS_SHOWN]
        ),
    )
    if len(rows) <= ROWS_SHOWN:
        return [shown]
    return [shown, Remark(_more(len(rows) - ROWS_SHOWN, "row"))]


def _named(row: Mapping[str, Any], key: str) -> Any:
    """A cell's value; a call goes by the name that people know, without its version date."""
    value = row.get(key)
    return plain_name(value) if key == "event_name" and isinstance(value, str) else value


def _acted_on(row: Mapping[str, Any]) -> str:
    """What the calls of a row acted on, as far as it was read; nothing in older answers."""
    targets = rows_in(row, "targets")
    named = [
        f"{'shared with' if one.get('shared') else show(one.get('kind'))} {show(one.get('name'))}"
        for one in targets
    ]
    left = int(row.get("targets_total") or 0) - len(named)
    return "; ".join([*named, *([_more(left, "thing")] if left > 0 else [])])


def _answers(document: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Heading(2, "The questions")]
    if not document["answers"]:
        blocks.append(Remark("No question has been answered for this case yet."))
    several = len({(a["alert_id"], a["principal"]) for a in document["answers"]}) > 1
    for answer in document["answers"]:
        data = answer.get("data")
        of = f"alert {answer['alert_id']}, principal {answer['principal'] + 1}"
        facts = [
            ("Status", worded(answer.get("status"))),
            *([("Of", of)] if several else []),
            ("Evidence", _evidence(answer)),
            ("Caveats", show(answer.get("caveats"))),
            ("Index", f"{_covered(answer['coverage'])}; version {show(answer['index_version'])}"),
        ]
        if answer["frozen"]:
            facts += [
                ("Frozen", f"{moment(answer['frozen_at'])} by {show(answer['frozen_by'])}"),
                ("SHA-256", show(answer["sha256"])),
            ]
        else:
            facts.append(("Frozen", "no: not saved to the case"))
        if answer["missing"]:
            facts.append(("Records not readable", show(answer["missing"])))
        if isinstance(data, Mapping) and (data.get("from") or data.get("to")):
            window = f"{moment(data.get('from'))} to {moment(data.get('to'))}"
            facts.insert(1, ("Window", window))
        blocks += [
            Heading(3, "Question", show(answer.get("question"))),
            Words(show(answer.get("sentence"))),
            Facts(tuple(facts)),
        ]
        tables = question_named(str(answer.get("name"))).report
        for one in tables:
            blocks += _table(rows_in(data, one.key), one.columns)
        if answer.get("name") == "baseline" and isinstance(data, Mapping):
            blocks += _baseline(data)
        elif not tables and data:
            blocks.append(Code(json.dumps(data, indent=2, ensure_ascii=False)))
    return blocks


def _evidence(answer: Mapping[str, Any]) -> str:
    """The event ids, or the first of them where all would bury the answer."""
    ids = answer.get("evidence") or ()
    if len(ids) <= IDS_SHOWN:
        return show(ids)
    return f"{show(ids[:IDS_SHOWN])} and {len(ids) - IDS_SHOWN} more, all under Events cited"


def _cited(document: Mapping[str, Any]) -> list[Block]:
    """Every event id of the answers that show only their first ones."""
    blocks: list[Block] = []
    for answer in document["answers"]:
        ids = answer.get("evidence") or ()
        if len(ids) > IDS_SHOWN:
            blocks += [Heading(3, "Question", show(answer.get("question"))), Code("\n".join(ids))]
    return [Heading(2, "Events cited"), *blocks] if blocks else []


def _covered(coverage: Mapping[str, Any]) -> str:
    window = coverage.get("window")
    if not isinstance(window, Mapping):
        return "coverage not recorded"
    days, missing = window.get("days") or (), window.get("missing") or ()
    told = f"{worded(window.get('status'))}, {counted(len(days), 'day')}, {len(missing)} missing"
    index = coverage.get("index")
    records = index.get("records") if isinstance(index, Mapping) else None
    if not isinstance(records, Mapping):  # evidence that was frozen before they were counted
        return told
    parts = " + ".join(
        f"{show(records.get(name))} {name}" for name in ("kept", "repeated", "rejected", "skipped")
    )
    read = records.get("read")
    return (
        f"{told}; {counted(read, 'record') if isinstance(read, int) else show(read)} read = {parts}"
    )


def _baseline(data: Mapping[str, Any]) -> list[Block]:
    same = data.get("same_api")
    counts = same if isinstance(same, Mapping) else {}
    return [
        Facts(
            (
                ("Rests on", worded(data.get("scope"))),
                ("Events before", show(data.get("events"))),
                ("Active days", show(data.get("active_days"))),
                ("Same call, address and client", show(counts.get("same_ip_and_agent"))),
                ("Same call and address", show(counts.get("same_ip"))),
                ("Same call and client", show(counts.get("same_agent"))),
                ("New", worded(data.get("new"))),
            )
        ),
        *_table(rows_in(data.get("all_apis"), "pairs"), _PAIRS),
    ]


def _pinned(document: Mapping[str, Any]) -> list[Block]:
    if not document["pinned"]:
        return []
    blocks: list[Block] = [Heading(2, "Pinned events")]
    for one in document["pinned"]:
        blocks += [
            Facts(
                (
                    *((("Call", show(_named(one, "event_name"))),) if one["event_name"] else ()),
                    ("Event", show(one["event_id"])),
                    ("Pinned", f"{moment(one['frozen_at'])} by {show(one['frozen_by'])}"),
                    ("SHA-256", show(one["sha256"])),
                )
            ),
            *(Remark(_since_indexed(source)) for source in _changed_sources(one)),
            *([Words(one["comment"])] if one["comment"] else []),
        ]
    return blocks


def _changed_sources(pinned: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in pinned["sources"].values() if one.get("file_changed")]


def _since_indexed(source: Mapping[str, Any]) -> str:
    return (
        "The file has changed since it was indexed: its SHA-256 was"
        f" {show(source['sha256'])} and is {show(source['sha256_now'])}. The record agrees with the"
        " index in every column; what no column holds is not proven."
    )


def _timeline(document: Mapping[str, Any]) -> list[Block]:
    rows = document["timeline"]
    columns = (("at", "Time"), ("what", "What"), ("detail", "Detail"))
    named = [
        {**row, part: plain_name(str(row[part]))}
        for row in rows
        for part in ("detail" if row["what"] == "interesting call" else "what",)
    ]
    return [Heading(2, "Timeline"), *_table(named, columns)]


def _notes(document: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Notes")]
    if not document["notes"]:
        blocks.append(Remark("None."))
    for note in document["notes"]:
        blocks += [
            Facts((("Written", f"{moment(note['written_at'])} by {show(note['author'])}"),)),
            Words(note["text"]),
        ]
    return blocks


def _history(document: Mapping[str, Any]) -> list[Block]:
    rows = [
        {
            "seq": entry["seq"],
            "at": entry["at"],
            "actor": entry["actor"],
            "known": known_how(entry["by"]),
            "action": entry["action"],
            "change": _change(entry),
            "hash": entry["hash"],
        }
        for entry in document["history"]
    ]
    columns = (
        ("seq", "No."),
        ("at", "Time"),
        ("actor", "Who"),
        ("known", "The name was"),
        ("action", "What"),
        ("change", "Before → after"),
        ("hash", "Hash"),
    )
    return [Heading(2, "Audit trail"), *_table(rows, columns)]


def _change(entry: Mapping[str, Any]) -> str:
    before, after = entry["before"].get("case", {}), entry["after"].get("case", {})
    parts = [f"{name}: {show(before.get(name))} → {show(value)}" for name, value in after.items()]
    if not before:
        parts = []  # opening: every field, which the summary has
    for name in ("alert", "note", "evidence", "reason", "yours"):
        if name in entry["after"]:
            parts.append(f"{name}: {show(entry['after'][name])}")
    return "; ".join(parts)


def _more(number: int, noun: str) -> str:
    return f"{counted(number, f'more {noun} is', f'more {noun}s are')} in the JSON report."


def _records(document: Mapping[str, Any]) -> list[Block]:
    records: dict[str, str] = {}
    for one in (*document["answers"], *document["pinned"]):
        records.update(one["records"])
    if not records:
        return []
    blocks: list[Block] = [Heading(2, "Raw records")]
    for event_id, record in list(records.items())[:RECORDS_SHOWN]:
        blocks += [Heading(3, "Event", show(event_id)), Code(_indented(record))]
    if len(records) > RECORDS_SHOWN:
        blocks.append(Remark(_more(len(records) - RECORDS_SHOWN, "record")))
    return blocks


def _indented(record: str) -> str:
    try:
        return json.dumps(json.loads(record), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return record


def _proof(document: Mapping[str, Any]) -> list[Block]:
    case, verification = document["case"], document["verification"]
    state = "nothing contradicts it" if verification["ok"] else "contradictions were found"
    blocks: list[Block] = [
        Heading(2, "Proof"),
        Facts(
            (
                ("Head of the audit chain", document["head"]["text"]),
                ("Seal", show(case["seal"]) if case["seal"] else "none: not approved yet"),
                ("History checked", state),
            )
        ),
    ]
    blocks += [Words(problem) for problem in verification["problems"]]
    blocks.append(
        Remark(
            f"Keep this file as it is: it {SAYS_SO}. `python -m cases verify --report FILE`"
            " finds any change of it, compares the head above with the database, and finds a"
            " history that was rewritten since."
        )
    )
    return blocks
