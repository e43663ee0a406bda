"""What a call's parameters add to its name: start-up code, a log switched off (§6.5).

Parameters are JSON text that some services write loosely, so they are searched, not parsed. Only
calls whose name makes the question worthwhile are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from enrich.calls.calls_sql import calls
from enrich.data.interesting_calls import Detail
from enrich.entity import Match
from enrich.facts.techniques import plain_name
from enrich.window import Window
from trail.store import Query, Store

_REQUEST = r"regexp_replace(coalesce(request_parameters, ''), '\s', '', 'g')"

DETAILS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "RunInstances": (
        ("with start-up code", f"{_REQUEST} like '%\"userData\":%'"),
        (
            "large or GPU machines",
            f'regexp_matches({_REQUEST}, \'"instanceType": ?"(p[2-9]|g[3-9]|inf|trn|vt)\')'
            f' or regexp_matches({_REQUEST}, \'"instanceType": ?"[a-z0-9-]+\\.\''
            " || '(([89]|[1-9][0-9])xlarge|metal)')",
        ),
    ),
    "ModifyInstanceAttribute": (("start-up code", f"{_REQUEST} like '%\"userData\":%'"),),
    "DescribeInstanceAttribute": (("user data", f"{_REQUEST} like '%\"userData\"%'"),),
    "ConsoleLogin": (
        # A federated sign-in has its second factor at the identity provider, and says "No" here.
        (
            "without a second factor",
            "not failed and mfa = false and identity_type in ('IAMUser', 'Root')",
        ),
        ("as root", "identity_type = 'Root'"),
    ),
    "UpdateDetector": (("switched off", f"{_REQUEST} like '%\"enable\":false%'"),),
    "CreateFilter": (("hides findings", f"{_REQUEST} like '%ARCHIVE%'"),),
    "PutBucketVersioning": (("suspended", f"{_REQUEST} like '%Suspended%'"),),
    "CopyObject": (
        ("under a key of the caller's own", f"{_REQUEST} like '%server-side-encryption-customer%'"),
    ),
    "CreatePolicyVersion": (("made the default", f"{_REQUEST} like '%\"setAsDefault\":true%'"),),
    "AttachUserPolicy": (("full administrator", f"{_REQUEST} like '%/AdministratorAccess\"%'"),),
    "AttachRolePolicy": (("full administrator", f"{_REQUEST} like '%/AdministratorAccess\"%'"),),
    "AttachGroupPolicy": (("full administrator", f"{_REQUEST} like '%/AdministratorAccess\"%'"),),
    "ModifySnapshotAttribute": (
        ("shared with everyone", f'{_REQUEST} like \'%"group":"all"%\''),
        ("shared with another account", f'{_REQUEST} like \'%"add":%"userId":%\''),
    ),
    "ModifyImageAttribute": (
        ("shared with everyone", f'{_REQUEST} like \'%"group":"all"%\''),
        ("shared with another account", f'{_REQUEST} like \'%"add":%"userId":%\''),
    ),
    "ModifyDBSnapshotAttribute": (("shared", f'{_REQUEST} like \'%"valuesToAdd":["%\''),),
    "ModifyDBInstance": (("new master password", f"{_REQUEST} like '%asterUserPassword\"%'"),),
    "ModifyDBCluster": (("new master password", f"{_REQUEST} like '%asterUserPassword\"%'"),),
    "DeleteDBInstance": (("without a last copy", f"{_REQUEST} like '%kipFinalSnapshot\":true%'"),),
    "DeleteDBCluster": (("without a last copy", f"{_REQUEST} like '%kipFinalSnapshot\":true%'"),),
    "AuthorizeSecurityGroupIngress": (
        ("open to the whole internet", f"regexp_matches({_REQUEST}, '\"(0\\.0\\.0\\.0|::)/0\"')"),
    ),
}
"""Per call: words, and the SQL condition for them."""


def known_details(event_name: str) -> bool:
    return plain_name(event_name) in DETAILS


Call = tuple[str | None, str, str | None]
"""Event source, event name, error code."""


def find_details(
    match: Match, store: Store, window: Window, event_names: Sequence[str]
) -> tuple[dict[Call, list[Detail]], Query]:
    """The phrases that hold for any of the calls of these names, by call."""
    names = {f"name_{number}": name for number, name in enumerate(event_names)}
    told = [
        (name, words, condition)
        for name in dict.fromkeys(map(plain_name, event_names))
        for words, condition in DETAILS[name]
    ]
    columns = [
        f"{calls(f'({condition})')} as detail_{number},"
        f" {calls(f'(({condition}) and failed)')} as failed_{number}"
        for number, (_, _, condition) in enumerate(told)
    ]
    found = store.query(
        f"""
        select event_source, event_name, error_code, {", ".join(columns)}
        from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
          and event_name in ({", ".join("$" + name for name in names)})
        group by 1, 2, 3
        """,
        {**match.parameters, **names, "window_first": window.first, "window_last": window.last},
        first=window.first,
        last=window.last,
    )
    details: dict[Call, list[Detail]] = defaultdict(list)
    for row in found.rows:
        call = (row["event_source"], row["event_name"], row["error_code"])
        for number, (name, words, _) in enumerate(told):
            count = row[f"detail_{number}"]
            if name == plain_name(row["event_name"]) and count:
                failed = row[f"failed_{number}"]
                details[call].append(Detail(words=words, calls=count, failed=failed))
    return dict(details), found.query
