"""What tells one actor from others: keys, people and machines that an alert or its chain surely
names.

A value stands for one of them alone. So no mask does (§3.4 rule 1), no role, no caller among
several that may have been it, and no name of a session, which whoever assumes a role chooses: that
counts together with the address that it was used from, or where AWS gave it, as an instance's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from alerts.alert import Alert, Principal
from cases.addresses import is_public
from trail.access_keys import is_access_key, is_stand_in, is_user_id
from trail.masks import may_be_mask

_USER_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:root|user/(?:.*/)?([^/]+))", re.DOTALL)
_SESSION_ARN = re.compile(
    r"arn:aws[a-z-]*:sts::(\d{12}):(?:assumed-role/([^/]+)|federated-user)/(.+)", re.DOTALL
)
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SURE = ("certain", "high")
_NO_PERSON = (None, "AWSService", "SourceIdentity")


def of_alert(alert: Alert) -> set[str]:
    """The actors that the alert itself names; a sample names nobody."""
    if alert.sample:
        return set()
    return {
        value
        for principal in alert.principals
        for value in _of_principal(principal, alert.source_ip_address)
    }


def of_answers(answers: Iterable[Mapping[str, Any]]) -> set[str]:
    """Those that the chains of "who assumed it" surely go through (answers as JSON documents, which
    older versions may have kept in another form)."""
    found: set[str] = set()
    for answer in answers:
        if answer.get("name") == "assumed_by":
            found |= _of_chain(_object(answer.get("data")))
    return found


def _of_chain(data: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    hops = data.get("chain")
    for one in hops if isinstance(hops, list | tuple) else ():
        hop = _object(one)
        candidates = hop.get("candidates")
        several = isinstance(candidates, list | tuple) and len(candidates) > 1
        if hop.get("confidence") not in _SURE or several:
            return found  # what stands behind a guess is one as well
        by = _object(hop.get("by"))
        found |= _of_identity(by.get("arn"), by.get("principal_id"), by.get("access_key_id"))
        found |= _of_identity(None, None, hop.get("minted_access_key_id"))
    return found | _of_origin(_object(data.get("origin")))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _of_principal(principal: Principal, address: str | None) -> set[str]:
    found = _of_identity(principal.arn, principal.principal_id, principal.access_key_id)
    session = _SESSION_ARN.fullmatch(principal.arn or "")
    if session is None or may_be_mask(session[3]) or is_stand_in(session[2] or "federated"):
        return found
    named = f"session:{session[1]}/{session[2] or 'federated'}/{session[3]}"
    if _INSTANCE.fullmatch(session[3]):
        found.add(named)
    elif is_public(address):
        found.add(f"{named}@{address}")
    return found


def _of_identity(arn: object, principal_id: object, key: object) -> set[str]:
    found: set[str] = set()
    if isinstance(key, str) and is_access_key(key):
        found.add(f"key:{key}")
    user = _USER_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if user is not None and not (user[1] and may_be_mask(user[1])):
        found.add(f"arn:{arn}")
    if isinstance(principal_id, str) and is_user_id(principal_id):
        found.add(f"id:{principal_id}")
    return found


def _of_origin(origin: Mapping[str, Any]) -> set[str]:
    name = origin.get("arn") or origin.get("name")
    kind = origin.get("type")
    if origin.get("confidence") not in _SURE or kind in _NO_PERSON or not isinstance(name, str):
        return set()
    if _USER_ARN.fullmatch(name):
        return _of_identity(name, None, None)
    return set() if is_stand_in(name) or "*" in name else {f"person:{kind}:{name}"}
