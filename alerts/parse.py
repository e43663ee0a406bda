"""Anything pasted or uploaded → the alerts in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from alerts.alert import Alert
from alerts.json_text import first_break, json_values, printed_values, text_of
from alerts.kinds.envelopes import MAX_ALERTS, alerts_in, too_many, unread_in
from alerts.kinds.free_text import read_text
from alerts.table_text import PastedTable, cells_apart, fields_listed, table_pasted
from trail.counted import counted
from trail.errors import AlertUnrecognised
from trail.read.breaks import breaks_at
from trail.read.mend import as_text, mended, where_it_breaks
from trail.read.yaml_text import TooLong, yaml_values

KNOWN = (
    "a CloudTrail record, a GuardDuty finding, a Security Hub finding, "
    "or text with an ARN, an access key id or an event id in it"
)


NO_TIME = "The alert has no readable time: give the time, or there is no window to look in."


def parse_alerts(text: str | bytes) -> list[Alert]:
    """Every alert in the text, in its order, each once. Raises `AlertUnrecognised` if none.

    `raw` is the whole text when it holds one alert, else each alert's own JSON.
    """
    pasted = text_of(text)
    if not pasted.strip():
        raise AlertUnrecognised(f"There is nothing here. Paste {KNOWN}.")
    table = table_pasted(pasted)
    rows = table.rows if table is not None else []
    containers = _containers(rows or printed_values(pasted) or json_values(pasted))
    alerts = _alerts_in(containers)
    how: tuple[str, ...] = ()
    broken = None
    if not alerts:
        alerts, containers, how = _mended(pasted, containers)
    elif (broken := first_break(pasted)) is not None:
        # What is whole inside of it was found; what the break runs through was not.
        more, values, mends = _mended(pasted, containers)
        if len(more) > len(alerts):
            alerts, containers, how, broken = more, values, mends, None
    if not alerts and (listed := fields_listed(pasted)) and (alerts := _alerts_in([listed])):
        containers = [listed]
    if not alerts and (printed := _of_yaml(pasted)) and (alerts := _alerts_in(printed)):
        containers = printed
    if alerts:
        distinct = [_asking_for_time(alert) for alert in _distinct(alerts)]
        if how:
            said = f"What was pasted was damaged JSON, and mended: {', '.join(how)}."
            distinct = [replace(alert, notes=(said, *alert.notes)) for alert in distinct]
        if rows and table is not None:
            distinct[0] = replace(distinct[0], notes=(*_of_table(table), *distinct[0].notes))
        if len(distinct) == 1:
            distinct[0] = replace(distinct[0], raw=pasted)
        if (note := _left_out(containers)) is not None:
            distinct[0] = replace(distinct[0], notes=(*distinct[0].notes, note))
        if broken is not None:
            said = (
                f"The JSON breaks at {breaks_at(broken)}. What is whole in it was read; a record "
                "that the break runs through was not."
            )
            distinct[0] = replace(distinct[0], notes=(*distinct[0].notes, said))
        return distinct
    plain = as_text(pasted)
    apart = cells_apart(plain.text)
    alert = read_text(apart, where_it_breaks(pasted))
    alert = None if alert is None else replace(alert, raw=pasted)
    if alert is not None and apart != plain.text:
        said = (
            "This is a table of columns that Backtrail does not know: its cells were read as text."
        )
        alert = replace(alert, notes=(said, *alert.notes))
    if alert is not None and plain.how:
        said = f"What was pasted is coded text, and was read so: {', '.join(plain.how)}."
        alert = replace(alert, notes=(said, *alert.notes))
    if alert is not None and table is not None and table.misfits:
        said = (
            "The rows of this table have more or fewer cells than its header names, so that it is "
            "not known whose each is: they were read as text."
        )
        alert = replace(alert, notes=(said, *alert.notes))
    alert = None if alert is None else _asking_for_time(alert)
    if any(isinstance(value, dict | list) for value in containers):
        if alert is None or not (alert.principals or alert.finding_type) or _is_s3_notice(pasted):
            raise AlertUnrecognised(_no_alert(containers, pasted))
        note = "This is JSON of a kind that Backtrail does not know: it was read as plain text."
        shape = "unknown JSON, read as plain text"
        return [replace(alert, shape=shape, notes=(note, *alert.notes))]
    if alert is None:
        raise AlertUnrecognised(
            "This text is not JSON, and holds no ARN, access key id, event id or address. "
            f"Paste {KNOWN}."
        )
    return [alert]


def _of_table(table: PastedTable) -> tuple[str, ...]:
    """What to say of how a table was read."""
    notes: list[str] = []
    if table.how:
        notes.append(f"What was pasted was a damaged table, and mended: {', '.join(table.how)}.")
    if table.misfits:
        rows = counted(table.misfits, "row of the table has", "rows of the table have")
        notes.append(f"{rows} more or fewer cells than its header names: left out.")
    return tuple(notes)


def _containers(values: Sequence[object]) -> list[object]:
    return [value for value in values if isinstance(value, dict | list | str)]


def _alerts_in(containers: Sequence[object]) -> list[Alert]:
    alerts: list[Alert] = []
    for value in containers:
        alerts += alerts_in(value)
        if len(alerts) > MAX_ALERTS:
            raise too_many()
    return alerts


def _mended(
    pasted: str, containers: list[object]
) -> tuple[list[Alert], list[object], tuple[str, ...]]:
    """The alerts of a text that pasting damaged, its values, and what was mended in it."""
    for repaired in mended(pasted):
        values = _containers(json_values(repaired.text))
        if alerts := _alerts_in(values):
            return alerts, values, repaired.how
    values = _containers(json_values(pasted, strict=False))
    return _alerts_in(values), values or containers, ()


def _of_yaml(pasted: str) -> list[object]:
    """The values of YAML that tools print; none of any other text."""
    try:
        return _containers(yaml_values(pasted))
    except TooLong:
        return []


def _asking_for_time(alert: Alert) -> Alert:
    if alert.first_seen is not None:
        return alert
    return replace(alert, notes=(*alert.notes, NO_TIME))


def _left_out(values: Sequence[object]) -> str | None:
    """What was pasted beside the alerts and is none: nothing is dropped in silence."""
    counts = [unread_in(value) for value in values]
    unread, objects = sum(count[0] for count in counts), sum(count[1] for count in counts)
    if not 0 < unread < objects:
        return None
    hold = "holds" if unread == 1 else "hold"
    return f"{unread:,} of the {objects:,} JSON objects here {hold} no alert that Backtrail knows."


def _no_alert(values: Sequence[object], pasted: str) -> str:
    if _is_s3_notice(pasted):
        return (
            "This is S3's notice that a file was written, not an alert. Index that file with "
            "`python -m trail add`, and paste the alert itself."
        )
    start = json.dumps(values[0], ensure_ascii=False)
    start = start if len(start) <= 60 else start[:59] + "…"
    return f"This JSON holds no alert that Backtrail knows: {start} Paste {KNOWN}."


def _is_s3_notice(pasted: str) -> bool:
    return "aws:s3" in pasted[:5_000] and "ObjectCreated" in pasted[:5_000]


def _distinct(alerts: list[Alert]) -> list[Alert]:
    """The alerts without exact repetitions, wherever in the text each of them stood."""
    seen: dict[tuple[str, str], Alert] = {}
    for alert in alerts:
        seen.setdefault((alert.id, alert.raw), alert)
    return list(seen.values())
