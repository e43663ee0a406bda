"""What the suspect did: the calls made with the alert's address, key or client, in their order and
in sentences, apart from what else the same identity did.

For the reader's eye: runs of one call and stretches of looking around are folded into one line, and
no count of any answer rests on it.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import COUNTED
from enrich.entity import by_identity_id, entity_match
from enrich.facts.interface import SERVICE_HOST
from enrich.facts.targets import JSON_COLUMNS, Target, targets_in
from enrich.facts.techniques import arrival, high_signal, plain_name, sensitive_read
from enrich.words import listed, short
from trail.access_keys import is_access_key
from trail.counted import counted
from trail.store import Query, Store

AROUND = timedelta(hours=24)
"""Before and after the alert: as far as roles are looked for after it."""
MOST = 1_000
"""Calls that are read, the earliest first; what is left out is said."""
GAP = timedelta(minutes=10)
"""A call that comes again within this belongs to the same line."""
NAMES = 6
"""Calls that a line of looking around names."""

By = Literal["address", "key", "client"]
BY_WORDS: Mapping[By, str] = {"address": "the address", "key": "the key", "client": "the client"}


@dataclass
class Deed:
    """One line: what was done from `first` to `last`, in `count` calls of which `failed` failed."""

    first: datetime
    last: datetime
    is_looking: bool
    rows: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def failed(self) -> int:
        return sum(bool(row["failed"]) for row in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The calls' names without their version dates, each once."""
        return tuple(dict.fromkeys(plain_name(str(row["event_name"])) for row in self.rows))

    @property
    def event_ids(self) -> tuple[str, ...]:
        return tuple(str(row["event_id"]) for row in self.rows)

    @property
    def error(self) -> str | None:
        """The error code, where all that failed has the same."""
        codes = {row["error_code"] for row in self.rows if row["failed"]}
        return next(iter(codes)) if len(codes) == 1 else None

    @property
    def matters(self) -> bool:
        """Whether it is a call of those that matter to an intruder."""
        return not self.is_looking and any(map(_signal, self.rows))

    @property
    def words(self) -> str:
        """ "read 62 objects below shop-orders/2026/03/". It quotes log text."""
        if self.is_looking:
            said = listed((short(name) for name in self.names), at_most=NAMES)
            return f"looked around: {said}" if self.count > 1 else f"looked: {said}"
        name, all_failed = self.names[0], self.failed == self.count
        first = self.rows[0]
        if arrival(first["event_source"], name) and first.get("identity_type") == "AssumedRole":
            # The record is of the session that came of it: nothing was done to another role.
            return "tried to switch into the role" if all_failed else "switched into the role"
        done, to_do, of = _verb(name)
        targets = dict.fromkeys(target for row in self.rows for target in targets_in(row))
        is_named = of is None or any(_is_of(one.kind, of) for one in targets)
        on = _on(targets, of)
        if name not in _WHOLE and not (on and is_named):
            done, to_do = f"called {short(name)}", f"call {short(name)}"
            on = f"on {on}" if on else ""
        return f"{f'tried to {to_do}' if all_failed else done} {on}".rstrip()


@dataclass(frozen=True)
class Strip:
    """The suspect's calls in the window, as lines, and how much is not among them."""

    by: By
    value: str
    first: datetime
    last: datetime
    deeds: tuple[Deed, ...]
    calls: int
    """The suspect's calls in the window; more than the lines hold where they were cut at `MOST`."""
    others: int
    """Calls of the same identity in the window that were made otherwise."""
    queries: tuple[Query, ...]

    @property
    def shown(self) -> int:
        return sum(deed.count for deed in self.deeds)


