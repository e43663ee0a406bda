"""Encryption keys and secrets: deleted, switched off, or data put under a key that others hold.

Whom the policy of a key or secret lets in is read in `resource_policies`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, account_in, last_part, named
from alerts.content.let_in import other_accounts
from alerts.content.plain import plainly
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.counted import counted

KINDS = {
    "key_deletion": "An encryption key is to be deleted: what it encrypts will be unreadable.",
    "key_off": "An encryption key was switched off.",
    "secret_deleted": "A secret was deleted.",
    "data_under_foreign_key": "Data was written under a key that the account does not hold.",
}

_IMPACT = ("T1485", "T1486")


def _deletion(call: Call) -> Iterator[ContentSign]:
    key = named("key", last_part(call.given("keyId")))
    days = call.given("pendingWindowInDays")
    when = f", in {counted(int(days), 'day')}" if days.isdigit() and len(days) < 4 else ""
    yield ContentSign(
        "key_deletion", "for", True,
        f"ScheduleKeyDeletion has {key} deleted{when}.", _IMPACT, about=key,
    )  # fmt: skip


def _secret(call: Call) -> Iterator[ContentSign]:
    name = call.answered("name") or call.given("secretId").rpartition(":secret:")[2]
    about = named("secret", name or call.given("secretId"))
    at_once = call.said("forceDeleteWithoutRecovery", True)
    how = ", at once and without a way back" if at_once else ""
    yield ContentSign(
        "secret_deleted", "for", False, f"DeleteSecret deleted {about}{how}.", ("T1485",),
        about=about,
    )  # fmt: skip


_OWN_KEY = (
    "x-amz-server-side-encryption-customer-algorithm",
    "server-side-encryption-customer-algorithm",
)


def _copied(call: Call) -> Iterator[ContentSign]:
    """Encryption under a key that the caller alone has (S3 User Guide, SSE-C) locks others out."""
    about = named("object", f"{call.given('bucketName')}/{call.given('key')}")
    if any(call.given(one) for one in _OWN_KEY) or "SSE_C" in _applied(call):
        yield ContentSign(
            "data_under_foreign_key", "for", True,
            f"{call.name} wrote {about} under a key that only the caller has (SSE-C).",
            ("T1486",), about=about,
        )  # fmt: skip
        return
    key = call.given("x-amz-server-side-encryption-aws-kms-key-id")
    if outside := call.outsiders([account_in(key)]):
        yield ContentSign(
            "data_under_foreign_key", "for", True,
            f"{call.name} wrote {about} under a key of {other_accounts(outside, call)}.",
            ("T1486",), outside, about,
        )  # fmt: skip


def _applied(call: Call) -> str:
    applied = call.additional.get("SSEApplied")
    return applied if isinstance(applied, str) else ""


READERS: Readers = readers(
    ("kms", "ScheduleKeyDeletion", _deletion),
    ("kms", "DisableKey",
     plainly("key_off", "switched off", "key", "keyId", techniques="T1485 T1486")),
    ("kms", "DeleteImportedKeyMaterial",
     plainly("key_deletion", "deleted the material of", "key", "keyId",
             techniques="T1485 T1486", grave=True)),
    ("secretsmanager", "DeleteSecret", _secret),
    ("s3", "CopyObject", _copied),
)  # fmt: skip
