"""Disks, images, databases and buckets given to others: to an account, to everybody, to a copy.

Fields by EC2's, RDS's, RAM's and S3's API references, as CloudTrail writes them: EC2 puts lists
into `items`; S3's access control lists stand as their XML does.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, account_in, last_part, listing, named, texts_at, values_at
from alerts.content.let_in import other_accounts
from alerts.content.readers import Reader, Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "snapshot_public": "A disk or database snapshot may be copied by everybody.",
    "snapshot_shared": "A disk or database snapshot was shared with another account.",
    "image_public": "A machine image may be started by everybody.",
    "image_shared": "A machine image was shared with another account or organization.",
    "resources_shared": "Resources were shared with another account.",
    "acl_public": "An access control list lets everybody, or anybody with an AWS account, in.",
    "public_access_unblocked": "The block on public access was removed or opened.",
    "public_access_blocked": "The block on public access was put in place, all of it.",
    "bucket_replicated_outside": "A bucket's objects are copied to another account.",
    "database_public": "A database was made reachable from the internet.",
}

_SHARES = ("T1537",)


def _shared(noun: str, kind: str, thing: str, field: str, name: str) -> Reader:
    def read(call: Call) -> Iterator[ContentSign]:
        about = named(thing, last_part(call.given(name)))
        if "all" in {one.casefold() for one in call.all_given(f"{field}.add.group")}:
            yield ContentSign(
                f"{kind}_public", "for", True,
                f"{call.name} lets everybody {noun} {about}.", _SHARES, about=about,
            )  # fmt: skip
        outside = call.outsiders(call.all_given(f"{field}.add.userId"))
        if outside:
            yield ContentSign(
                f"{kind}_shared", "for", True,
                f"{call.name} lets {other_accounts(outside, call)} {noun} {about}.",
                _SHARES, outside, about,
            )  # fmt: skip
        organizations = call.all_given(
            f"{field}.add.organizationArn", f"{field}.add.organizationalUnitArn"
        )
        if organizations and kind == "image":
            yield ContentSign(
                "image_shared", "for", False,
                f"{call.name} lets organization {listing(organizations)} {noun} {about}.",
                _SHARES, about=about,
            )  # fmt: skip

    return read


def _database(call: Call) -> Iterator[ContentSign]:
    name = call.given("dBSnapshotIdentifier") or call.given("dBClusterSnapshotIdentifier")
    about = named("database snapshot", last_part(name))
    added = call.all_given("valuesToAdd")
    if call.given("attributeName").casefold() not in ("restore", ""):
        return
    if "all" in {one.casefold() for one in added}:
        yield ContentSign(
            "snapshot_public", "for", True,
            f"{call.name} lets everybody restore {about}.", _SHARES, about=about,
        )  # fmt: skip
    if outside := call.outsiders(added):
        yield ContentSign(
            "snapshot_shared", "for", True,
            f"{call.name} lets {other_accounts(outside, call)} restore {about}.",
            _SHARES, outside, about,
        )  # fmt: skip


def _resource_share(call: Call) -> Iterator[ContentSign]:
    outside = call.outsiders([account_in(one) for one in call.all_given("principals")])
    if not outside:
        return
    resources = call.all_given("resourceArns")
    name = call.given("name") or last_part(call.given("resourceShareArn"))
    about = named("resource share", name)
    what = f" with {listing([last_part(one) for one in resources])}" if resources else ""
    yield ContentSign(
        "resources_shared", "for", True,
        f"{call.name} opens {about}{what} to {other_accounts(outside, call)}.",
        _SHARES, outside, about,
    )  # fmt: skip


_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "anybody with an AWS account",
}
_CANNED = {
    "public-read": "everybody read",
    "public-read-write": "everybody read and write",
    "authenticated-read": "anybody with an AWS account read",
}


def _acl(call: Call) -> Iterator[ContentSign]:
    bucket, key = call.given("bucketName"), call.given("key")
    about = named("object", f"{bucket}/{key}") if key else named("bucket", bucket)
    let = {
        f"{whom} {right.casefold().replace('_', ' ') or 'in'}"
        for grant in values_at(call.request, "AccessControlPolicy.AccessControlList.Grant")
        for uri in texts_at(grant, "Grantee.URI")
        if (whom := _GROUPS.get(uri))
        for right in [next(texts_at(grant, "Permission"), "")]
    }
    stated = [
        *texts_at(call.request, "x-amz-acl"),
        *texts_at(call.request, "accessControlList.x-amz-acl"),
    ]
    let |= {_CANNED[one] for one in stated if one in _CANNED}
    for header in ("read", "write", "full-control", "read-acp", "write-acp"):
        for path in (f"x-amz-grant-{header}", f"accessControlList.x-amz-grant-{header}"):
            for text in texts_at(call.request, path):
                let |= {
                    f"{whom} {header.replace('-', ' ')}"
                    for uri, whom in _GROUPS.items()
                    if uri in text
                }
    if let:
        yield ContentSign(
            "acl_public", "for", True,
            f"{call.name} lets {listing(sorted(let))}: {about}.",
            ("T1530", "T1537"), about=about,
        )  # fmt: skip


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _blocks(call: Call) -> Iterator[ContentSign]:
    bucket = call.given("bucketName")
    about = named("bucket", bucket) if bucket else f"account {call.account or 'unknown'}"
    path = "PublicAccessBlockConfiguration"
    off = [one for one in _BLOCKS if call.said(f"{path}.{one}", False)]
    on = [one for one in _BLOCKS if call.said(f"{path}.{one}", True)]
    if off:
        yield ContentSign(
            "public_access_unblocked", "for", False,
            f"{call.name} opened the block on public access of {about} ({listing(off)} off).",
            ("T1530",), about=about,
        )  # fmt: skip
    elif len(on) == len(_BLOCKS):
        yield ContentSign(
            "public_access_blocked", "against", False,
            f"{call.name} blocked all public access to {about}.", about=about,
        )  # fmt: skip


def _unblocked(call: Call) -> Iterator[ContentSign]:
    bucket = call.given("bucketName")
    about = named("bucket", bucket) if bucket else f"account {call.account or 'unknown'}"
    yield ContentSign(
        "public_access_unblocked", "for", not bucket,
        f"{call.name} removed the block on public access of {about}.", ("T1530",), about=about,
    )  # fmt: skip


def _replicated(call: Call) -> Iterator[ContentSign]:
    paths = [f"ReplicationConfiguration.{one}.Destination" for one in ("Rule", "Rules")]
    outside = call.outsiders(call.all_given(*(f"{path}.Account" for path in paths)))
    if outside:
        about = named("bucket", call.given("bucketName"))
        buckets = call.all_given(*(f"{path}.Bucket" for path in paths))
        to = [last_part(one.rpartition(":")[2]) for one in buckets]
        yield ContentSign(
            "bucket_replicated_outside", "for", True,
            f"{call.name} has objects of {about} copied to {other_accounts(outside, call)}"
            f"{f', bucket {listing(to)}' if to else ''}.",
            ("T1537", "T1020"), outside, about,
        )  # fmt: skip


def _reachable(call: Call) -> Iterator[ContentSign]:
    if call.said("publiclyAccessible", True):
        about = named("database", call.given("dBInstanceIdentifier"))
        yield ContentSign(
            "database_public", "for", False,
            f"{call.name} made {about} reachable from the internet (publiclyAccessible), as far as"
            " its network lets it.",
            ("T1562.007",), about=about,
        )  # fmt: skip


READERS: Readers = readers(
    ("ec2", "ModifySnapshotAttribute",
     _shared("make a disk of", "snapshot", "snapshot", "createVolumePermission", "snapshotId")),
    ("ec2", "ModifyImageAttribute",
     _shared("start", "image", "image", "launchPermission", "imageId")),
    ("rds", "ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute", _database),
    ("rds", "ModifyDBInstance", _reachable),
    ("ram", "CreateResourceShare AssociateResourceShare", _resource_share),
    ("s3", "PutBucketAcl PutObjectAcl CreateBucket", _acl),
    ("s3 s3control", "PutBucketPublicAccessBlock PutAccountPublicAccessBlock"
     " PutPublicAccessBlock", _blocks),
    ("s3 s3control", "DeleteBucketPublicAccessBlock DeleteAccountPublicAccessBlock"
     " DeletePublicAccessBlock", _unblocked),
    ("s3", "PutBucketReplication", _replicated),
)  # fmt: skip
