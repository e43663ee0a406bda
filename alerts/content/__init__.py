"""What a call did by its parameters, not by its name: signs for or against a true positive.

One module per topic says which APIs it reads (`READERS`) and what it may find (`KINDS`). A sign is
told of a call that succeeded alone: a failed one changed nothing, and its denial is told elsewhere.
What cannot be read (masked, cut off, no JSON) gives no sign at all, so that no sign is no proof
that a call was harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.content import (
    compute,
    destruction,
    detectors,
    identities,
    keys_and_secrets,
    lambda_,
    logging,
    mail_and_models,
    network,
    policies,
    resource_policies,
    sharing,
    trust,
)
from alerts.content.call import Call
from alerts.content.readers import Api, Reader
from alerts.content.sign import ContentSign

__all__ = ["CONTENT_APIS", "CONTENT_COLUMNS", "KINDS", "ContentSign", "content_signs"]

_TOPICS = (
    policies,
    trust,
    identities,
    logging,
    detectors,
    network,
    resource_policies,
    sharing,
    lambda_,
    compute,
    keys_and_secrets,
    destruction,
    mail_and_models,
)

_READERS: dict[Api, Reader] = {
    api: reader for topic in _TOPICS for api, reader in topic.READERS.items()
}

KINDS: Mapping[str, str] = {
    kind: meaning for topic in _TOPICS for kind, meaning in topic.KINDS.items()
}
"""Every kind of sign, and what it means."""

_DATED: Mapping[str, tuple[str, ...]] = {**lambda_.DATED, **destruction.DATED}
"""Event names as Lambda writes them, by the API's own name."""

CONTENT_APIS: frozenset[Api] = frozenset(
    (source, name)
    for source, plain in _READERS
    for name in (plain, *(_DATED.get(plain, ()) if source == "lambda.amazonaws.com" else ()))
)
"""Event source and event name, as logged, of every call that may have a sign."""

CONTENT_COLUMNS = (
    "event_source",
    "event_name",
    "aws_region",
    "error_code",
    "failed",
    "recipient_account_id",
    "identity_type",
    "user_name",
    "principal_arn",
    "issuer_arn",
    "minted_access_key_id",
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "resources",
)
"""What of a row of the event table is read."""


def content_signs(row: Mapping[str, Any]) -> tuple[ContentSign, ...]:
    """The signs in one event's columns (`CONTENT_COLUMNS`), the grave ones first; none of a call
    that failed.
    """
    if row.get("failed") or row.get("error_code"):
        return ()
    call = Call(row)
    reader = _READERS.get((call.source, call.name))
    if reader is None:
        return ()
    return tuple(sorted(dict.fromkeys(reader(call)), key=lambda sign: not sign.grave))
