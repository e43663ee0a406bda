"""An alert from plain text: the ARN, key, event id, address and time that stand in it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from alerts.alert import Alert, Principal
from alerts.arns import IDENTITY_ARN, assumed_role_arn, principal_of_arn
from alerts.draft import Draft, hash_id
from alerts.times.time_window import window_of
from alerts.times.unread_times import unread_times
from alerts.times.written_times import written_times
from trail.access_keys import is_access_key

ACCESS_KEY = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,28}(?![A-Z0-9])")
UNIQUE_ID = re.compile(
    r"(?<![A-Z0-9])(?:AROA|AIDA)[A-Z0-9]{12,28}(?::[\w+=,.@-]*[\w+=@])?(?![A-Z0-9])"
)
_MASKED_KEY = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{0,12}(?:\*|[xX•#]{4})[\w*•#]{0,28}")
_EVENT_ID = re.compile(
    r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])", re.I
)
# What stands before an id of the same form that is no event's.
_OTHER_ID = re.compile(
    r"(?:request|shared[ _-]?event|original[ _-]?request|invocation|correlation|trace|session)"
    r"[ _-]?ids?[\"'\\]{0,3}\s{0,3}[:=]?\s{0,3}[\"'\\]{0,3}\Z",
    re.I,
)
# As our screens cut it. Any other word of eight such letters is a word.
_CUT_ID_ALONE = re.compile(r"\s*([0-9a-f]{8})(?:…|\.{3})?\s*", re.I)
_CUT_ID_NAMED = re.compile(r"\bevent(?:\s+id)?[\s:#]{1,3}([0-9a-f]{8})(?![\w-])", re.I)
_ADDRESS = re.compile(
    r"(?<![\w.:/-])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})"
    r"(?![\w:/-]|\.\d)",
    re.I,
)
_ADDRESS_IN_LINK = re.compile(
    r"(?<=://)(?:(?P<four>\d{1,3}(?:\.\d{1,3}){3})(?![\w.-])|\[(?P<six>[0-9a-f:]{2,39})\])", re.I
)
_WITH_PORT = re.compile(r"(?<![\w.:/-])(?P<four>\d{1,3}(?:\.\d{1,3}){3})(?=:\d{2,5}(?!\S*[:.]\d))")
_NAME = r"[\"'`“]?(?P<{}>[\w+=,.@-]{{0,63}}[\w+=@-])[\"'`”]?"
_SESSION_IN_WORDS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"(?<![\w:/-])assumed-role/{_NAME.format('role')}/{_NAME.format('session')}",
        rf"\brole(?:\s+name)?[\s:=]{{1,3}}{_NAME.format('role')}[\s(,;|-]{{1,4}}(?:with\s|and\s)?"
        rf"(?:role\s+)?session(?:\s+name)?[\s:=]{{1,3}}{_NAME.format('session')}",
        rf"\bsession(?:\s+name)?[\s:=]{{1,3}}{_NAME.format('session')}[\s(,;|-]{{1,4}}"
        rf"(?:(?:of|in|for)\s)?(?:the\s)?role(?:\s+name)?[\s:=]{{1,3}}{_NAME.format('role')}",
    )
)
"""A role and its session, named by their words."""
_USER_IN_WORDS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\bIAM\s+users?[\s:=]{{1,3}}{_NAME.format('user')}",
        rf"(?:^|[\s(,;|])users?(?:\s?names?)?\s?[:=]\s?{_NAME.format('user')}",
        rf"\busers?\s{_NAME.format('user')}(?=(?:(?:,\s|,?\s(?:and|or)\s)[\w+=,.@-]{{1,64}}){{0,8}}"
        r"\s(?:in|of)\s(?:(?:the\s)?(?:aws\s)?account\s)?\d{12}\b)",
    )
)
_CALL = re.compile(r"\b([a-z][a-z0-9-]{1,40}):((?:[A-Z][a-z0-9]+){2,10})\b")
_SOURCE = re.compile(r"\b[a-z][a-z0-9-]{1,40}\.amazonaws\.com\b")
_REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)-(?:gov-)?[a-z]{4,9}-\d\b")
_RESOURCE_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):")
_ACCOUNT = re.compile(
    r"\b(?:account(?:[ _-]?(?:id|number))?|aws)\W{1,8}(?:is\s|was\s)?(\d{12})\b|"
    r"\b(\d{12})\b(?=\s*\(?account)|\b(?:in|of)\s(\d{12})\b",
    re.I,
)
_FINDING = re.compile(
    r"\b(?:Backdoor|Behavior|CredentialAccess|CryptoCurrency|DefenseEvasion|Discovery|Execution"
    r"|Exfiltration|Impact|InitialAccess|Object|PenTest|Persistence|Policy|PrivilegeEscalation"
    r"|Recon|ResourceConsumption|Stealth|Trojan|UnauthorizedAccess|AttackSequence)"
    r":[A-Z][A-Za-z0-9]+/[A-Z][\w.!-]*\w"
)
_FINDING_ID = re.compile(r"(?:finding/|search=id%3D|[Ff]inding\s?[Ii][Dd]\W{1,4})([0-9a-f]{32})\b")
_SEVERITY = re.compile(r"\bseverity\W{0,4}(?:is\s|of\s)?((?:10|\d)(?:\.\d)?)\b(?!\.\d)", re.I)
_DEFANGED = re.compile(r"(?<=[\w])(?:\[\.\]|\(\.\)|\[dot\]|\(dot\))(?=[\w])", re.I)
_DASHED_ACCOUNT = re.compile(r"(?<![\w-])(\d{4})-(\d{4})-(\d{4})(?![\w-])")
_WORD = re.compile(r"\w")
_LENGTH = 200_000  # characters looked at: an alert in words is a page or two
_TIMES_LENGTH = 50_000


def read_text(text: str, breaks: str | None = None) -> Alert | None:
    """The alert that the text describes; None if nothing in it names an identity or an event.

    `breaks` says where JSON that could not be read stops being JSON.
    """
    looked_at = _as_meant(text[:_LENGTH])
    draft = Draft()
    in_form = dict.fromkeys(ACCESS_KEY.findall(looked_at))
    keys = [key for key in in_form if is_access_key(key)]
    no_keys = [key for key in (*in_form, *_MASKED_KEY.findall(looked_at)) if key not in keys]
    for no_key in no_keys:
        draft.note_no_key(no_key)
    ids = list(dict.fromkeys(UNIQUE_ID.findall(looked_at)))
    arns = list(dict.fromkeys(match[0] for match in IDENTITY_ARN.finditer(looked_at)))
    events = list(
        dict.fromkeys(
            match[0].lower()
            for match in _EVENT_ID.finditer(looked_at)
            if _OTHER_ID.search(looked_at, max(0, match.start() - 40), match.start()) is None
        )
    )
    if not events and (
        cut := _CUT_ID_ALONE.fullmatch(looked_at) or _CUT_ID_NAMED.search(looked_at)
    ):
        events = [cut[1].lower()]
    addresses = _addresses(looked_at)
    finding = _FINDING.search(looked_at)
    # GuardDuty's "user name" of a session is its role's.
    of_a_session = any(one.startswith(("ASIA", "AROA")) for one in (*keys, *ids))
    told = [] if arns else _in_words(looked_at, of_a_session)
    if not (keys or no_keys or ids or arns or events or addresses or finding or told):
        return None
    for arn in told:
        arns.append(arn)
        draft.note(f"{arn} was built from what the text says in words; a path is not known.")
    _add_principals(draft, arns, keys, ids, _user_of_a_key(looked_at) if not arns else None)
    if events:
        draft.put("event_id", events[0], "the text's first event id")
        draft.fields["event_ids"] = tuple(events)
    if addresses:
        draft.put("source_ip_address", addresses[0], "the text's first address")
        if len(addresses) > 1:
            draft.note(
                f"The text has several addresses; the first is used: {', '.join(addresses)}."
            )
    times = written_times(looked_at[:_TIMES_LENGTH])
    for unread in unread_times(looked_at[:_TIMES_LENGTH], times):
        draft.cannot_read(unread)
    for time in times:
        if time.of_earlier:
            draft.note(
                f"“{time.text.rstrip(')')}” is said to be of an earlier sign-in or use: it is not"
                " taken for the alert's time."
            )
        elif time.of_thing:
            draft.note(
                f"“{time.text.rstrip(')')}” is when something that the text names was made: it is"
                " not taken for the alert's time."
            )
    if (window := window_of(times)) is not None:
        draft.put_window(window, "the text's earliest time", "the text's latest time")
    if (call := _CALL.search(looked_at)) and call[1] not in ("arn", "http", "https"):
        draft.put("event_source", f"{call[1]}.amazonaws.com", "the text's first call")
        draft.put("event_name", call[2], "the text's first call")
    elif source := _SOURCE.search(looked_at):
        draft.put("event_source", source[0], "the text's first service name")
    if region := _REGION.search(looked_at):
        draft.put("region", region[0], "the text's first region")
    account = next((person.account_id for person in draft.principals if person.account_id), None)
    if account is not None:
        draft.put("account_id", account, "the text's first ARN")
    elif resource := _RESOURCE_ARN.search(looked_at):
        draft.put("account_id", resource[1], "the text's first ARN")
    elif named := _ACCOUNT.search(looked_at):
        number = named[1] or named[2] or named[3]
        draft.put("account_id", number, "the text's first account id")
    draft.fields["id"] = hash_id(text)
    if finding is not None:
        draft.put("finding_type", finding[0], "the text's finding type")
        if stated := _FINDING_ID.search(looked_at):
            draft.put("id", stated[1].lower(), "the text's finding id")
        if said := _SEVERITY.search(looked_at):
            draft.put("severity", float(said[1]), "the text's severity")
    draft.fields["title"] = finding[0] if finding is not None else _title(text)
    if not draft.principals:
        draft.note(
            "The text names no identity: no ARN, access key id or principal id. Give one before "
            "running the questions."
        )
    if breaks is not None:
        draft.note(breaks)
    draft.note("This is plain text: check what was taken from it.")
    return replace(draft.alert("text", "plain text", text), raw=text)


_NO_NAMES = frozenset(
    ("is", "was", "has", "had", "in", "of", "on", "and", "with", "the", "that", "who", "which")
    + ("from", "for", "account", "name", "id", "made", "did")
)
"""What stands where a name would in "the IAM user was deleted"."""


def _in_words(text: str, of_a_session: bool) -> list[str]:
    """The ARNs of the roles' sessions and the users that the text names by their words beside an
    account id, in its order; none where it names several accounts. With `of_a_session` only an
    "IAM user" is one.
    """
    accounts = {number for found in _ACCOUNT.findall(text) for number in found if number}
    if len(accounts) != 1:
        return []
    (account,) = accounts
    named: dict[str, int] = {}
    for pattern in _SESSION_IN_WORDS:
        for found in pattern.finditer(text):
            if not _NO_NAMES & {name.lower() for name in found.groups()}:
                arn = assumed_role_arn(account, found["role"], found["session"])
                named.setdefault(arn, found.start())
    # Beside a session "User: kim" is whose it is; an "IAM user" is another identity.
    for pattern in _USER_IN_WORDS[:1] if named or of_a_session else _USER_IN_WORDS:
        for found in pattern.finditer(text):
            for user in _listed(found, text):
                named.setdefault(f"arn:aws:iam::{account}:user/{user}", found.start())
    told = [arn for arn in sorted(named, key=named.__getitem__) if principal_of_arn(arn)]
    return told[:_MOST_TOLD]


_MOST_TOLD = 20
_FURTHER = re.compile(
    rf"(?:[,;]\s(?P<last>(?:and|or)\s)?|\s(?P<and>and|or|&)\s){_NAME.format('user')}", re.I
)
_AFTER_A_LIST = re.compile(
    r"[.;:)]|\s*$|\s(?:and|or|&)\s|[,;]\s|\s\(|\s(?:in|of|from|both|all|did|made)\b"
)


def _listed(found: re.Match[str], text: str) -> list[str]:
    """The user's name, and those that a list goes on with behind it: "kim, lee or max in …"."""
    user, end = found["user"], found.end()
    if user.lower() in _NO_NAMES:
        return []
    users, more = [user], list[str]()
    are_several = re.search(r"\busers\b", found[0], re.I) is not None
    while (further := _FURTHER.match(text, end)) is not None:
        end = further.end()
        if further["user"].lower() in _NO_NAMES or not _AFTER_A_LIST.match(text, end):
            break
        more.append(further["user"])
        if further["last"] or further["and"]:
            users, more = [*users, *more], []
    # What follows a comma behind one user may be anything.
    return [*users, *more] if are_several else users