def find_deeds(alert: Alert, principal: Principal, store: Store) -> Strip | None:
    """None where the alert states no time, no identity, or nothing to know its calls by."""
    suspect = suspect_of(alert, principal)
    match = entity_match(alert, principal, scope="whole_role")
    if suspect is None or match is None or alert.sample:
        return None
    if alert.first_seen is None or alert.last_seen is None:
        return None
    by, value = suspect
    first, last = alert.first_seen - AROUND, alert.last_seen + AROUND
    whole, looked_up = by_identity_id(match, store, first, last)
    bound = {**whole.parameters, "suspect": value, "window_first": first, "window_last": last}
    where = f"""from events
        where event_time >= $window_first and event_time <= $window_last and {whole.sql}
          and {COUNTED}"""
    counts = store.query(
        f"""
        select count(*) filter (where {_MADE[by]}) as calls, count(*) as every
        {where}
        """,
        bound,
        first=first,
        last=last,
    )
    found = store.query(
        f"""
        select event_id, event_time, event_source, event_name, error_code, failed, read_only,
               session_from_console, identity_type, {JSON_COLUMNS}
        {where} and {_MADE[by]}
        order by event_time, event_id limit {MOST}
        """,
        bound,
        first=first,
        last=last,
    )
    calls = int(counts.rows[0]["calls"])
    return Strip(
        by,
        value,
        first,
        last,
        folded(found.rows),
        calls,
        int(counts.rows[0]["every"]) - calls,
        (*looked_up, counts.query, found.query),
    )


_MADE: Mapping[By, str] = {
    "address": "coalesce(source_ip_address = $suspect, false)",
    "key": "coalesce(access_key_id = $suspect, false)",
    "client": "coalesce(user_agent = $suspect, false)",
}


def targets_of_alert(alert: Alert, strip: Strip | None) -> tuple[Target, ...]:
    """What the alert's own call acted on: that of the suspect's calls of its name in its time."""
    if strip is None or alert.event_name is None:
        return ()
    first, last, name = alert.first_seen, alert.last_seen, plain_name(alert.event_name)
    if first is None or last is None:
        return ()
    return tuple(
        dict.fromkeys(
            target
            for deed in strip.deeds
            for row in deed.rows
            if plain_name(str(row["event_name"])) == name and first <= row["event_time"] <= last
            for target in targets_in(row)
        )
    )


def suspect_of(alert: Alert, principal: Principal) -> tuple[By, str] | None:
    """What tells the suspect's calls from the identity's own. An address comes first: a stolen
    key is in its owner's hands as well. AWS's own addresses are everybody's.
    """
    address = alert.source_ip_address
    if address and not SERVICE_HOST.match(address) and not address.startswith("AWS Internal"):
        return "address", address
    if is_access_key(principal.access_key_id):
        return "key", str(principal.access_key_id)
    return ("client", alert.user_agent) if alert.user_agent else None


def folded(rows: Sequence[Mapping[str, Any]]) -> tuple[Deed, ...]:
    """The rows, in their order, as lines: a run of one call is one, a look around is one."""
    deeds: list[Deed] = []
    open_runs: dict[tuple[object, ...], Deed] = {}
    for row in rows:
        at = row["event_time"]
        looking = _is_looking(row)
        key = ("look",) if looking else (row["event_source"], row["event_name"], row["failed"])
        run = open_runs.get(key)
        if run is None or at - run.last > GAP:
            run = Deed(at, at, looking)
            open_runs[key] = run
            deeds.append(run)
        if not looking:
            # What is done between two looks tells them apart.
            open_runs.pop(("look",), None)
        run.rows.append(row)
        run.last = at
    return tuple(deeds)


_LOOKS = re.compile(r"(?:List|Describe|Head|Get|Search|Lookup|BatchGet|Check)")


def _is_looking(row: Mapping[str, Any]) -> bool:
    """A read that tells an intruder nothing by itself: consoles make dozens with one click."""
    return _LOOKS.match(str(row["event_name"])) is not None and _signal(row) is None


def _signal(row: Mapping[str, Any]) -> object | None:
    source, name = row["event_source"], str(row["event_name"])
    return high_signal(source, name) or sensitive_read(source, name)


