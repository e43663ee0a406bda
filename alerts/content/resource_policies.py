"""Whom the policy of a bucket, a key, a secret, a queue … lets in: one table of where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.content.call import Call, account_in, last_part, listing, named
from alerts.content.let_in import LetIn, let_in, other_accounts, under
from alerts.content.policy_document import read_policy
from alerts.content.readers import Reader, Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "resource_public": "A resource's policy lets anybody in.",
    "resource_shared": "A resource's policy lets another account in.",
    "key_policy_public": "The policy of an encryption key lets anybody use it.",
    "key_policy_shared": "The policy of an encryption key lets another account use it.",
    "key_grant_outside": "Another account was given the use of an encryption key.",
}


@dataclass(frozen=True)
class _Document:
    """Where an API has the document, and what the resource is."""

    field: str
    thing: str
    name: str
    techniques: tuple[str, ...] = ("T1537",)


_DOCUMENTS: dict[tuple[str, str], _Document] = {
    ("s3", "PutBucketPolicy"): _Document("bucketPolicy", "bucket", "bucketName",
                                         ("T1537", "T1530")),
    ("s3", "PutAccessPointPolicy"): _Document("policy", "access point", "name"),
    ("kms", "PutKeyPolicy"): _Document("policy", "key", "keyId", ("T1098",)),
    ("kms", "CreateKey"): _Document("policy", "new key", "", ("T1098",)),
    ("secretsmanager", "PutResourcePolicy"): _Document("resourcePolicy", "secret", "secretId"),
    ("ecr", "SetRepositoryPolicy"): _Document("policyText", "repository", "repositoryName"),
    ("sqs", "SetQueueAttributes"): _Document("attributes.Policy", "queue", "queueUrl"),
    ("sqs", "CreateQueue"): _Document("attributes.Policy", "queue", "queueName"),
    ("sns", "SetTopicAttributes"): _Document("attributeValue", "topic", "topicArn"),
    ("backup", "PutBackupVaultAccessPolicy"): _Document("policy", "vault", "backupVaultName"),
    ("elasticfilesystem", "PutFileSystemPolicy"): _Document("policy", "file system",
                                                            "fileSystemId"),
    ("logs", "PutDestinationPolicy"): _Document("accessPolicy", "log destination",
                                                "destinationName"),
    ("glacier", "SetVaultAccessPolicy"): _Document("policy.policy", "vault", "vaultName"),
    ("es", "UpdateDomainConfig"): _Document("accessPolicies", "search domain", "domainName"),
    ("dynamodb", "PutResourcePolicy"): _Document("policy", "table", "resourceArn"),
    ("events", "PutPermission"): _Document("policy", "event bus", "eventBusName"),
}  # fmt: skip
"""Request fields by the services' API references, in CloudTrail's spelling."""


def _reader(document: _Document, is_key: bool) -> Reader:
    def read(call: Call) -> Iterator[ContentSign]:
        policy = read_policy(call.value(document.field))
        if policy is None:
            return
        name = last_part(call.given(document.name)) if document.name else ""
        thing = named(document.thing, name)
        found = let_in(policy, call)
        if found.everybody or found.everybody_under:
            yield ContentSign(
                "key_policy_public" if is_key else "resource_public",
                "for",
                found.everybody,
                f"{call.name} lets anybody{_do(found)} {thing}{under(found.everybody_under)}.",
                document.techniques,
                about=thing,
            )
        if found.accounts:
            yield ContentSign(
                "key_policy_shared" if is_key else "resource_shared",
                "for",
                not found.everybody,
                f"{call.name} lets {other_accounts(found.accounts, call)}{_do(found)}"
                f" {thing}{under(found.accounts_under)}.",
                document.techniques,
                found.accounts,
                thing,
            )

    return read


def _do(found: LetIn) -> str:
    return f" call {listing(found.actions, 3)} on" if found.actions else " act on"


def _grant(call: Call) -> Iterator[ContentSign]:
    from_outside = call.outsiders([account_in(call.given("granteePrincipal"))])
    if from_outside:
        key = named("key", last_part(call.given("keyId")))
        yield ContentSign(
            "key_grant_outside",
            "for",
            True,
            f"CreateGrant lets {other_accounts(from_outside, call)} use {key}:"
            f" {listing(sorted(call.all_given('operations'))) or 'operations not stated'}.",
            ("T1098",),
            from_outside,
            key,
        )


READERS: Readers = readers(
    *(
        (service, name, _reader(document, service == "kms"))
        for (service, name), document in _DOCUMENTS.items()
    ),
    ("kms", "CreateGrant", _grant),
)