def _user_of_a_key(text: str) -> str | None:
    """The user that a text without any account names by a field: "userName: lee"."""
    if _ACCOUNT.search(text):
        return None
    found = list(dict.fromkeys(match["user"] for match in _USER_IN_WORDS[1].finditer(text)))
    return found[0] if len(found) == 1 and found[0].lower() not in _NO_NAMES else None


def _as_meant(text: str) -> str:
    """Addresses and links as they are without what keeps them from being clicked, and account ids
    without the dashes that people write in them."""
    plain = _DEFANGED.sub(".", text).replace("[:]", ":").replace("hxxp", "http")
    return _DASHED_ACCOUNT.sub(r"\1\2\3", plain)


def _title(text: str) -> str:
    """The first line that says something; brackets and quotes alone do not."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if _WORD.search(line)), "Alert without a title")
    if first[:1] in ("{", "["):
        first = "Text that begins as JSON"
    return first if len(first) <= 120 else first[:119] + "…"


def _add_principals(
    draft: Draft, arns: list[str], keys: list[str], ids: list[str], user: str | None = None
) -> None:
    people = [person for arn in arns if (person := principal_of_arn(arn)) is not None]
    people, ids = _each_once(people, ids)
    if len(people) <= 1 and len(keys) <= 1 and len(ids) <= 1:
        # One of each: they are taken to be parts of the same identity.
        person = people[0] if people else Principal("Unknown")
        key, unique = next(iter(keys), None), next(iter(ids), None)
        if user is not None and key is not None and key.startswith("AKIA") and not (people or ids):
            # A long-term key is a user's; beside a temporary one the name may be its role's.
            person = Principal("Unknown", user_name=user)
        if people or keys or ids:
            draft.add_principal(
                replace(
                    person,
                    access_key_id=key,
                    principal_id=unique or person.principal_id,
                    session_name=person.session_name or ((unique or "").partition(":")[2] or None),
                ),
                arn="the text's ARN",
                access_key_id="the text's access key id",
                principal_id="the text's unique id",
            )
        return
    for person in people:
        draft.add_principal(person, arn="the text's ARNs", principal_id="the text")
    for key in keys:
        draft.add_principal(Principal("Unknown", access_key_id=key), access_key_id="the text")
    for unique in ids:
        draft.add_principal(Principal("Unknown", principal_id=unique), principal_id="the text")
    draft.note(f"The text names {len(draft.principals)} identities: choose one, or run for all.")


def _each_once(people: list[Principal], ids: list[str]) -> tuple[list[Principal], list[str]]:
    """The identities, each once, and the unique ids that belong to none of them for certain.

    A session's role beside the session, a role's id beside that of its session, and the id of a
    session of that name are the same identity told again.
    """
    sessions = [p for p in people if p.session_name is not None]
    of_sessions = {_plain_role(p.role_arn) for p in sessions}
    kept = [p for p in people if p.type != "Role" or _plain_role(p.role_arn) not in of_sessions]
    ids = [one for one in ids if not any(other.startswith(one + ":") for other in ids)]
    left = []
    for one in ids:
        name = one.partition(":")[2]
        same = [n for n, p in enumerate(kept) if name and p.session_name == name]
        if len(same) == 1 and kept[same[0]].principal_id is None:
            kept[same[0]] = replace(kept[same[0]], principal_id=one)
        else:
            left.append(one)
    return kept, left


def _plain_role(arn: str | None) -> tuple[str, str]:
    """(account, name) of a role, whatever its path."""
    parts = (arn or "").split(":")
    return (parts[4] if len(parts) > 5 else "", (arn or "").rsplit("/", 1)[-1])


def _addresses(text: str) -> list[str]:
    found: dict[str, None] = {}
    written = [(match.start(), match[0]) for match in _ADDRESS.finditer(text)]
    written += [
        (match.start(), match["four"] or match["six"]) for match in _ADDRESS_IN_LINK.finditer(text)
    ]
    written += [(match.start(), match["four"]) for match in _WITH_PORT.finditer(text)]
    for _, match in sorted(written):
        try:
            address = ipaddress.ip_address(match)
        except ValueError:
            continue
        if not address.is_unspecified:
            found[str(address)] = None
    return list(found)
