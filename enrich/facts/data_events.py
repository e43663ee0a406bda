"""Calls that CloudTrail logs as data events, which a trail has only where it was told so (data).

Names are those of "Logging data events" in the CloudTrail user guide and of the services' own pages
on it. Records before event version 1.07 do not say their category: there the name alone tells.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataKind:
    """One kind of data events."""

    source: str
    """`eventSource`."""
    words: str
    """What the events are called: "S3 object events"."""
    unseen: str
    """What cannot be seen without them."""
    names: frozenset[str]
    """The calls."""


def _kind(source: str, words: str, unseen: str, names: str) -> DataKind:
    return DataKind(f"{source}.amazonaws.com", words, unseen, frozenset(names.split()))


S3_OBJECTS = _kind(
    "s3",
    "S3 object event",
    "reads, writes and deletes of objects",
    "AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject"
    " DeleteObjectTagging DeleteObjects GetObject GetObjectAcl GetObjectAttributes"
    " GetObjectLegalHold GetObjectLockLegalHold GetObjectLockRetention GetObjectRetention"
    " GetObjectTagging GetObjectTorrent HeadBucket HeadObject ListMultipartUploads ListObjects"
    " ListObjectsV2 ListObjectVersions ListParts PostObject PutObject PutObjectAcl"
    " PutObjectLegalHold PutObjectLockLegalHold PutObjectLockRetention PutObjectRetention"
    " PutObjectTagging RenameObject RestoreObject SelectObjectContent UploadPart UploadPartCopy"
    " WriteGetObjectResponse",
)
LAMBDA = _kind("lambda", "Lambda invocation event", "invocations of functions", "Invoke")
DATA_KINDS: tuple[DataKind, ...] = (
    S3_OBJECTS,
    LAMBDA,
    _kind(
        "dynamodb",
        "DynamoDB item event",
        "reads and writes of items",
        "BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement"
        " ExecuteTransaction GetItem PutItem Query Scan TransactGetItems TransactWriteItems"
        " UpdateItem",
    ),
    _kind(
        "sqs",
        "SQS message event",
        "messages sent, received and deleted",
        "ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch"
        " ReceiveMessage SendMessage SendMessageBatch",
    ),
    _kind("sns", "SNS publish event", "messages published", "Publish PublishBatch"),
    _kind(
        "ebs",
        "EBS block event",
        "reads and writes of snapshots' blocks",
        "GetSnapshotBlock ListChangedBlocks ListSnapshotBlocks PutSnapshotBlock",
    ),
)
"""The kinds that are told, those that matter to most first."""