_VERBS: Mapping[str, tuple[str, str]] = {
    "GetCallerIdentity": ("asked who it is", "ask who it is"),
    "AssumeRole": ("became", "become"),
    "AssumeRoleWithSAML": ("became", "become"),
    "AssumeRoleWithWebIdentity": ("became", "become"),
    "SwitchRole": ("switched to", "switch to"),
    "ConsoleLogin": ("signed in to the console", "sign in to the console"),
    "Decrypt": ("decrypted with", "decrypt with"),
    "GetSecretValue": ("read", "read"),
    "BatchGetSecretValue": ("read", "read"),
    "GetParameter": ("read", "read"),
    "GetParameters": ("read", "read"),
    "GetParametersByPath": ("read", "read"),
    "RunInstances": ("launched", "launch"),
    "InvokeModel": ("used", "use"),
    "InvokeModelWithResponseStream": ("used", "use"),
    "Converse": ("used", "use"),
    "ConverseStream": ("used", "use"),
    "CopyObject": ("copied", "copy"),
    "SendCommand": ("ran commands on", "run commands on"),
    "StartSession": ("opened a shell on", "open a shell on"),
}
_WHOLE = frozenset({"GetCallerIdentity", "ConsoleLogin"})
"""Calls whose verb is a sentence, whatever they name."""
_BY_PREFIX: Mapping[str, tuple[str, str]] = {
    "Get": ("read", "read"),
    "Create": ("made", "make"),
    "Delete": ("deleted", "delete"),
    "Terminate": ("ended", "end"),
    "Stop": ("stopped", "stop"),
    "Start": ("started", "start"),
    "Reboot": ("restarted", "restart"),
    "Put": ("wrote", "write"),
    "Update": ("changed", "change"),
    "Copy": ("copied", "copy"),
    "Import": ("imported", "import"),
}
"""What a call does to that which it is named after, in the past and after "tried to"."""
_WORD = re.compile(r"[A-Z][a-z0-9]*|[A-Z]+(?![a-z])")


def _verb(name: str) -> tuple[str, str, str | None]:
    """The verb, in the past and after "tried to", and the kind of target that it is said of: a call
    does to a thing what its name begins with only where it is named after that thing
    (`CreateAccessKey` makes no user). None: whatever it names.
    """
    known = _VERBS.get(name)
    if known is not None:
        return (*known, None)
    first, *rest = _WORD.findall(name) or [name]
    done, to_do = _BY_PREFIX.get(first, ("", ""))
    return done, to_do, " ".join(rest).lower() if done else "a thing of no kind"


def _is_of(kind: str, named: str) -> bool:
    return named in (kind, _PLURALS.get(kind, f"{kind}s"))


def _on(found: Collection[Target], of: str | None) -> str:
    """What a run of one call acted on, those of one kind before what is beside them: a name or two,
    else how many and what they share."""
    shared = [one.name for one in found if one.shared]
    given = f", shared with {listed(map(short, shared), at_most=3)}" if shared else ""
    kinds: dict[str, list[str]] = {}
    for one in found:
        if not one.shared:
            kinds.setdefault(one.kind, []).append(one.name)
    of_it = [kind for kind in kinds if of is not None and _is_of(kind, of)]
    beside = [kind for kind in kinds if kind not in of_it]
    if of_it and beside:
        given = f" ({', '.join(_of_kind(kind, kinds[kind]) for kind in beside[:2])}){given}"
    told = of_it or beside
    return ", ".join(_of_kind(kind, kinds[kind]) for kind in told[:3]) + given


def _of_kind(kind: str, names: Sequence[str]) -> str:
    if len(names) <= 2:
        return f"{kind} {' and '.join(map(short, names))}"
    begin = os.path.commonprefix(list(names)).rpartition("/")[0]
    below = f" below {short(begin)}/" if begin else f": {listed(map(short, names), at_most=3)}"
    return f"{counted(len(names), kind, _PLURALS.get(kind))}{below}"


_PLURALS = {
    "address": "addresses",
    "identity": "identities",
    "policy": "policies",
    "policy source": "policy sources",
    "permissions boundary": "permissions boundaries",
    "repository": "repositories",
}
"""Kinds of targets that do not take an "s" alone."""
